//! The run directory: names of its files, the files written before the first step, and the log.

mod data;
mod error;
mod tables;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use roentgen_data::lock::FolderLock;

use crate::checkpoint::RunState;
use crate::experiment::Experiment;
use crate::experiment::overrides;

use data::RunData;
pub use data::{check_given, data_set};
pub use error::Error;
pub use tables::read_epochs;

/// The resolved experiment.
pub const EXPERIMENT: &str = "experiment.toml";
/// One row per epoch.
pub const EPOCHS: &str = "epochs.csv";
/// The fingerprint of the prepared data set at the start of the run.
pub const DATA: &str = "data.toml";
/// Facts and figures of a finished run.
pub const FACTS: &str = "facts.toml";
/// A copy of the printed messages.
pub const LOG: &str = "train.log";
/// Exists once the run has ended by itself.
pub const FINISHED: &str = "finished";

/// Locked while a process trains in the folder. A sweep holds another lock on the same folder.
const LOCK: &str = ".run.lock";

/// The folder of a run, locked until the value is dropped.
#[derive(Debug)]
pub struct RunDir {
    /// Path of the folder.
    pub path: PathBuf,
    _lock: FolderLock,
}

/// Whether a run may resume an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The folder must be new.
    Fresh,
    /// Resumes an unfinished run of the same experiment; starts one if there is none.
    Resume,
}

impl RunDir {
    /// Opens a folder for a run of `experiment` on the prepared data set with this `fingerprint`.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder contains a run that may not be resumed, or one of another
    /// experiment or on other films.
    pub fn open(
        path: &Path,
        experiment: &Experiment,
        fingerprint: &str,
        start: Start,
    ) -> Result<Self, Error> {
        let lock = FolderLock::take_as(path, LOCK)?;
        let run = Self { path: path.to_owned(), _lock: lock };
        let text = toml::to_string(experiment).map_err(|error| WriteError {
            path: run.file(EXPERIMENT),
            source: std::io::Error::other(error),
        })?;
        if run.file(EXPERIMENT).exists() {
            let there = run.experiment_text()?;
            if there != text {
                let difference = difference(&there, &text);
                return Err(Error::Other { path: run.path, difference });
            }
            let data = RunData::read(&run.file(DATA))?;
            data.check(&run.path, fingerprint)?;
            data.check_experiment(&run.path, &there)?;
            if run.file(FINISHED).exists() && start == Start::Fresh {
                return Err(Error::Finished { path: run.path });
            }
            if start == Start::Fresh {
                return Err(Error::Unfinished { path: run.path });
            }
        } else {
            fs::create_dir_all(path)
                .map_err(|source| WriteError { path: path.to_owned(), source })?;
            // The experiment is written last: if it exists, so do the fingerprint and its hash.
            let data = RunData::new(fingerprint, &experiment.data.prepared, &text);
            data.write(&run.file(DATA))?;
            files::write_whole(&run.file(EXPERIMENT), text.as_bytes())?;
        }
        run.refuse_without_checkpoint()?;
        Ok(run)
    }

    /// Opens the folder of a run that has begun, to resume it.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder contains no run, if another process trains in it, if its
    /// experiment has changed, or if the run has finished and its checkpoint is gone.
    pub fn reopen(path: &Path) -> Result<Self, Error> {
        // Before the lock, which would create the folder.
        if !path.join(EXPERIMENT).is_file() {
            return Err(Error::NoRun { path: path.to_owned() });
        }
        let lock = FolderLock::take_as(path, LOCK)?;
        let run = Self { path: path.to_owned(), _lock: lock };
        RunData::read(&run.file(DATA))?.check_experiment(&run.path, &run.experiment_text()?)?;
        run.refuse_without_checkpoint()?;
        Ok(run)
    }

    /// A finished run without a checkpoint would otherwise start over and replace its model.
    fn refuse_without_checkpoint(&self) -> Result<(), Error> {
        if self.file(FINISHED).exists() && !RunState::path(&self.path).exists() {
            return Err(Error::NoCheckpoint { path: self.path.clone() });
        }
        Ok(())
    }

    /// Reads the resolved experiment of the run.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, is not an experiment, or has a value that is
    /// not allowed.
    pub fn experiment(&self) -> Result<Experiment, overrides::Error> {
        overrides::read(&self.file(EXPERIMENT), &[])
    }

    /// Replaces the experiment of the run by a longer one, which makes the run unfinished again.
    pub(crate) fn lengthen(&self, experiment: &Experiment) -> Result<(), Error> {
        let path = self.file(EXPERIMENT);
        let text = toml::to_string(experiment).map_err(|error| WriteError {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        // A run that is killed in between has one of the two.
        let mut data = RunData::read(&self.file(DATA))?;
        data.set_experiments(&[&self.experiment_text()?, &text]);
        data.write(&self.file(DATA))?;
        for name in [FINISHED, FACTS] {
            let path = self.file(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(WriteError { path, source }.into());
                }
                _ => {}
            }
        }
        files::write_whole(&path, text.as_bytes())?;
        data.set_experiments(&[&text]);
        Ok(data.write(&self.file(DATA))?)
    }

    /// Returns the text of the resolved experiment.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub(crate) fn experiment_text(&self) -> Result<String, Error> {
        let path = self.file(EXPERIMENT);
        files::read_text_at_most(&path, 16 << 20).map_err(|source| Error::Read { path, source })
    }

    /// Returns the path of a file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Appends a line to the log.
    ///
    /// # Errors
    ///
    /// Returns an error if the log cannot be written.
    pub fn log(&self, line: &str) -> Result<(), Error> {
        let path = self.file(LOG);
        let written = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{line}"));
        written.map_err(|source| WriteError { path, source }.into())
    }

    /// Marks the run as finished.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn finish(&self) -> Result<(), Error> {
        Ok(files::write_whole(&self.file(FINISHED), b"finished\n")?)
    }
}

/// Locks the run in `folder`, as training does, for another command that changes its files.
///
/// # Errors
///
/// Returns an error if another process trains in the folder or changes its files.
pub fn lock(folder: &Path) -> Result<FolderLock, Error> {
    Ok(FolderLock::take_as(folder, LOCK)?)
}

/// Describes the first line in which two experiments differ.
fn difference(there: &str, here: &str) -> String {
    let differs = there.lines().zip(here.lines()).find(|(a, b)| a != b);
    differs.map_or_else(
        || "one has more keys".to_owned(),
        |(there, here)| format!("it has `{there}`, this one has `{here}`"),
    )
}

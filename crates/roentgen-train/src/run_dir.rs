//! The run directory: names of its files, the files written before the first step, and the log.

mod data;
mod error;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use roentgen_data::lock::FolderLock;
use roentgen_data::manifest::Row;
use roentgen_data::split::Split;
use roentgen_models::model_dir;

use crate::checkpoint::State;
use crate::experiment::Experiment;
use crate::experiment::overrides;
use crate::films::{self, FILMS};
use crate::progress::EpochRow;

pub(crate) use data::Data;
pub use error::Error;

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
            run.data()?.check(&run.path, fingerprint)?;
            if run.file(FINISHED).exists() && start == Start::Fresh {
                return Err(Error::Finished { path: run.path });
            }
            if start == Start::Fresh {
                return Err(Error::Unfinished { path: run.path });
            }
        } else {
            fs::create_dir_all(path)
                .map_err(|source| WriteError { path: path.to_owned(), source })?;
            // The experiment is written last: if it exists, so does the fingerprint.
            Data::new(fingerprint, &experiment.data.prepared).write(&run.file(DATA))?;
            files::write_whole(&run.file(EXPERIMENT), text.as_bytes())?;
        }
        run.refuse_without_checkpoint()?;
        Ok(run)
    }

    /// Opens the folder of a run that has begun, to resume it.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder contains no run, if another process trains in it, or if the
    /// run has finished and its checkpoint is gone.
    pub fn reopen(path: &Path) -> Result<Self, Error> {
        // Before the lock, which would create the folder.
        if !path.join(EXPERIMENT).is_file() {
            return Err(Error::NoRun { path: path.to_owned() });
        }
        let lock = FolderLock::take_as(path, LOCK)?;
        let run = Self { path: path.to_owned(), _lock: lock };
        run.refuse_without_checkpoint()?;
        Ok(run)
    }

    /// A finished run without a checkpoint would otherwise start over and replace its model.
    fn refuse_without_checkpoint(&self) -> Result<(), Error> {
        if self.file(FINISHED).exists() && !State::path(&self.path).exists() {
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

    /// Reads which data set the run uses.
    pub(crate) fn data(&self) -> Result<Data, Error> {
        Data::read(&self.file(DATA))
    }

    /// Replaces the experiment of the run by a longer one, which makes the run unfinished again.
    pub(crate) fn lengthen(&self, experiment: &Experiment) -> Result<(), Error> {
        let path = self.file(EXPERIMENT);
        let text = toml::to_string(experiment).map_err(|error| WriteError {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        for name in [FINISHED, FACTS] {
            let path = self.file(name);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(WriteError { path, source }.into());
                }
                _ => {}
            }
        }
        Ok(files::write_whole(&path, text.as_bytes())?)
    }

    /// Returns the text of the resolved experiment.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read.
    pub fn experiment_text(&self) -> Result<String, Error> {
        let path = self.file(EXPERIMENT);
        files::read_text_at_most(&path, 16 << 20).map_err(|source| Error::Read { path, source })
    }

    /// Returns the path of a file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes the table of films and their splits, and returns its SHA-256.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write_films(&self, rows: &[Row], sides: &[Option<Split>]) -> Result<String, Error> {
        let used = rows.iter().zip(sides).filter_map(|(row, side)| Some((row, (*side)?)));
        let rows = used.map(|(row, side)| {
            [row.image.clone(), row.patient.to_string(), side.name().to_owned()]
        });
        let bytes = self.write_csv(FILMS, &films::HEADER, rows)?;
        Ok(model_dir::sha256(&bytes))
    }

    /// Writes the table of epochs.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write_epochs(&self, epochs: &[EpochRow]) -> Result<(), Error> {
        let header = [
            "epoch",
            "train_loss",
            "valid_loss",
            "valid_auroc",
            "learning_rate",
            "best",
            "seconds",
            "waiting",
        ];
        let rows = epochs.iter().map(|row| {
            [
                row.epoch.to_string(),
                row.train_loss.to_string(),
                row.valid_loss.to_string(),
                row.valid_auroc.map_or_else(String::new, |auroc| auroc.to_string()),
                row.learning_rate.to_string(),
                u8::from(row.is_best).to_string(),
                format!("{:.3}", row.seconds),
                format!("{:.3}", row.waiting),
            ]
        });
        self.write_csv(EPOCHS, &header, rows)?;
        Ok(())
    }

    fn write_csv<const N: usize>(
        &self,
        name: &str,
        header: &[&str; N],
        rows: impl Iterator<Item = [String; N]>,
    ) -> Result<Vec<u8>, Error> {
        let path = self.file(name);
        let failed = |error: csv::Error| WriteError { path: path.clone(), source: error.into() };
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).map_err(failed)?;
        for row in rows {
            writer.write_record(&row).map_err(failed)?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
        files::write_whole(&path, &bytes)?;
        Ok(bytes)
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
    pub fn finish(&self, why: &str) -> Result<(), Error> {
        Ok(files::write_whole(&self.file(FINISHED), format!("{why}\n").as_bytes())?)
    }
}

/// Reads `epochs.csv` of the run in `folder`.
///
/// # Errors
///
/// Returns an error if the file cannot be read or does not have the columns written by
/// [`RunDir::write_epochs`].
pub fn read_epochs(folder: &Path) -> Result<Vec<EpochRow>, Error> {
    #[derive(serde::Deserialize)]
    struct Line {
        epoch: usize,
        train_loss: f64,
        valid_loss: f64,
        valid_auroc: Option<f64>,
        learning_rate: f64,
        best: u8,
        seconds: f64,
        // Missing in tables of earlier versions.
        #[serde(default)]
        waiting: f64,
    }
    let path = folder.join(EPOCHS);
    let failed = |error: csv::Error| Error::Read { path: path.clone(), source: error.into() };
    let mut reader = csv::Reader::from_path(&path).map_err(failed)?;
    let rows = reader.deserialize().map(|line| {
        let line: Line = line?;
        Ok(EpochRow {
            epoch: line.epoch,
            train_loss: line.train_loss,
            valid_loss: line.valid_loss,
            valid_auroc: line.valid_auroc,
            learning_rate: line.learning_rate,
            is_best: line.best == 1,
            seconds: line.seconds,
            waiting: line.waiting,
            is_by_loss_instead: false,
        })
    });
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// Describes the first line in which two experiments differ.
fn difference(there: &str, here: &str) -> String {
    let differs = there.lines().zip(here.lines()).find(|(a, b)| a != b);
    differs.map_or_else(
        || "one has more keys".to_owned(),
        |(there, here)| format!("it has `{there}`, this one has `{here}`"),
    )
}

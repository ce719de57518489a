//! `data.toml`: which prepared data set and which experiment a run began with, and where the data
//! set was.

use std::io;
use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use roentgen_data::prepare::PreparedInfo;
use roentgen_models::model_dir::sha256;
use serde::{Deserialize, Serialize};

use super::{DATA, EXPERIMENT, Error};
use crate::experiment::Experiment;

/// The prepared data set and the experiment of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunData {
    /// Its fingerprint at the start of the run.
    fingerprint: String,
    /// SHA-256 of `experiment.toml`; of two texts while a run is lengthened, of none in runs of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    experiment_sha256: Vec<String>,
    /// Its absolute path at the start of the run; `None` in runs of earlier versions, and if the
    /// path is not Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prepared: Option<String>,
}

impl RunData {
    pub(super) fn new(fingerprint: &str, prepared: &Path, experiment: &str) -> Self {
        let path = std::path::absolute(prepared).ok();
        let prepared = path.and_then(|path| path.to_str().map(str::to_owned));
        Self {
            fingerprint: fingerprint.to_owned(),
            experiment_sha256: vec![sha256(experiment.as_bytes())],
            prepared,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        files::read_text_at_most(path, 1 << 20)
            .and_then(|text| toml::from_str(&text).map_err(io::Error::other))
            .map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), WriteError> {
        let text = toml::to_string(self).map_err(|error| WriteError {
            path: path.to_owned(),
            source: io::Error::other(error),
        })?;
        files::write_whole(path, text.as_bytes())
    }

    /// Checks that the films now are those of the run in the folder `run`.
    pub(super) fn check(&self, run: &Path, fingerprint: &str) -> Result<(), Error> {
        if self.fingerprint == fingerprint {
            Ok(())
        } else {
            Err(Error::OtherData { path: run.to_owned() })
        }
    }

    /// Checks that the text of an experiment is that of the run in the folder `run`, if that is known.
    pub(super) fn check_experiment(&self, run: &Path, text: &str) -> Result<(), Error> {
        let known = &self.experiment_sha256;
        if known.is_empty() || known.contains(&sha256(text.as_bytes())) {
            Ok(())
        } else {
            Err(Error::ExperimentChanged { path: run.join(EXPERIMENT) })
        }
    }

    /// Records the texts of which one is the experiment of the run.
    pub(super) fn set_experiments(&mut self, texts: &[&str]) {
        self.experiment_sha256 = texts.iter().map(|text| sha256(text.as_bytes())).collect();
    }

    /// Returns the folder that has the films of the run.
    fn among<'a>(&self, given: &'a [PathBuf]) -> Result<Option<&'a PathBuf>, Error> {
        for folder in given {
            if PreparedInfo::read(folder)?.fingerprint == self.fingerprint {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }

    /// Returns where the data set is: the one of the folders `given` that has its fingerprint, or
    /// where it was when the run started, or where the experiment's `data.prepared` leads from the
    /// working directory.
    fn find(&self, run: &Path, named: &Path, given: &[PathBuf]) -> Result<PathBuf, Error> {
        if let Some(folder) = self.among(given)? {
            return Ok(folder.clone());
        }
        let recorded = self.prepared.as_ref().map(PathBuf::from);
        let places = recorded.iter().map(PathBuf::as_path).chain([named]);
        let found = places.into_iter().find(|place| place.is_dir()).map(Path::to_owned);
        found.ok_or_else(|| Error::DataMoved {
            path: run.to_owned(),
            prepared: recorded.unwrap_or_else(|| named.to_owned()),
        })
    }
}

/// Checks that one of the folders `given`, if there are some, has the films of the run in `folder`.
///
/// # Errors
///
/// Returns an error if none has, or if one is not a prepared data set.
pub fn check_given(folder: &Path, given: &[PathBuf]) -> Result<(), Error> {
    if given.is_empty() {
        return Ok(());
    }
    let data = RunData::read(&folder.join(DATA))?;
    match data.among(given)? {
        Some(_) => Ok(()),
        None => Err(Error::NotAmongGiven { path: folder.to_owned() }),
    }
}

/// Returns where the prepared data set of the run in `folder` is, and checks that it has not
/// changed. `given` are folders to which data sets have been moved: the one with the run's
/// fingerprint is used.
///
/// # Errors
///
/// Returns an error if the data set is not there, or if it contains other films than those of the
/// run.
pub fn data_set(
    folder: &Path,
    experiment: &Experiment,
    given: &[PathBuf],
) -> Result<PathBuf, Error> {
    let data = RunData::read(&folder.join(DATA))?;
    let found = data.find(folder, &experiment.data.prepared, given)?;
    data.check(folder, &PreparedInfo::read(&found)?.fingerprint)?;
    Ok(found)
}

//! `facts.toml`: facts and figures of a finished run, for comparing runs.

use std::path::Path;

use roentgen_data::files::{self, WriteError};
use roentgen_data::split::Fold;
use serde::{Deserialize, Serialize};

use crate::experiment::BestBy;
use crate::run_dir::{self, FACTS};

/// More seconds than any run takes: a thousand years.
const LONGEST: f64 = 3.2e10;

/// Facts and figures of a finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Number of weights and running statistics of the network.
    pub parameters: usize,
    /// Name of the split, such as `official train`.
    pub split: String,
    /// Seed of the run; `None` in facts of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Seed of sampling and splitting; `None` in facts of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// The fold of a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// Whether the films were drawn by `phantom`.
    pub is_phantom: bool,
    /// Number of training films.
    pub train_films: usize,
    /// Number of their patients.
    pub train_patients: usize,
    /// Number of validation films.
    pub valid_films: usize,
    /// Number of optimizer steps.
    pub steps: usize,
    /// Wall time of all epochs including validation, in seconds.
    pub seconds: f64,
    /// The criterion that chose the best epoch, which is the loss if the AUROC was undefined;
    /// `None` in facts of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_by: Option<BestBy>,
    /// The numbers of epochs that the run had before it was lengthened, one for each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengthened_from: Vec<usize>,
    /// Whether a sweep gave the run up because others were better.
    #[serde(default)]
    pub is_stopped: bool,
    /// Peak memory of the process in MiB; `None` if the system does not report it, or if an earlier
    /// run of the process used more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_mib: Option<u64>,
}

impl Facts {
    /// Returns training films per second; time for validation is included.
    pub fn films_per_second(&self, epochs: usize) -> f64 {
        self.train_films as f64 * epochs as f64 / self.seconds
    }

    /// Reads the facts of the run in `folder`; returns `None` if it has not finished.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or was not written by [`Facts`].
    pub fn read(folder: &Path) -> Result<Option<Self>, run_dir::Error> {
        let path = folder.join(FACTS);
        if !path.exists() {
            return Ok(None);
        }
        let read = files::read_text_at_most(&path, 1 << 20)
            .and_then(|text| toml::from_str(&text).map_err(std::io::Error::other))
            .and_then(|facts: Self| match facts.seconds {
                seconds if (0.0..LONGEST).contains(&seconds) => Ok(facts),
                seconds => {
                    let text = format!("`seconds` = {seconds} is not the time of a run");
                    Err(std::io::Error::new(std::io::ErrorKind::InvalidData, text))
                }
            });
        read.map(Some).map_err(|source| run_dir::Error::Read { path, source })
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<(), WriteError> {
        let path = folder.join(FACTS);
        let text = toml::to_string(self).map_err(|error| WriteError {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        files::write_whole(&path, text.as_bytes())
    }
}

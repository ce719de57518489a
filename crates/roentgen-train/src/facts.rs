//! `facts.toml`: what a finished run was and took, for whoever compares runs.

use std::fs;
use std::path::Path;

use roentgen_data::files::{self, WriteError};
use serde::{Deserialize, Serialize};

use crate::run_dir::{self, FACTS};

/// What a run was and took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Weights and running statistics of the network.
    pub parameters: usize,
    /// The side's name, such as `official train`.
    pub split: String,
    /// Whether the films were drawn by `phantom`.
    pub is_phantom: bool,
    /// Films trained on.
    pub train_films: usize,
    /// Their patients.
    pub train_patients: usize,
    /// Films validated on.
    pub valid_films: usize,
    /// Optimizer steps.
    pub steps: usize,
    /// Wall time of all epochs, validation with them.
    pub seconds: f64,
    /// Whether it was given up, being hopeless beside others.
    #[serde(default)]
    pub is_stopped: bool,
    /// The most memory that the process held; none where the system does not say, or where an earlier
    /// run of the process held more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_mib: Option<u64>,
}

impl Facts {
    /// Films trained on in a second, validation counted as time only.
    pub fn films_per_second(&self, epochs: usize) -> f64 {
        (self.train_films * epochs) as f64 / self.seconds
    }

    /// Reads the facts of the run in `folder`; none where it has not finished.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is not what we write.
    pub fn read(folder: &Path) -> Result<Option<Self>, run_dir::Error> {
        let path = folder.join(FACTS);
        if !path.exists() {
            return Ok(None);
        }
        let read = fs::read_to_string(&path)
            .and_then(|text| toml::from_str(&text).map_err(std::io::Error::other));
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

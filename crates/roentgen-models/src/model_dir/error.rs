//! Why a model could not be read or written.

use std::path::PathBuf;

use roentgen_data::files::WriteError;

use super::FORMAT;
use crate::{classifier, weights};

/// Why a model could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("could not read `{path}`; `roentgen train` writes it once an epoch is done")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The description was written by another version, or is damaged.
    #[error("`{path}` is damaged or does not describe a model of this version of roentgen")]
    Description {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: Box<toml::de::Error>,
    },
    /// The layout is that of another version.
    #[error(
        "`{path}` has `format = {found}`, but this version of roentgen reads {FORMAT}; use the \
         version that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its `format`.
        found: String,
    },
    /// The description was edited or cut off.
    #[error(
        "`{path}` has changed since it was written, because its `seal` does not match; restore the \
         file, or remove the line `seal` to use it unverified"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file of the model is not the one that was written with `model.toml`.
    #[error(
        "`{path}` does not belong to the `model.toml` beside it: its SHA-256 differs from the one \
         recorded there; copy the files of one model together"
    )]
    Mixed {
        /// The file.
        path: PathBuf,
    },
    /// Some weights are not numbers.
    #[error("the weights `{path}` contain values that are not numbers; train the model again")]
    NotFinite {
        /// The file.
        path: PathBuf,
    },
    /// Rounded weights were to be rounded again.
    #[error("`{path}` has rounded weights ({rounded}); make the bundle from the model itself")]
    Rounded {
        /// The model.
        path: PathBuf,
        /// What they are.
        rounded: String,
    },
    /// Calibration or thresholds were edited.
    #[error("`{path}` cannot be used: {problem}; `roentgen calibrate` fits it again")]
    Calibration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The outputs are not a list of findings.
    #[error("`{path}` must list at least one finding, and each only once")]
    Findings {
        /// The file.
        path: PathBuf,
    },
    /// The network is not valid.
    #[error("`{path}` describes a network that cannot be built")]
    Network {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: classifier::Error,
    },
    /// The weights do not fit the network.
    #[error("could not load the weights `{path}`")]
    Weights {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: weights::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

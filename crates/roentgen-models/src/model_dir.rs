//! A model on disk: `model.toml`, which holds all that prediction needs to know, and `model.bpk`,
//! the weights.
//!
//! Both are written whole or not at all, the weights first: a `model.toml` that stands there always
//! has its weights.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::files::{self, WriteError};
use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use serde::{Deserialize, Serialize};

use crate::classifier::{Classifier, ClassifierConfig};
use crate::{classifier, weights};

/// The description's file name.
pub const DESCRIPTION: &str = "model.toml";
/// The weights' file name.
pub const WEIGHTS: &str = "model.bpk";

/// `model.toml`: what a trained classifier is, takes, says, and was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of this file's layout, 1.
    pub format: u32,
    /// What the outputs mean, in order.
    pub findings: Vec<Finding>,
    /// The network.
    pub network: ClassifierConfig,
    /// What it takes.
    pub input: Input,
    /// What it was trained on; none where someone else trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Where the weights of a model that someone else trained are from: a file and its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
}

/// What a model was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// `NIH ChestX-ray14`, or `phantom` for drawn films.
    pub dataset: String,
    /// SHA-256 of the prepared data set.
    pub data: String,
    /// SHA-256 of the names of the films trained on, in order.
    pub split: String,
    /// How films were chosen and divided.
    pub selection: Selection,
    /// The seed that divided them and drew the weights.
    pub seed: u64,
    /// Films trained on.
    pub films: usize,
    /// Their patients.
    pub patients: usize,
    /// The epoch these weights are from, from 1.
    pub epoch: usize,
    /// Loss on the validation films; none where there are none.
    pub valid_loss: Option<f64>,
    /// Mean AUROC on the validation films.
    pub valid_auroc: Option<f64>,
    /// What the backbone began with, if not with random numbers: a file and its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
}

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
    /// The description is not what we write.
    #[error("`{path}` does not describe a model of this version of roentgen")]
    Description {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: Box<toml::de::Error>,
    },
    /// A network that cannot be.
    #[error("`{path}` describes a network that cannot be made")]
    Network {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: classifier::Error,
    },
    /// The weights do not fit.
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

impl Description {
    /// Reads `model.toml` in `folder`.
    ///
    /// # Errors
    ///
    /// No such file, or one of another version.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(DESCRIPTION);
        let text = fs::read_to_string(&path)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let description: Self = toml::from_str(&text).map_err(|source| Error::Description {
            path: path.clone(),
            source: Box::new(source),
        })?;
        description
            .network
            .check(description.input.size, description.input.channels)
            .map_err(|source| Error::Network { path, source })?;
        Ok(description)
    }
}

/// Writes a model into `folder`.
///
/// # Errors
///
/// The file system's.
pub fn save(folder: &Path, description: &Description, model: &Classifier) -> Result<(), Error> {
    let path = folder.join(WEIGHTS);
    let bytes =
        weights::to_bytes(model).map_err(|source| Error::Weights { path: path.clone(), source })?;
    files::write_whole(&path, &bytes)?;
    let path = folder.join(DESCRIPTION);
    let text = toml::to_string(description)
        .map_err(|error| WriteError { path: path.clone(), source: std::io::Error::other(error) })?;
    Ok(files::write_whole(&path, text.as_bytes())?)
}

/// Reads the model in `folder` onto `device`.
///
/// # Errors
///
/// Files that are missing, of another version, or do not fit each other.
pub fn load(folder: &Path, device: &Device) -> Result<(Description, Classifier), Error> {
    let description = Description::read(folder)?;
    let path = folder.join(WEIGHTS);
    let bytes = fs::read(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
    let model =
        description.network.init(description.input.channels, description.findings.len(), device);
    let model = weights::load(model, bytes).map_err(|source| Error::Weights { path, source })?;
    Ok((description, model))
}

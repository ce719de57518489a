//! A model on disk: `model.toml`, which contains everything that prediction needs to know, and
//! `model.bpk`, the weights.
//!
//! Both are written completely or not at all, the weights first: if `model.toml` exists, so do its
//! weights.

use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use roentgen_data::Finding;
use roentgen_data::files::{self, WriteError};
use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use roentgen_eval::Calibration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::classifier::{Classifier, ClassifierConfig};
use crate::{classifier, weights};

/// File name of the description.
pub const DESCRIPTION: &str = "model.toml";
/// File name of the weights.
pub const WEIGHTS: &str = "model.bpk";
/// The version of the layout of `model.toml` that this program writes and reads.
pub const FORMAT: u32 = 1;
/// Most bytes of a description.
const LONGEST: u64 = 1 << 20;
/// Digits of an identity.
const DIGITS: usize = 12;

/// `model.toml`: describes a trained classifier, its input, its outputs and its training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Version of the layout of this file, [`FORMAT`].
    pub format: u32,
    /// SHA-256 of `model.bpk`, which [`save`] fills in; `None` in models of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_sha256: Option<String>,
    /// SHA-256 of the run's table of films; `None` if there is none, and in models of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub films_sha256: Option<String>,
    /// The findings of the outputs, in order.
    pub findings: Vec<Finding>,
    /// The network.
    pub network: ClassifierConfig,
    /// The input of the network.
    pub input: Input,
    /// How it was trained; `None` if someone else trained it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// Origin of weights that someone else trained: a file and its SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// Calibration and thresholds, fitted on validation films; `None` if nothing was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// Describes how a model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// `NIH ChestX-ray14`, or `phantom` for synthetic films.
    pub dataset: String,
    /// SHA-256 of the prepared data set.
    pub data: String,
    /// SHA-256 of the names of the training films, in order.
    pub split: String,
    /// How films were selected and split.
    pub selection: Selection,
    /// The seed of the split and the initial weights.
    pub seed: u64,
    /// Number of training films.
    pub films: usize,
    /// Number of their patients.
    pub patients: usize,
    /// The epoch of these weights, from 1.
    pub epoch: usize,
    /// Loss on the validation films; `None` if there are none.
    pub valid_loss: Option<f64>,
    /// Mean AUROC on the validation films.
    pub valid_auroc: Option<f64>,
    /// Origin of the backbone's initial weights, if not random: a file and its SHA-256.
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

impl Description {
    /// Describes a model in the current format, without training and origin.
    pub fn new(findings: Vec<Finding>, network: ClassifierConfig, input: Input) -> Self {
        Self {
            format: FORMAT,
            weights_sha256: None,
            films_sha256: None,
            findings,
            network,
            input,
            training: None,
            imported: None,
            calibration: None,
        }
    }

    /// Reads `model.toml` in `folder`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing or was written by another version.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(DESCRIPTION);
        let text = files::read_text_at_most(&path, LONGEST)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let damaged = |source| Error::Description { path: path.clone(), source: Box::new(source) };
        // Read first: another layout has other keys.
        let table: toml::Table = toml::from_str(&text).map_err(damaged)?;
        match table.get("format") {
            Some(toml::Value::Integer(found)) if *found != i64::from(FORMAT) => {
                return Err(Error::Format { path, found: found.to_string() });
            }
            _ => {}
        }
        let description: Self = toml::from_str(&text).map_err(damaged)?;
        if let Some(problem) = description.calibration.as_ref().and_then(Calibration::problem) {
            return Err(Error::Calibration { path, problem });
        }
        let mut findings = description.findings.clone();
        findings.sort();
        findings.dedup();
        if findings.is_empty() || findings.len() < description.findings.len() {
            return Err(Error::Findings { path });
        }
        description
            .network
            .check(description.input.size, description.input.channels)
            .map_err(|source| Error::Network { path, source })?;
        Ok(description)
    }
}

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Returns the identity of the model in `folder`: the first digits of a SHA-256 of its description
/// and its weights. Calibration and thresholds are not part of it, because they are fitted to what
/// the model predicts and do not change it.
///
/// # Errors
///
/// Returns an error if a file cannot be read, or if the weights are not those of the description.
pub fn identity(folder: &Path) -> Result<String, Error> {
    Ok(Files::read(folder)?.identity)
}

/// The files of a model, which belong together.
struct Files {
    description: Description,
    identity: String,
    weights: Vec<u8>,
}

impl Files {
    fn read(folder: &Path) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = folder.join(name);
            files::read_at_most(&path, u64::MAX).map_err(|source| Error::Read { path, source })
        };
        let description = Description::read(folder)?;
        let weights = read(WEIGHTS)?;
        let path = folder.join(WEIGHTS);
        check_sha256(&path, &weights, description.weights_sha256.as_deref())?;
        let mut text = to_text(folder, &Description { calibration: None, ..description.clone() })?;
        text.push_str(&sha256(&weights));
        let identity = sha256(text.as_bytes())[..DIGITS].to_owned();
        Ok(Self { description, identity, weights })
    }
}

/// A loaded model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its description.
    pub description: Description,
    /// Its identity, see [`identity`].
    pub identity: String,
    /// The network, with its weights.
    pub network: Classifier,
}

/// Checks that a file beside a model is the one that its description records.
///
/// # Errors
///
/// Returns an error if the SHA-256 of `bytes` is not `recorded`.
pub fn check_sha256(path: &Path, bytes: &[u8], recorded: Option<&str>) -> Result<(), Error> {
    match recorded {
        Some(recorded) if sha256(bytes) != recorded => Err(Error::Mixed { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Writes a model into `folder`, and the SHA-256 of its weights into its description.
///
/// # Errors
///
/// Returns an error if a file cannot be written.
pub fn save(folder: &Path, description: &Description, model: &Classifier) -> Result<(), Error> {
    let path = folder.join(WEIGHTS);
    let bytes =
        weights::to_bytes(model).map_err(|source| Error::Weights { path: path.clone(), source })?;
    files::write_whole(&path, &bytes)?;
    let description = Description { weights_sha256: Some(sha256(&bytes)), ..description.clone() };
    let text = to_text(folder, &description)?;
    Ok(files::write_whole(&folder.join(DESCRIPTION), text.as_bytes())?)
}

/// Puts calibration and thresholds into the description of the model in `folder`.
///
/// # Errors
///
/// Returns an error if the description cannot be read or written.
pub fn save_calibration(folder: &Path, calibration: Calibration) -> Result<(), Error> {
    let description = Description { calibration: Some(calibration), ..Description::read(folder)? };
    let text = to_text(folder, &description)?;
    Ok(files::write_whole(&folder.join(DESCRIPTION), text.as_bytes())?)
}

fn to_text(folder: &Path, description: &Description) -> Result<String, Error> {
    toml::to_string(description).map_err(|error| {
        let path = folder.join(DESCRIPTION);
        WriteError { path, source: std::io::Error::other(error) }.into()
    })
}

/// Loads the model in `folder` onto `device`.
///
/// # Errors
///
/// Returns an error if files are missing, were written by another version, or do not fit each
/// other.
pub fn load(folder: &Path, device: &Device) -> Result<Model, Error> {
    let Files { description, identity, weights } = Files::read(folder)?;
    let path = folder.join(WEIGHTS);
    let network =
        description.network.init(description.input.channels, description.findings.len(), device);
    let network = weights::load(network, weights)
        .map_err(|source| Error::Weights { path: path.clone(), source })?;
    let mut finite = Finite(true);
    network.visit(&mut finite);
    if !finite.0 {
        return Err(Error::NotFinite { path });
    }
    Ok(Model { description, identity, network })
}

/// Whether all parameters seen so far are numbers.
struct Finite(bool);

impl ModuleVisitor for Finite {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().without_autodiff().into_data();
        self.0 &= values.iter::<f32>().all(f32::is_finite);
    }
}

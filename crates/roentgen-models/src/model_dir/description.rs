//! `model.toml`: what is known about a model.

use std::path::Path;

use roentgen_data::files;
use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use roentgen_data::{Dataset, Finding};
use roentgen_eval::Calibration;
use serde::{Deserialize, Serialize};

use super::{DESCRIPTION, Error, FORMAT, read_part, seal};
use crate::classifier::ClassifierConfig;

/// Most bytes of a description.
const LONGEST: u64 = 1 << 20;

/// `model.toml`: describes a trained classifier, its input, its outputs and its training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Version of the layout of this file, [`FORMAT`].
    pub format: u32,
    /// SHA-256 of `model.bpk`, which [`save`](super::save) fills in; `None` in models of earlier versions.
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
    pub training: Option<TrainingInfo>,
    /// Identity of the model whose weights were rounded to fewer bits for a bundle, and the bits, such
    /// as `f16 of 0123456789ab`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounded: Option<String>,
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
pub struct TrainingInfo {
    /// The data set.
    pub dataset: Dataset,
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
    /// What is known of the films that those weights were trained on, if they are of another model;
    /// `None` also in models of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_films: Option<EarlierFilms>,
}

/// What is known of the films on which initial weights were trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EarlierFilms {
    /// They are in the run's table of films.
    Listed,
    /// Some or all are of another data set; those of this one are in the run's table of films.
    OtherDataSet,
    /// Nothing: the other model has no table of films, or its data set has no name.
    Unknown,
}

impl ModelInfo {
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
            rounded: None,
            imported: None,
            calibration: None,
        }
    }

    /// Reads `model.toml` in `folder`, which may be a bundle.
    ///
    /// # Errors
    ///
    /// Returns an error if the file is missing, was written by another version, or has changed.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        Self::read_sealed(folder).map(|(description, _)| description)
    }

    /// Reads `model.toml`; the flag says whether it is known to be as it was written.
    pub(super) fn read_sealed(folder: &Path) -> Result<(Self, bool), Error> {
        let path = folder.join(DESCRIPTION);
        let text = read_part(folder, DESCRIPTION, LONGEST)
            .and_then(files::text)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let damaged = |source| Error::Description { path: path.clone(), source: Box::new(source) };
        let (text, is_whole) = seal::open(&text);
        // Read first: another layout has other keys.
        let table: toml::Table = toml::from_str(text).map_err(damaged)?;
        match table.get("format") {
            Some(toml::Value::Integer(found)) if *found != i64::from(FORMAT) => {
                return Err(Error::Format { path, found: found.to_string() });
            }
            _ => {}
        }
        let description: Self = toml::from_str(text).map_err(damaged)?;
        if is_whole == Some(false) {
            return Err(Error::Changed { path });
        }
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
        Ok((description, is_whole.is_some()))
    }
}

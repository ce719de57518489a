//! A whole model trained elsewhere: backbone and one dense layer become a model of this program.

use burn::tensor::Device;
use roentgen_data::preprocess::{Input, Normalize};

use super::fit::{ClassifierPart, fit};
use super::{FitError, FitReport, Outputs, WeightFile};
use crate::classifier::{Classifier, ClassifierConfig};
use crate::model_dir::ModelInfo;
use crate::zoo::{Architecture, Pool};

/// What a file of weights does not say about its model.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The backbone.
    pub architecture: Architecture,
    /// Its outputs, in order.
    pub outputs: Outputs,
    /// Height and width in pixels of its training films; the architecture's native size if `None`.
    pub size: Option<usize>,
    /// How its input was scaled; if `None`, as in the models with those outputs, or as the
    /// architecture's published weights expect.
    pub normalize: Option<Normalize>,
}

/// A model trained elsewhere.
#[derive(Debug)]
pub struct Imported {
    /// Its description, with one or three channels as its first convolution has.
    pub description: ModelInfo,
    /// Its network.
    pub network: Classifier,
    /// Where its tensors came from.
    pub fit: FitReport,
}

/// Imports the model in a file.
///
/// # Errors
///
/// Returns an error if a tensor is missing or has another shape, if no single dense layer has that
/// many outputs, or if films of that size are too small for the network.
pub fn import(file: &WeightFile, foreign: &Foreign, device: &Device) -> Result<Imported, FitError> {
    let architecture = foreign.architecture;
    let network = ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let findings = foreign.outputs.findings();
    let size = foreign.size.unwrap_or(architecture.native_size());
    network.check(size, 1)?;
    let part = ClassifierPart::Outputs(&foreign.outputs);
    let with_channels =
        |channels| fit(network.init(channels, findings.len(), device), architecture, part, file);
    let (channels, (model, fit)) = match with_channels(3) {
        Err(FitError::Shape { there, .. }) if there.get(1) == Some(&1) => (1, with_channels(1)?),
        result => (3, result?),
    };
    let known = foreign.normalize.or(foreign.outputs.normalization());
    let normalize = known.unwrap_or(architecture.normalization());
    let input = Input { size, channels, normalize };
    let description =
        ModelInfo { imported: Some(file.origin()?), ..ModelInfo::new(findings, network, input) };
    Ok(Imported { description, network: model, fit })
}

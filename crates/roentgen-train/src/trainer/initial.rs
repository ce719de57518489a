//! Initial weights of the backbone: random numbers, published weights, or those of an earlier run.

use roentgen_models::Classifier;
use roentgen_models::pretrained::{self, ClassifierPart, WeightFile, store};

use super::earlier::{Earlier, earlier};
use super::{Error, Material};
use crate::experiment::{Experiment, InitialWeights};

/// A new network with its initial weights.
pub(super) struct Initial {
    pub(super) network: Classifier,
    /// Origin of the weights in words; `None` for random numbers.
    pub(super) origin: Option<String>,
    /// The films on which they were trained.
    pub(super) earlier: Earlier,
    /// What the log of the run says of them.
    pub(super) log: Option<String>,
}

/// Loads the experiment's weights into a new network.
///
/// # Errors
///
/// Returns an error if the weights are missing or belong to another network, and under the
/// conditions of [`earlier`].
pub(super) fn weights(
    experiment: &Experiment,
    material: &Material,
    network: Classifier,
) -> Result<Initial, Error> {
    let earlier = earlier(experiment, material)?;
    let architecture = experiment.model.architecture;
    let Some(file) = find(experiment)? else {
        return Ok(Initial { network, origin: None, earlier, log: None });
    };
    let (network, fit) = pretrained::fit(network, architecture, ClassifierPart::Backbone, &file)?;
    let origin = file.origin()?;
    let gray = if fit.is_gray { ", first convolution summed over colours" } else { "" };
    let prefix = match fit.prefix.as_str() {
        "" => String::new(),
        prefix => format!(", names beginning with `{prefix}`"),
    };
    let log = format!("weights: {} tensors of {origin}{prefix}{gray}", fit.found.len());
    Ok(Initial { network, origin: Some(origin), earlier, log: Some(log) })
}

/// Opens the experiment's weights; returns `None` if it starts from random numbers.
///
/// # Errors
///
/// Returns an error if the weights are missing or their file cannot be read.
pub(super) fn find(experiment: &Experiment) -> Result<Option<WeightFile>, Error> {
    let path = match &experiment.model.weights {
        InitialWeights::None => return Ok(None),
        InitialWeights::Imagenet => store::find(experiment.model.architecture)?,
        InitialWeights::At(path) => path.clone(),
    };
    let file = WeightFile::open(&path)?;
    Ok(Some(match &experiment.model.weights_prefix {
        Some(prefix) => file.with_prefix(prefix),
        None => file,
    }))
}

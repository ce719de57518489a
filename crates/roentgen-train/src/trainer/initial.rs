//! Initial weights of the backbone: random numbers, published weights, or those of an earlier run.

use roentgen_models::Classifier;
use roentgen_models::pretrained::{self, ClassifierPart, WeightFile, store};

use super::Error;
use crate::experiment::{Experiment, InitialWeights};
use crate::run_dir::RunDir;

/// Loads the experiment's weights into a new network and returns their origin in words.
///
/// # Errors
///
/// Returns an error if the weights are missing or belong to another network.
pub(super) fn weights(
    experiment: &Experiment,
    model: Classifier,
    run: &RunDir,
) -> Result<(Classifier, Option<String>), Error> {
    let architecture = experiment.model.architecture;
    let Some(file) = find(experiment)? else { return Ok((model, None)) };
    let (model, fit) = pretrained::fit(model, architecture, ClassifierPart::Backbone, &file)?;
    let origin = file.origin()?;
    let gray = if fit.is_gray { ", first convolution summed over colours" } else { "" };
    let prefix = match fit.prefix.as_str() {
        "" => String::new(),
        prefix => format!(", names beginning with `{prefix}`"),
    };
    run.log(&format!("weights: {} tensors of {origin}{prefix}{gray}", fit.found.len()))?;
    Ok((model, Some(origin)))
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

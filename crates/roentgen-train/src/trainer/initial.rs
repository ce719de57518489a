//! What the backbone starts from: random numbers, published weights, or an earlier run's.

use roentgen_models::Classifier;
use roentgen_models::pretrained::{self, Part, WeightFile, store};

use super::Error;
use crate::experiment::{Experiment, Weights};
use crate::run_dir::RunDir;

/// Puts the experiment's weights into a new network and tells, for the record, where they are from.
///
/// # Errors
///
/// Weights that are not there, or of another network.
pub(super) fn weights(
    experiment: &Experiment,
    model: Classifier,
    run: &RunDir,
) -> Result<(Classifier, Option<String>), Error> {
    let architecture = experiment.model.architecture;
    let path = match &experiment.model.weights {
        Weights::None => return Ok((model, None)),
        Weights::Imagenet => store::find(architecture)?,
        Weights::At(path) => path.clone(),
    };
    let file = WeightFile::open(&path)?;
    let (model, fit) = pretrained::fit(model, architecture, Part::Backbone, &file)?;
    let origin = file.origin()?;
    let gray = if fit.is_gray { ", first convolution summed over colours" } else { "" };
    run.log(&format!("weights: {} tensors of {origin}{gray}", fit.found.len()))?;
    Ok((model, Some(origin)))
}

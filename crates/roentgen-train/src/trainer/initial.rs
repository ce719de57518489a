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
    let Some(file) = find(experiment)? else { return Ok((model, None)) };
    let (model, fit) = pretrained::fit(model, architecture, Part::Backbone, &file)?;
    let origin = file.origin()?;
    let gray = if fit.is_gray { ", first convolution summed over colours" } else { "" };
    run.log(&format!("weights: {} tensors of {origin}{gray}", fit.found.len()))?;
    Ok((model, Some(origin)))
}

/// Opens the experiment's weights; none where it begins with random numbers.
///
/// # Errors
///
/// Weights that are not there, or in a file that cannot be read.
pub(super) fn find(experiment: &Experiment) -> Result<Option<WeightFile>, Error> {
    let path = match &experiment.model.weights {
        Weights::None => return Ok(None),
        Weights::Imagenet => store::find(experiment.model.architecture)?,
        Weights::At(path) => path.clone(),
    };
    Ok(Some(WeightFile::open(&path)?))
}

//! Fits calibration and thresholds to a run's validation films, and puts them into its model.

use std::path::Path;

use burn::tensor::Device;
use roentgen_eval::{Calibration, Scores, WithIsotonic, calibrate};
use roentgen_models::model_dir;
use roentgen_train::Experiment;

use crate::compare::{predict_valid, valid_scores};
use crate::listener::Listener;

/// Calibrates the run in `folder` by its table of validation films, which is made if it is not there
/// or was predicted by other weights.
///
/// # Errors
///
/// Returns an error if the validation films cannot be predicted, or if the model cannot be written.
pub fn calibrate_run(
    folder: &Path,
    experiment: &Experiment,
    isotonic: WithIsotonic,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Calibration> {
    let table = valid_scores(folder);
    let identity = model_dir::identity(folder)?;
    let is_own =
        |scores: &Scores| scores.model().is_some_and(|model| model.to_string() == identity);
    let scores = match Scores::read(&table).ok().filter(is_own) {
        Some(scores) => scores,
        None => {
            predict_valid(experiment, folder, device, listener)?;
            Scores::read(&table)?
        }
    };
    let calibration = calibrate(&scores, isotonic)?;
    model_dir::save_calibration(folder, calibration.clone())?;
    Ok(calibration)
}

//! Fits calibration and thresholds to a run's validation films, and puts them into its model.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use roentgen_eval::{Calibration, WithIsotonic, calibrate};
use roentgen_models::model_dir;
use roentgen_train::{Experiment, Facts, run_dir};

use crate::compare::scores_of_locked;
use crate::listener::Listener;

/// Calibrates the run in `folder` by its table of validation films, which is made if it is not there
/// or was predicted by other weights. `data` are folders to which data sets have been moved.
///
/// # Errors
///
/// Returns an error if another process trains in the folder, if no folder of `data` has the run's films,
/// if the validation films cannot be predicted, or if the model cannot be written.
pub fn calibrate_run(
    folder: &Path,
    experiment: &Experiment,
    isotonic: WithIsotonic,
    data: &[PathBuf],
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Calibration> {
    let _lock = run_dir::lock(folder)?;
    run_dir::check_given(folder, data)?;
    let scores = scores_of_locked(experiment, folder, data, device, listener)?;
    let calibration = calibrate(&scores, isotonic)?;
    model_dir::save_calibration(folder, calibration.clone())?;
    Ok(calibration)
}

/// Calibrates a run that has just finished, if it has validation films.
///
/// # Errors
///
/// As [`calibrate_run`].
pub fn calibrate_finished(
    folder: &Path,
    experiment: &Experiment,
    data: &[PathBuf],
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<()> {
    if Facts::read(folder)?.is_some_and(|facts| facts.valid_films > 0) {
        calibrate_run(folder, experiment, WithIsotonic::No, data, device, listener)?;
    }
    Ok(())
}

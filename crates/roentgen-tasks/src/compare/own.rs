//! The score table of a run's validation films.
//!
//! Thresholds are fitted to it and runs are compared by it, so a table in its place is used only if it
//! has the run's model and validation films.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use roentgen_data::split::Split;
use roentgen_eval::{OperatingRule, Scores};
use roentgen_models::{Precision, model_dir};
use roentgen_train::{Experiment, films, run_dir};

use crate::engine::EngineChoice;
use crate::listener::Listener;
use crate::predict::{self, PredictRequest};
use crate::shard::Shard;
use crate::sources::{Gate, Privacy};

/// The score table, in the folder of the run.
const SCORES: &str = "scores/valid.csv";

/// Predicts the validation films of a run, so that it can be compared. `data` are folders to which
/// data sets have been moved.
///
/// # Errors
///
/// Returns an error if they cannot be predicted, or if the table cannot be written.
fn predict_valid(
    experiment: &Experiment,
    run: &Path,
    data: &[PathBuf],
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<()> {
    let prepared = run_dir::data_set(run, experiment, data)?;
    let request = PredictRequest {
        model: run,
        inputs: std::slice::from_ref(&prepared),
        split: Some(Split::Valid),
        batch: experiment.micro_batch_size(),
        engine: EngineChoice::Burn,
        precision: Precision::F32,
        onnx: None,
        operating_point: OperatingRule::Youden,
        calibration: None,
        gate: Gate::Off,
        privacy: &Privacy::Named,
        shard: Shard::WHOLE,
    };
    let table = predict::table(&request, device, listener)?;
    let out = valid_scores(run);
    roentgen_files::create_folder_of(&out)?;
    Ok(table.scores.write(&out)?)
}

/// Returns the score table of a run's validation films. The films are predicted again if the table is
/// missing, is of other weights (such as those before the run was lengthened), or is of other films.
///
/// # Errors
///
/// Returns an error if the films cannot be predicted, if the table cannot be written or read, or if
/// another process changes the files of the run meanwhile.
pub fn own_scores(
    experiment: &Experiment,
    run: &Path,
    data: &[PathBuf],
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Scores> {
    // A run that is only read may be read-only, so it is not locked.
    if let Ok(scores) = there(experiment, run)? {
        return Ok(scores);
    }
    let _lock = run_dir::lock(run)?;
    scores_of_locked(experiment, run, data, device, listener)
}

/// Returns the score table of a run's validation films as [`own_scores`] does; the caller has locked
/// the run.
pub(crate) fn scores_of_locked(
    experiment: &Experiment,
    run: &Path,
    data: &[PathBuf],
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Scores> {
    let because = match there(experiment, run)? {
        Ok(scores) => return Ok(scores),
        Err(because) => because,
    };
    listener.note(&format!("{}: predicting the validation films{because}", run.display()));
    predict_valid(experiment, run, data, device, listener)?;
    Ok(Scores::read(valid_scores(run))?)
}

/// Returns the table of validation films that is there, or why it cannot be used.
fn there(experiment: &Experiment, run: &Path) -> anyhow::Result<Result<Scores, String>> {
    let table = valid_scores(run);
    let Ok(scores) = Scores::read(&table) else { return Ok(Err(String::new())) };
    Ok(match difference(&scores, run, experiment)? {
        None => Ok(scores),
        Some(difference) => Err(format!(", because `{}` {difference}", table.display())),
    })
}

/// Returns the path of the score table of validation films in the run at `run`.
pub fn valid_scores(run: &Path) -> PathBuf {
    run.join(SCORES)
}

/// Says in what a table is not that of the validation films of a run; `None` if it is.
fn difference(
    scores: &Scores,
    run: &Path,
    experiment: &Experiment,
) -> anyhow::Result<Option<String>> {
    let identity = model_dir::identity(run)?;
    match scores.model().map(|model| model.to_string()) {
        Some(model) if model == identity => {}
        Some(model) => return Ok(Some(format!("was predicted by the model {model}"))),
        None => return Ok(Some("does not say which model predicted it".to_owned())),
    }
    let name = experiment.selection().name(Split::Valid);
    if scores.split().as_ref() != Some(&name) {
        let split = scores.split().unwrap_or_else(|| "unknown".to_owned());
        return Ok(Some(format!("has films of another split ({split})")));
    }
    // A run of which only the model is left does not say which films those were.
    let Some(rows) = films::read(run)? else { return Ok(None) };
    let valid: HashMap<&str, &str> = rows
        .iter()
        .filter(|row| row.split == Split::Valid.name())
        .map(|row| (row.image.as_str(), row.patient.as_str()))
        .collect();
    let mut films = scores.images().iter().zip(scores.patients());
    let are_same = scores.len() == valid.len()
        && films.all(|(image, patient)| valid.get(image.as_str()) == Some(&patient.as_str()));
    Ok((!are_same).then(|| "has other films than the validation films of the run".to_owned()))
}

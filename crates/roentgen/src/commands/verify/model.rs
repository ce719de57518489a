//! Verifies a model directory.

use std::path::Path;

use roentgen_models::{ModelInfo, model_dir};
use roentgen_train::films::TrainingFilms;
use serde_json::json;

use super::Report;

/// Compares the weights and the table of films of the model in `folder` with its description.
pub(super) fn report(folder: &Path) -> anyhow::Result<Report> {
    let description = ModelInfo::read(folder)?;
    let identity = model_dir::identity(folder)?;
    let training = TrainingFilms::read(folder, &description)?;
    let known = |is_known| if is_known { "matches" } else { "unknown: no hash was recorded" };
    let weights = known(description.weights_sha256.is_some());
    let is_sealed = !model_dir::unrecorded(folder)?.contains(&model_dir::DESCRIPTION);
    let own = if is_sealed { "matches" } else { "unknown: it has no seal" };
    let is_lost = training.is_none() && description.films_sha256.is_some();
    let films = match &training {
        None if is_lost => "missing: it is unknown which patients were in training",
        None => "none: it is unknown which patients were in training",
        Some(_) => known(description.films_sha256.is_some()),
    };
    let text =
        format!("model {identity}\nmodel.toml: {own}\nmodel.bpk: {weights}\nfilms.csv: {films}");
    let json = json!({
        "kind": "model",
        "is_sound": !is_lost,
        "identity": identity,
        "description": own,
        "weights": weights,
        "films": films,
    });
    Ok(Report { text, json, is_sound: !is_lost })
}

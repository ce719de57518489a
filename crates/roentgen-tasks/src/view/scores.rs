//! The score table of films that are shown: the one that is given, that of the run, or a new one.
//!
//! A score of another model or of another film would look like a mistake of this model, so a table is
//! taken only if model, data set and all films are the same.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::bail;
use burn::tensor::Device;
use roentgen_eval::Scores;
use roentgen_models::ModelInfo;

use super::ViewRequest;
use crate::batch::check_batch;
use crate::engine::Engine;
use crate::listener::Listener;
use crate::predict::{Predicted, predict};
use crate::shard::Shard;
use crate::sources::Sources;

/// The folder of score tables in a run.
const SCORES: &str = "scores";

/// Scores, and the file that has them; `None` if they are new.
pub(super) struct Table {
    pub(super) scores: Scores,
    pub(super) path: Option<PathBuf>,
}

/// Returns the scores of films by the model with this description and identity, and the films.
///
/// # Errors
///
/// Returns an error if the given table is of another model or of other films, or if the films cannot
/// be predicted.
pub(super) fn of(
    request: &ViewRequest<'_>,
    (description, model): (&ModelInfo, &str),
    sources: Sources,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<(Sources, Table)> {
    if let Some(path) = request.scores {
        let scores = Scores::read(path)?;
        if let Some(difference) = difference(&scores, (description, model), &sources) {
            bail!(
                "`{}` {difference}; give a score table that this model predicted of these films, or \
                 leave `--scores` out",
                path.display()
            );
        }
        return Ok((sources, Table { scores, path: Some(path.to_owned()) }));
    }
    let own = own_table(request);
    if let Some(path) = own.filter(|path| path.is_file()) {
        let scores = Scores::read(&path).map_err(|error| error.to_string());
        let found =
            scores.and_then(|scores| match difference(&scores, (description, model), &sources) {
                Some(difference) => Err(format!("`{}` {difference}", path.display())),
                None => Ok(scores),
            });
        match found {
            Ok(scores) => return Ok((sources, Table { scores, path: Some(path) })),
            Err(because) => listener.note(&format!("predicting the films, because {because}")),
        }
    }
    predicted(request, (description, model), sources, device, listener)
}

/// Returns where a run has the score table of a split.
fn own_table(request: &ViewRequest<'_>) -> Option<PathBuf> {
    let split = request.split?;
    Some(request.model.join(SCORES).join(format!("{}.csv", split.name())))
}

fn predicted(
    request: &ViewRequest<'_>,
    (description, model): (&ModelInfo, &str),
    sources: Sources,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<(Sources, Table)> {
    let films = sources.films.len();
    check_batch(description, request.batch, films, device)?;
    let mut engine = Engine::load(request.model, request.engine, films, true, device, listener)?;
    let predicted = predict(&mut engine, sources, request.batch, Shard::WHOLE, listener)?;
    if let Some(bad) = predicted.bad.first() {
        bail!("the film `{}` of the data set cannot be read: {}", bad.image, bad.reason);
    }
    let scores = predicted.scores(description, engine.identity())?;
    let Predicted { sources, .. } = predicted;
    if let Some(difference) = difference(&scores, (description, model), &sources) {
        bail!("the prediction {difference}; the files of the model were changed meanwhile");
    }
    Ok((sources, Table { scores, path: None }))
}

/// Says in what a table is not one of these films by this model; `None` if it is.
fn difference(
    scores: &Scores,
    (description, model): (&ModelInfo, &str),
    sources: &Sources,
) -> Option<String> {
    match scores.model().map(|of| of.to_string()) {
        Some(of) if of == model => {}
        Some(of) => return Some(format!("was predicted by the model {of}, and this is {model}")),
        None => return Some("does not say which model predicted it".to_owned()),
    }
    let own = sources.films.first().map(|film| film.dataset_id.as_str()).unwrap_or_default();
    match scores.dataset_id().map(|of| of.to_string()) {
        Some(of) if of == own => {}
        Some(of) => return Some(format!("is of the data set {of}, but this is {own}")),
        None => return Some("does not say of which data set its films are".to_owned()),
    }
    let mut findings = description.findings.iter();
    if let Some(missing) = findings.find(|finding| scores.finding(finding.name()).is_none()) {
        return Some(format!("has no probabilities of `{missing}`"));
    }
    let patients: HashMap<&str, &str> = scores
        .images()
        .iter()
        .zip(scores.patients())
        .map(|(image, patient)| (image.as_str(), patient.as_str()))
        .collect();
    let is_there = |film: &crate::sources::SourceFilm| {
        patients.get(film.image.as_str()) == Some(&film.patient.as_str())
    };
    match sources.films.iter().find(|film| !is_there(film)) {
        Some(film) => Some(format!("has no row of the film `{}` and its patient", film.image)),
        None if patients.len() != sources.films.len() => Some(format!(
            "has {} films, but the data set has {} in this split",
            patients.len(),
            sources.films.len()
        )),
        None => None,
    }
}

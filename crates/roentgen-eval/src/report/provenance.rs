//! What a report is about: the model, the films and the labels that its figures rest on.
//!
//! A score table knows only part of it. The caller adds what else is known, and the report says that
//! the rest is unknown, so that nothing is left out silently.

use serde::Serialize;

use super::Report;
use crate::format::{PROGRAM, count};

/// Where figures come from; `None` is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Name or folder of the model. If the score table names a model, the caller compares the
    /// two.
    pub model: Option<String>,
    /// Its architecture, such as `densenet121`.
    pub architecture: Option<String>,
    /// Height and width of its input, in pixels.
    pub size: Option<usize>,
    /// The epoch of its weights, from 1.
    pub epoch: Option<usize>,
    /// The weights that its training began with, such as `random` or a file.
    pub initial_weights: Option<String>,
    /// The data set that it was trained on, such as `NIH ChestX-ray14`.
    pub training_dataset: Option<String>,
    /// The seed of its training.
    pub seed: Option<u64>,
    /// The experiment that defined its training: its file and SHA-256.
    pub experiment: Option<String>,
    /// The file of the labels.
    pub label_file: Option<String>,
    /// Number of films of the data set that equal a film of another patient or official list.
    pub duplicates: Option<usize>,
    /// Number of films of the data set that are nearly equal to such a film.
    pub near_duplicates: Option<usize>,
    /// The file of the score table.
    pub score_table: Option<String>,
    /// The day of the report, such as `2026-11-27`.
    pub date: Option<String>,
}

/// A line of the block at the top of the report.
#[derive(Debug, Serialize)]
pub(super) struct ProvenanceRow {
    what: &'static str,
    value: Option<String>,
}

/// Returns all lines, known or not.
pub(super) fn lines(report: &Report) -> Vec<ProvenanceRow> {
    let (of, evaluation) = (&report.provenance, report.evaluation);
    let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    let line = |what, value| ProvenanceRow { what, value };
    vec![
        line("Model", text(&of.model)),
        line("Model identity", evaluation.model.as_ref().map(ToString::to_string)),
        line("Architecture", text(&of.architecture)),
        line("Input size", of.size.map(|size| format!("{size} px"))),
        line("Epoch", of.epoch.map(|epoch| epoch.to_string())),
        line("Initial weights", text(&of.initial_weights)),
        line("Data set of training", text(&of.training_dataset)),
        line("Seed of training", of.seed.map(|seed| seed.to_string())),
        line("Experiment", text(&of.experiment)),
        line("Data set", evaluation.dataset.clone()),
        line("Data set identity", evaluation.dataset_id.as_ref().map(ToString::to_string)),
        line("Split", evaluation.split.clone()),
        line("Label file", text(&of.label_file)),
        line("Films like one of another patient or list", duplicates(of)),
        line("Score table", text(&of.score_table)),
        line("Date", text(&of.date)),
        line("Program", Some(PROGRAM.to_owned())),
    ]
}

/// Counts the films of the data set that are like others.
fn duplicates(of: &Provenance) -> Option<String> {
    let (same, near) = (of.duplicates?, of.near_duplicates?);
    Some(match (same, near) {
        (0, 0) => "none".to_owned(),
        _ => format!("{} equal, {} nearly equal", count(same), count(near)),
    })
}

/// Returns the title of a report: which model, on which films.
pub(super) fn title(report: &Report) -> String {
    let evaluation = report.evaluation;
    format!(
        "{} on {}, {}",
        name_model(report),
        evaluation.dataset.as_deref().unwrap_or("an unknown data set"),
        evaluation.split.as_deref().unwrap_or("unknown split")
    )
}

/// Names the model by what is known of it.
pub(super) fn name_model(report: &Report) -> String {
    let (of, evaluation) = (&report.provenance, report.evaluation);
    let identity = evaluation.model.as_ref().map(|identity| format!("model {identity}"));
    let who = match (&of.model, &of.architecture) {
        (Some(model), Some(architecture)) => Some(format!("{model} ({architecture})")),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    let who = who.or(identity).or_else(|| of.score_table.clone());
    who.unwrap_or_else(|| "Unknown model".to_owned())
}

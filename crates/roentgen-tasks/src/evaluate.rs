//! Evaluates score tables, and writes their reports with films and provenance.

mod cards;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::bail;
use roentgen_data::metadata::Version;
use roentgen_data::prepare;
use roentgen_eval::report::{self, Provenance, Report};
use roentgen_eval::{
    Evaluation, Given, Identity, Options, Scores, WithIsotonic, calibrate, check_members,
    evaluate_with,
};
use roentgen_models::{Description, model_dir};
use serde_json::Value;

use self::cards::{Sources, cards};
use crate::listener::Listener;

/// A score table to evaluate.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The table.
    pub scores: &'a Scores,
    /// Its file.
    pub path: &'a Path,
    /// The directory of the model that predicted it.
    pub model: Option<&'a Path>,
    /// A table of validation films to fit calibration and thresholds to; by default those of the
    /// model are used.
    pub fit: Option<&'a Scores>,
    /// The prevalence of findings where the model would be used, by name.
    pub prevalence: BTreeMap<String, f64>,
    /// Today's date, for the report.
    pub date: Option<String>,
}

/// Evaluates one table and writes the report into a folder.
///
/// # Errors
///
/// Returns an error if the table contains films of training, if `model` did not predict it, or if
/// the report cannot be written.
pub fn write_report(
    request: &Request<'_>,
    options: &Options,
    folder: &Path,
    listener: &dyn Listener,
) -> anyhow::Result<Written> {
    let Request { scores, path, model, fit, ref prevalence, ref date } = *request;
    let of_model = model.map(|model| provenance(scores, path, model, listener)).transpose()?;
    let fitted = match (fit, model) {
        (Some(valid), _) => {
            let (valid, of) = (slice::from_ref(valid), slice::from_ref(scores));
            for unchecked in check_members(valid, of)? {
                listener.note(&format!("note: {unchecked}"));
            }
            Some(calibrate(&valid[0], WithIsotonic::Yes)?)
        }
        (None, Some(model)) => Description::read(model)?.calibration,
        (None, None) => None,
    };
    let given = Given { calibration: fitted.as_ref(), prevalence: prevalence.clone() };
    let evaluation = evaluate_with(scores, options, &given)?;
    let sources = Sources::open(scores, listener);
    let (films, notes) = cards(scores, &sources);
    notes.iter().for_each(|line| listener.note(&format!("note: {line}")));
    let of_data = sources.description();
    let provenance = Provenance {
        label_file: of_data.map(label_file),
        duplicates: of_data.and_then(|data| data.duplicates),
        near_duplicates: of_data.and_then(|data| data.near_duplicates),
        score_table: Some(path.display().to_string()),
        date: date.clone(),
        ..of_model.unwrap_or_default()
    };
    let report = Report { provenance, evaluation: &evaluation, scores, films, notes };
    report::write(folder, &report)?;
    let metrics = serde_json::from_str(&report::metrics(&report)?)?;
    Ok(Written { page: folder.join("report.html"), metrics, evaluation })
}

/// Names the label file of a prepared data set, with the version if it is a known one.
fn label_file(of: &prepare::Description) -> String {
    if of.label_version == Version::Other.text() {
        of.labels.clone()
    } else {
        format!("{}: {}", of.labels, of.label_version)
    }
}

/// A report that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The figures.
    pub evaluation: Evaluation,
    /// The content of `metrics.json`.
    pub metrics: Value,
    /// The path of the page.
    pub page: PathBuf,
}

/// Returns what is known of the model that predicted a table.
fn provenance(
    scores: &Scores,
    path: &Path,
    model: &Path,
    listener: &dyn Listener,
) -> anyhow::Result<Provenance> {
    let description = Description::read(model)?;
    let identity = model_dir::identity(model)?;
    match scores.model() {
        Some(Identity::One(of_table)) if of_table == identity => {}
        Some(of_table) => bail!(
            "`{}` was predicted by the model {of_table}, but `{}` is the model {identity}; give \
             the directory of the model that predicted it, or leave `--model` out",
            path.display(),
            model.display()
        ),
        None => listener.note(&format!(
            "warning: `{}` does not say which model predicted it, so it is unknown whether that \
             is `{}`",
            path.display(),
            model.display()
        )),
    }
    let training = description.training.as_ref();
    let weights = training.and_then(|training| training.weights.clone());
    Ok(Provenance {
        model: Some(model.display().to_string()),
        architecture: Some(description.network.architecture.name().to_owned()),
        size: Some(description.input.size),
        epoch: training.map(|training| training.epoch),
        initial_weights: match (training, description.imported) {
            (Some(_), _) => Some(weights.unwrap_or_else(|| "random".to_owned())),
            (None, imported) => imported,
        },
        ..Provenance::default()
    })
}

//! Evaluates score tables, and writes their reports with films and provenance.

mod cards;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::{Context as _, bail};
use roentgen_data::lock::FolderLock;
use roentgen_data::metadata::Version;
use roentgen_data::prepare;
use roentgen_data::split::Split;
use roentgen_eval::localization::Localization;
use roentgen_eval::protocols::{Protocols, protocols};
use roentgen_eval::report::{self, Compared, Provenance, Report};
use roentgen_eval::{
    BootstrapOptions, Evaluation, FittedFilms, Given, Identity, Scores, WithIsotonic, calibrate,
    check_members, evaluate_with,
};
use roentgen_models::{ModelInfo, model_dir};
use roentgen_train::films::{FILMS, TrainingFilms};
use roentgen_train::run_dir;
use serde_json::Value;

use self::cards::{Sources, collect_cards};
use crate::listener::Listener;

/// The table that a report has only if it was asked for.
const PROTOCOLS: &str = "protocols.csv";

/// A score table to evaluate.
#[derive(Clone, Debug)]
pub struct EvaluateRequest<'a> {
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
    /// Another table, with its file, to compare the figures with.
    pub against: Option<(&'a Scores, &'a Path)>,
    /// Whether the figures are also computed by the study's protocol.
    pub by_protocols: bool,
    /// `localization.json` of the same model, for the report.
    pub localization: Option<&'a Path>,
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
    request: &EvaluateRequest<'_>,
    options: &BootstrapOptions,
    folder: &Path,
    listener: &dyn Listener,
) -> anyhow::Result<WrittenReport> {
    let EvaluateRequest { scores, path, model, fit, against, localization, .. } = *request;
    let of_model = model.map(|model| provenance(scores, path, model, listener)).transpose()?;
    let fitted = match (fit, model) {
        (Some(valid), _) => {
            if let (Some(fitted), Some(own)) = (valid.model(), scores.model())
                && fitted != own
            {
                bail!(
                    "`{}` was predicted by the model {fitted}, but `{}` by the model {own}; fit to \
                     validation films of the same model",
                    valid.origin().display(),
                    path.display()
                );
            }
            let (valid, of) = (slice::from_ref(valid), slice::from_ref(scores));
            for unchecked in check_members(valid, of)? {
                listener.note(&format!("note: {unchecked}"));
            }
            Some(calibrate(&valid[0], WithIsotonic::Yes)?)
        }
        (None, Some(model)) => ModelInfo::read(model)?.calibration,
        (None, None) => None,
    };
    let fitted_films = match (fit, model) {
        (None, Some(model)) if fitted.is_some() => fitted_films(model, listener)?,
        _ => None,
    };
    let given = Given {
        calibration: fitted.as_ref(),
        fitted_films: fitted_films.as_ref(),
        prevalence: request.prevalence.clone(),
    };
    let evaluation = evaluate_with(scores, options, &given)?;
    let localization = localization.map(|file| localized(scores, path, file)).transpose()?;
    let name = path.display().to_string();
    let compare = |(other, path): (&Scores, &Path)| {
        Compared::of((&name, scores), (&path.display().to_string(), other), options)
    };
    let compared = against.map(compare).transpose()?;
    let protocols = request.by_protocols.then(|| protocols(scores, options)).transpose()?;
    let sources = Sources::open(scores, listener);
    let (films, notes) = collect_cards(scores, &sources);
    notes.iter().for_each(|line| listener.note(&format!("note: {line}")));
    let of_data = sources.description();
    let provenance = Provenance {
        label_file: of_data.map(label_file),
        duplicates: of_data.and_then(|data| data.duplicates),
        near_duplicates: of_data.and_then(|data| data.near_duplicates),
        score_table: Some(name),
        date: request.date.clone(),
        ..of_model.unwrap_or_default()
    };
    let report = Report {
        provenance,
        evaluation: &evaluation,
        scores,
        films,
        localization,
        notes,
        compared,
        protocols,
    };
    let _lock = FolderLock::take_for_report(folder)?;
    if report.protocols.is_none() {
        remove_stale(&folder.join(PROTOCOLS))?;
    }
    report::write(folder, &report)?;
    let metrics = serde_json::from_str(&report::metrics(&report)?)?;
    let Report { compared, protocols, .. } = report;
    Ok(WrittenReport { page: folder.join("report.html"), metrics, compared, protocols, evaluation })
}

/// Returns the validation films of a run, which `train` and `calibrate` fit to; `None` if the model
/// has no table of its films.
fn fitted_films(model: &Path, listener: &dyn Listener) -> anyhow::Result<Option<FittedFilms>> {
    let description = ModelInfo::read(model)?;
    let Some(films) = TrainingFilms::read(model, &description)? else {
        listener.note(&format!(
            "warning: `{}` is missing, so it is unknown whether thresholds and calibration were \
             fitted on films of this table",
            model.join(FILMS).display()
        ));
        return Ok(None);
    };
    let dataset = description.training.map_or_else(String::new, |of| of.dataset.to_string());
    let valid = films.of(Split::Valid).map(|film| (film.image.clone(), film.patient.clone()));
    Ok(Some(FittedFilms::new(dataset, valid)))
}

/// Removes a table that an earlier report left in the folder and that this one does not have.
///
/// # Errors
///
/// Returns an error if it is there and cannot be removed.
pub fn remove_stale(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let text =
                format!("could not remove `{}`, which is of an earlier report", path.display());
            Err(error).context(text)
        }
        _ => Ok(()),
    }
}

/// Names the label file of a prepared data set, with the version if it is a known one.
fn label_file(of: &prepare::PreparedInfo) -> String {
    if of.label_version == Version::Other.text() {
        of.labels.clone()
    } else {
        format!("{}: {}", of.labels, of.label_version)
    }
}

/// A report that was written.
#[derive(Clone, Debug)]
pub struct WrittenReport {
    /// The figures.
    pub evaluation: Evaluation,
    /// The content of `metrics.json`.
    pub metrics: Value,
    /// The difference from the other table.
    pub compared: Option<Compared>,
    /// The figures by the study's and the official protocol.
    pub protocols: Option<Protocols>,
    /// The path of the page.
    pub page: PathBuf,
}

/// Reads a localization and checks that it is of the model that predicted a table.
fn localized(scores: &Scores, path: &Path, file: &Path) -> anyhow::Result<Localization> {
    let localization = Localization::read(file)?;
    let found = &localization.about.model;
    match scores.model() {
        Some(Identity::One(of_table)) if of_table == *found => Ok(localization),
        of_table => bail!(
            "`{}` was predicted by {}, but `{}` is of the model {found}; give the localization of \
             the same model, or leave `--localization` out",
            path.display(),
            of_table.map_or("an unknown model".to_owned(), |model| format!("the model {model}")),
            file.display()
        ),
    }
}

/// Returns what is known of the model that predicted a table.
fn provenance(
    scores: &Scores,
    path: &Path,
    model: &Path,
    listener: &dyn Listener,
) -> anyhow::Result<Provenance> {
    let description = ModelInfo::read(model)?;
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
        training_dataset: training.map(|training| training.dataset.to_string()),
        seed: training.map(|training| training.seed),
        experiment: experiment(model),
        initial_weights: match (training, description.imported) {
            (Some(_), _) => Some(weights.unwrap_or_else(|| "random".to_owned())),
            (None, imported) => imported,
        },
        ..Provenance::default()
    })
}

/// Names the experiment of a run by its file and SHA-256; `None` if the model has none.
fn experiment(model: &Path) -> Option<String> {
    let bytes = model_dir::read_part(model, run_dir::EXPERIMENT, u64::MAX).ok()?;
    let hash = model_dir::sha256(&bytes);
    Some(format!("{}, SHA-256 {hash:.12}", run_dir::EXPERIMENT))
}

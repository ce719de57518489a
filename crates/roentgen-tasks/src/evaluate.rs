//! Evaluates score tables, and writes their reports with films and provenance.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::slice;

use anyhow::bail;
use roentgen_data::boxes::FindingBox;
use roentgen_data::metadata::Version;
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_data::prepare::{self, Prepared};
use roentgen_eval::localization::Localization;
use roentgen_eval::report::{self, FilmBox, FilmCard, Provenance, Report};
use roentgen_eval::{
    BootstrapOptions, Evaluation, Given, Identity, Scores, WithIsotonic, calibrate, check_members,
    evaluate_with,
};
use roentgen_models::{ModelInfo, model_dir};
use serde_json::Value;

use crate::listener::Listener;

/// Number of films to show of each kind: true positive, false positive, false negative.
const CARDS: usize = 6;
/// Height and width of films from files in the report, in pixels.
const CARD_SIZE: u32 = 256;

/// Height and width of the frame of boxes, in pixels.
const FRAME: f64 = 1024.0;

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
    let EvaluateRequest { scores, path, model, fit, ref prevalence, localization, ref date } =
        *request;
    let of_model = model.map(|model| provenance(scores, path, model, listener)).transpose()?;
    let fitted = match (fit, model) {
        (Some(valid), _) => {
            let (valid, of) = (slice::from_ref(valid), slice::from_ref(scores));
            for unchecked in check_members(valid, of)? {
                listener.note(&format!("note: {unchecked}"));
            }
            Some(calibrate(&valid[0], WithIsotonic::Yes)?)
        }
        (None, Some(model)) => ModelInfo::read(model)?.calibration,
        (None, None) => None,
    };
    let given = Given { calibration: fitted.as_ref(), prevalence: prevalence.clone() };
    let evaluation = evaluate_with(scores, options, &given)?;
    let localization = localization.map(|file| localized(scores, path, file)).transpose()?;
    let mut sources = Opened::new();
    let (films, notes) = collect_cards(scores, &mut sources, listener);
    let mut all = sources.values().flatten().map(|source| &source.prepared.description);
    // With several data sets, no line would be true of all films. The folder may have others now.
    let is_same = |now: &&prepare::PreparedInfo| match scores.dataset_id() {
        Some(Identity::One(identity)) => now.fingerprint.starts_with(&identity),
        Some(_) => false,
        None => true,
    };
    let of_films = all.next().filter(|_| all.next().is_none()).filter(is_same);
    let provenance = Provenance {
        label_file: of_films.map(label_file),
        duplicates: of_films.and_then(|description| description.duplicates),
        near_duplicates: of_films.and_then(|description| description.near_duplicates),
        score_table: Some(path.display().to_string()),
        date: date.clone(),
        ..of_model.unwrap_or_default()
    };
    let report = Report { provenance, evaluation: &evaluation, scores, films, localization, notes };
    report::write(folder, &report)?;
    let metrics = serde_json::from_str(&report::metrics(&report)?)?;
    Ok(WrittenReport { page: folder.join("report.html"), metrics, evaluation })
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

/// A prepared data set that films come from.
struct Source {
    prepared: Prepared,
    boxes: Vec<FindingBox>,
}

/// The data sets that films come from, by path; `None` for one that cannot be opened.
type Opened = HashMap<String, Option<Source>>;

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
        initial_weights: match (training, description.imported) {
            (Some(_), _) => Some(weights.unwrap_or_else(|| "random".to_owned())),
            (None, imported) => imported,
        },
        ..Provenance::default()
    })
}

/// Collects the films of high confidence whose pixels can be found.
fn collect_cards(
    scores: &Scores,
    opened: &mut Opened,
    listener: &dyn Listener,
) -> (Vec<FilmCard>, Vec<String>) {
    let Some(sources) = scores.column("source") else {
        return (Vec::new(), vec!["The score table does not say where the films are.".to_owned()]);
    };
    let choices = report::confident_films(scores, CARDS);
    let chosen = choices.len();
    let cards: Vec<FilmCard> = choices
        .into_iter()
        .filter_map(|choice| {
            let row = choice.row;
            let (plane, boxes) = film(&sources[row], &choice.image, opened, listener)?;
            let cell = |name: &str| scores.column(name).map_or("", |column| column[row].as_str());
            let text = [cell("view"), cell("sex"), cell("age")];
            let text = text.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
            let text = text.join(", ");
            Some(FilmCard { choice, png: pixels::to_png(&plane), boxes, text })
        })
        .collect();
    let mut notes = Vec::new();
    if cards.len() < chosen {
        let missing = chosen - cards.len();
        notes.push(format!(
            "{missing} films of high confidence are not shown, because their files are not where \
             the score table says."
        ));
    }
    (cards, notes)
}

/// Finds the pixels and the boxes of a film.
fn film(
    source: &str,
    image: &str,
    opened: &mut Opened,
    listener: &dyn Listener,
) -> Option<(Plane, Vec<FilmBox>)> {
    let path = Path::new(source);
    if path.is_file() {
        let plane = pixels::read(path).ok()?;
        return Some((pixels::resize(plane, CARD_SIZE, Filter::Lanczos3).ok()?, Vec::new()));
    }
    let source = opened.entry(source.to_owned()).or_insert_with(|| {
        if !Prepared::is_prepared(path) {
            return None;
        }
        let prepared = Prepared::open(path)
            .inspect_err(|error| {
                listener.note(&format!("warning: the report shows no films: {error:#}"));
            })
            .ok()?;
        let boxes = prepared
            .boxes()
            .inspect_err(|error| listener.note(&format!("warning: there are no boxes: {error:#}")))
            .unwrap_or_default();
        Some(Source { prepared, boxes })
    });
    let Source { prepared, boxes } = source.as_ref()?;
    let row = prepared.rows.iter().position(|row| row.image == image)?;
    let size = prepared.store.size() as u32;
    let plane = Plane { width: size, height: size, pixels: prepared.store.plane(row).ok()? };
    let own = boxes.iter().filter(|of| of.image == image);
    Some((plane, own.map(shares).collect()))
}

/// Converts a box to shares of the film.
fn shares(of: &FindingBox) -> FilmBox {
    FilmBox {
        finding: of.finding.name().to_owned(),
        corner: [of.x / FRAME, of.y / FRAME],
        size: [of.height / FRAME, of.width / FRAME],
    }
}

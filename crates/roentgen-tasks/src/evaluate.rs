//! Evaluates score tables, and writes their reports with films and provenance.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::bail;
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_data::prepare::Prepared;
use roentgen_eval::report::{self, FilmCard, Provenance, Report};
use roentgen_eval::{
    Evaluation, Given, Identity, Options, Scores, WithIsotonic, calibrate, evaluate_with,
    refuse_shared_films,
};
use roentgen_models::{Description, model_dir};

use crate::listener::Listener;

/// Number of films to show of each kind: true positive, false positive, false negative.
const CARDS: usize = 6;
/// Height and width of films from files in the report, in pixels.
const CARD_SIZE: u32 = 256;

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

/// Evaluates one table, writes the report into a folder and returns the path of the page.
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
) -> anyhow::Result<(Evaluation, PathBuf)> {
    let Request { scores, path, model, fit, ref prevalence, ref date } = *request;
    let fitted = match (fit, model) {
        (Some(valid), _) => {
            refuse_shared_films(std::slice::from_ref(valid), std::slice::from_ref(scores))?;
            Some(calibrate(valid, WithIsotonic::Yes)?)
        }
        (None, Some(model)) => Description::read(model)?.calibration,
        (None, None) => None,
    };
    let given = Given { calibration: fitted.as_ref(), prevalence: prevalence.clone() };
    let evaluation = evaluate_with(scores, options, &given)?;
    let (films, notes) = cards(scores, listener);
    let of_model = model.map(|model| provenance(scores, path, model, listener)).transpose()?;
    let provenance = Provenance {
        score_table: Some(path.display().to_string()),
        date: date.clone(),
        ..of_model.unwrap_or_default()
    };
    let report = Report { provenance, evaluation: &evaluation, scores, films, notes };
    report::write(folder, &report)?;
    Ok((evaluation, folder.join("report.html")))
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

/// Collects the films of high confidence whose pixels can be found.
fn cards(scores: &Scores, listener: &dyn Listener) -> (Vec<FilmCard>, Vec<String>) {
    let Some(sources) = scores.column("source") else {
        return (Vec::new(), vec!["The score table does not say where the films are.".to_owned()]);
    };
    let mut prepared: HashMap<String, Option<Prepared>> = HashMap::new();
    let choices = report::confident_films(scores, CARDS);
    let chosen = choices.len();
    let cards: Vec<FilmCard> = choices
        .into_iter()
        .filter_map(|choice| {
            let row = choice.row;
            let plane = film(&sources[row], &choice.image, &mut prepared, listener)?;
            let cell = |name: &str| scores.column(name).map_or("", |column| column[row].as_str());
            let text = [cell("view"), cell("sex"), cell("age")];
            let text = text.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
            let text = text.join(", ");
            Some(FilmCard { choice, png: pixels::to_png(&plane), boxes: Vec::new(), text })
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

fn film(
    source: &str,
    image: &str,
    prepared: &mut HashMap<String, Option<Prepared>>,
    listener: &dyn Listener,
) -> Option<Plane> {
    let path = Path::new(source);
    if path.is_file() {
        let plane = pixels::read(path).ok()?;
        return pixels::resize(plane, CARD_SIZE, Filter::Lanczos3).ok();
    }
    let prepared = prepared.entry(source.to_owned()).or_insert_with(|| {
        let opened = Prepared::is_in(path).then(|| Prepared::open(path));
        opened.transpose().unwrap_or_else(|error| {
            listener.note(&format!("warning: the report shows no films: {error:#}"));
            None
        })
    });
    let prepared = prepared.as_ref()?;
    let row = prepared.rows.iter().position(|row| row.image == image)?;
    let size = prepared.store.size() as u32;
    Some(Plane { width: size, height: size, pixels: prepared.store.plane(row).ok()? })
}

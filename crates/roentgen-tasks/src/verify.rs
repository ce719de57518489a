//! Compares a score table with the model and the data set that it names.
//!
//! A table is a text that anyone can edit, and it has no hash. So it is verified row by row: patient,
//! labels, split and training mark of a film must be those of the data set and of the model's split.
//! The probabilities are those of `predict`, which makes them again; they are not verified.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use roentgen_data::FilmFindings;
use roentgen_data::manifest::ManifestRow;
use roentgen_data::prepare::{Prepared, PreparedInfo};
use roentgen_eval::{Identity, Scores, TrainingMarks, refuse_training};
use roentgen_models::ModelInfo;
use serde::Serialize;

use crate::listener::Listener;
use crate::sources::{self, Privacy, Sources, identity_of, identity_of_info};

/// The most problems of rows that are listed.
const LISTED: usize = 10;

/// The models and data sets with which a score table is compared.
#[derive(Clone, Debug, Default)]
pub struct KnownFolders {
    /// Directories of models, with their identities.
    pub models: Vec<(PathBuf, String)>,
    /// Folders of prepared data sets; those that the table names are looked for too.
    pub data: Vec<PathBuf>,
}

/// What was found out about a score table.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// Number of films.
    pub films: usize,
    /// Number of findings.
    pub findings: usize,
    /// Identity of the model, if the table says it.
    pub model: Option<Identity>,
    /// Identity of the data set, if the table says it.
    pub dataset_id: Option<Identity>,
    /// Its split, if the table says it.
    pub split: Option<String>,
    /// What its rows say of training patients; `None` if it is refused for them.
    pub training: Option<TrainingMarks>,
    /// Why `evaluate` refuses it, if it has films of training.
    pub refusal: Option<String>,
    /// Number of films that were compared with a data set.
    pub compared: usize,
    /// Number of films whose split was compared with that of the model.
    pub compared_split: usize,
    /// What is wrong, each a sentence.
    pub problems: Vec<String>,
}

/// Verifies the score table at `path`.
///
/// # Errors
///
/// Returns an error if the table, or a data set or model that it rests on, cannot be read.
pub fn table(
    path: &Path,
    known: &KnownFolders,
    listener: &dyn Listener,
) -> anyhow::Result<Verified> {
    let scores = Scores::read(path)?;
    let mut problems = Vec::new();
    // A table of training films is one to look at, so that is not a problem of the table.
    let (training, refusal) = match refuse_training(&scores) {
        Ok(marks) => (Some(marks), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let model = model_of(&scores, known, &mut problems);
    problems.extend(other_data(&scores, known)?);
    let (mut compared, mut compared_split) = (0, 0);
    let mut found = Vec::new();
    for folder in folders(&scores, known) {
        let data = Data::open(&folder, model, listener)?;
        let rows = data.compare(&scores, &mut found);
        compared += rows;
        compared_split += if model.is_some() { rows } else { 0 };
    }
    let more = found.len().saturating_sub(LISTED);
    problems.extend(found.into_iter().take(LISTED));
    if more > 0 {
        problems.push(format!("{more} more cells differ"));
    }
    Ok(Verified {
        films: scores.len(),
        findings: scores.findings().len(),
        model: scores.model(),
        dataset_id: scores.dataset_id(),
        split: scores.split(),
        training,
        refusal,
        compared,
        compared_split,
        problems,
    })
}

/// Returns the one model that predicted the table, if it is known.
fn model_of<'a>(
    scores: &Scores,
    known: &'a KnownFolders,
    problems: &mut Vec<String>,
) -> Option<&'a Path> {
    let Some(Identity::One(of_table)) = scores.model() else { return None };
    let find = |one: &str| known.models.iter().find(|(_, identity)| identity == one);
    // An ensemble has the identities of its members.
    let missing: Vec<&str> = of_table.split('+').filter(|one| find(one).is_none()).collect();
    if !known.models.is_empty() && !missing.is_empty() {
        problems.push(format!(
            "it was predicted by the model {}, which is not one of those given",
            missing.join(" and ")
        ));
    }
    find(&of_table).map(|(folder, _)| folder.as_path())
}

/// Says which data sets of the table are none of those that were given. Without them its films would be
/// compared with nothing, or with what the table itself names.
fn other_data(scores: &Scores, known: &KnownFolders) -> anyhow::Result<Option<String>> {
    let mut given = BTreeSet::new();
    for folder in &known.data {
        given.insert(identity_of_info(&PreparedInfo::read(folder)?));
    }
    let cells = scores.column("dataset_id").unwrap_or_default().iter();
    let own: BTreeSet<&str> = cells.flat_map(|cell| cell.trim().split('+')).collect();
    let is_missing = |one: &&str| !one.is_empty() && !given.contains(*one);
    let missing: Vec<&str> = own.into_iter().filter(is_missing).collect();
    Ok((!given.is_empty() && !missing.is_empty()).then(|| {
        format!(
            "its films are of the data set {}, which is not one of those given",
            missing.join(" and ")
        )
    }))
}

/// Returns the folders of prepared data sets that the table names or the caller gives.
fn folders(scores: &Scores, known: &KnownFolders) -> BTreeSet<PathBuf> {
    let named = scores.column("source").unwrap_or_default().iter().collect::<BTreeSet<_>>();
    let named = named.into_iter().map(PathBuf::from).filter(|folder| Prepared::is_prepared(folder));
    named.chain(known.data.iter().cloned()).collect()
}

/// A data set that films of a table are from.
struct Data {
    films: HashMap<String, Film>,
    identity: String,
}

/// What a row must say.
struct Film {
    patient: String,
    shown: Option<FilmFindings>,
    /// The model's split of it; `None` if the model is not known.
    split: Option<String>,
    patient_in_training: Option<bool>,
}

impl Data {
    fn open(folder: &Path, model: Option<&Path>, listener: &dyn Listener) -> anyhow::Result<Self> {
        let Some(model) = model else {
            let hashed = |done, bytes| listener.hashed(done, bytes);
            let prepared = Prepared::open_with(folder, &hashed)?;
            let identity = identity_of(&prepared);
            let film = |row: &ManifestRow| Film {
                patient: row.patient.to_string(),
                shown: Some(row.findings),
                split: None,
                patient_in_training: None,
            };
            let films = prepared.rows.iter().map(|row| (row.image.clone(), film(row))).collect();
            return Ok(Self { films, identity });
        };
        let description = ModelInfo::read(model)?;
        let sources = Sources::open(
            model,
            &description,
            &[folder.to_owned()],
            None,
            &Privacy::Named,
            listener,
        )?;
        let film = |film: sources::SourceFilm| Film {
            patient: film.patient,
            shown: film.findings,
            split: Some(film.split),
            patient_in_training: film.patient_in_training,
        };
        let identity = sources.films[0].dataset_id.clone();
        let films = sources.films.into_iter().map(|of| (of.image.clone(), film(of))).collect();
        Ok(Self { films, identity })
    }

    /// Compares the rows of this data set, and returns their number.
    fn compare(&self, scores: &Scores, problems: &mut Vec<String>) -> usize {
        let ids = scores.column("dataset_id").unwrap_or_default();
        let is_of_this = |id: &String| id.trim().split('+').any(|part| part == self.identity);
        let rows: Vec<usize> = (0..ids.len()).filter(|&row| is_of_this(&ids[row])).collect();
        for &row in &rows {
            let image = &scores.images()[row];
            let Some(film) = self.films.get(image) else {
                problems.push(format!("`{image}` is not in the data set {}", self.identity));
                continue;
            };
            let number = |is: bool| if is { "1" } else { "0" };
            let mut differs = |what: &str, says: &str, is: &str| {
                if says != is {
                    let line = row + 2;
                    problems.push(format!(
                        "line {line}: `{what}` of `{image}` is `{says}`, but should be `{is}`"
                    ));
                }
            };
            differs("patient", &scores.patients()[row], &film.patient);
            for finding in scores.findings() {
                if let (Ok(name), Some(shown)) = (finding.name.parse(), film.shown) {
                    let column = format!("{}.truth", finding.name);
                    let says = finding.labels[row].map_or("", number);
                    differs(&column, says, number(shown.contains(name)));
                }
            }
            let cell = |name: &str| scores.column(name).map_or("", |cells| cells[row].trim());
            // Without the model it is unknown what these cells must say.
            if let Some(split) = &film.split {
                differs("split", cell("split"), split);
                let mark = cell("patient_in_training");
                let mark = mark.strip_suffix(".0").unwrap_or(mark);
                differs("patient_in_training", mark, film.patient_in_training.map_or("", number));
            }
        }
        rows.len()
    }
}

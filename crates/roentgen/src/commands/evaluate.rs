//! `evaluate`: computes metrics with intervals, draws plots and writes one self-contained page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::bail;
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_data::prepare::Prepared;
use roentgen_eval::report::{self, FilmCard, Provenance, Report};
use roentgen_eval::{Evaluation, Identity, Interval, Options, Scores, evaluate, paired_difference};
use roentgen_models::{Description, model_dir};
use serde_json::{Value, json};

use crate::cli::Evaluate;
use crate::output::{Output, figure, iso_8601, note, table, thousands};

/// Number of films to show of each kind: true positive, false positive, false negative.
const CARDS: usize = 6;
/// Height and width of films from files in the report, in pixels.
const CARD_SIZE: u32 = 256;

/// Evaluates each table and compares every further table with the first.
pub(crate) fn run(args: &Evaluate) -> anyhow::Result<Output> {
    let options = Options { resamples: args.resamples, seed: args.seed };
    let tables = args.scores.iter().map(Scores::read).collect::<Result<Vec<_>, _>>()?;
    let folders = folders(args);
    let mut texts = Vec::new();
    let mut documents = Vec::new();
    let mut differences = Vec::new();
    for ((scores, path), folder) in tables.iter().zip(&args.scores).zip(&folders) {
        let (evaluation, page) =
            evaluate_into(scores, path, folder, args.model.as_deref(), &options)?;
        texts.push(text(&evaluation, &page));
        documents.push(serde_json::from_str::<Value>(&evaluation.to_json()?)?);
    }
    for (scores, path) in tables.iter().zip(&args.scores).skip(1) {
        let (_, mean) = paired_difference(&tables[0], scores, &options)?;
        texts.push(format!(
            "{} minus {}: mean AUROC {} ({}, paired patient bootstrap)",
            path.display(),
            args.scores[0].display(),
            mean.value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:+.4}")),
            interval(mean.interval)
        ));
        differences.push(json!({
            "scores": path,
            "against": args.scores[0],
            "mean_auroc": mean.value,
            "mean_auroc_ci95": mean.interval,
        }));
    }
    let document = match documents.len() {
        1 => documents.remove(0),
        _ => json!({ "tables": documents, "differences": differences }),
    };
    Ok(Output::done(texts.join("\n\n"), document))
}

/// Evaluates one table, writes the report into a folder and returns the path of the page.
pub(crate) fn evaluate_into(
    scores: &Scores,
    path: &Path,
    folder: &Path,
    model: Option<&Path>,
    options: &Options,
) -> anyhow::Result<(Evaluation, PathBuf)> {
    let evaluation = evaluate(scores, options)?;
    let (films, notes) = cards(scores);
    let of_model = model.map(|model| provenance(scores, path, model)).transpose()?;
    let provenance = Provenance {
        score_table: Some(path.display().to_string()),
        date: iso_8601(SystemTime::now()).split('T').next().map(str::to_owned),
        ..of_model.unwrap_or_default()
    };
    let report = Report { provenance, evaluation: &evaluation, scores, films, notes };
    report::write(folder, &report)?;
    Ok((evaluation, folder.join("report.html")))
}

/// Returns what is known of the model that predicted a table.
fn provenance(scores: &Scores, path: &Path, model: &Path) -> anyhow::Result<Provenance> {
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
        None => note(&format!(
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

/// Returns one folder per table: `--out` itself for one table, subfolders of it for several.
fn folders(args: &Evaluate) -> Vec<PathBuf> {
    if args.scores.len() == 1 {
        return vec![args.out.clone()];
    }
    let numbered = |(number, path): (usize, &PathBuf)| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        args.out.join(format!("{number}-{stem}"))
    };
    (1..).zip(&args.scores).map(numbered).collect()
}

/// Collects the films of high confidence whose pixels can be found.
fn cards(scores: &Scores) -> (Vec<FilmCard>, Vec<String>) {
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
            let plane = film(&sources[row], &choice.image, &mut prepared)?;
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
) -> Option<Plane> {
    let path = Path::new(source);
    if path.is_file() {
        let plane = pixels::read(path).ok()?;
        return pixels::resize(plane, CARD_SIZE, Filter::Lanczos3).ok();
    }
    let prepared = prepared.entry(source.to_owned()).or_insert_with(|| {
        let opened = Prepared::is_in(path).then(|| Prepared::open(path));
        opened.transpose().unwrap_or_else(|error| {
            note(&format!("warning: the report shows no films: {error:#}"));
            None
        })
    });
    let prepared = prepared.as_ref()?;
    let row = prepared.rows.iter().position(|row| row.image == image)?;
    let size = prepared.store.size() as u32;
    Some(Plane { width: size, height: size, pixels: prepared.store.plane(row).to_vec() })
}

/// Formats the metrics as a table, always with the name of the split.
pub(crate) fn text(evaluation: &Evaluation, page: &Path) -> String {
    let rows: Vec<Vec<String>> = evaluation
        .findings
        .iter()
        .map(|finding| {
            vec![
                finding.name.clone(),
                thousands(finding.positives),
                figure(finding.auroc),
                interval(finding.auroc_ci95),
                figure(finding.average_precision),
                figure(finding.brier),
            ]
        })
        .chain([vec![
            format!("mean of {}", evaluation.mean.findings),
            String::new(),
            figure(evaluation.mean.auroc),
            interval(evaluation.mean.auroc_ci95),
            figure(evaluation.mean.average_precision),
            String::new(),
        ]])
        .collect();
    let common = evaluation.patients_in_training.map_or_else(
        || "patients in common with training unknown".to_owned(),
        |count| format!("{count} patients in common with training"),
    );
    let mut lines = Vec::new();
    if evaluation.is_phantom() {
        lines.push("synthetic films drawn by phantom: test data, no real patients".to_owned());
    }
    lines.push(format!(
        "split {}: {} films of {} patients, {common}",
        evaluation.split.as_deref().unwrap_or("unknown"),
        thousands(evaluation.images),
        thousands(evaluation.patients)
    ));
    if let Some(films) = evaluation.films_in_training.filter(|&films| films > 0) {
        lines.push(format!("{} films are of the training split", thousands(films)));
    }
    if let Some(films) = evaluation.films_in_validation.filter(|&films| films > 0) {
        lines.push(format!(
            "{} films are of the validation split, which chooses the model",
            thousands(films)
        ));
    }
    lines.push(table(
        &["finding", "films", "AUROC", "95 % interval", "average precision", "Brier"],
        &rows,
    ));
    lines.push(format!(
        "binary accuracy {} (when always answering no: {})",
        figure(evaluation.binary_accuracy),
        figure(evaluation.binary_accuracy_all_negative)
    ));
    lines.push(format!("report: {}", page.display()));
    lines.join("\n")
}

fn interval(interval: Option<Interval>) -> String {
    interval
        .map_or_else(|| "n/a".to_owned(), |Interval { low, high }| format!("{low:.3} to {high:.3}"))
}

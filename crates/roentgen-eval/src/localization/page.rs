//! All the texts of `localization.html`.

mod films;
mod summary;

use serde::Serialize;

use super::{AtOverlap, Figure, FindingLocalization, Lead, Localization, MapFigures, RowFigures};
use crate::Interval;
use crate::films::FilmCard;
use crate::format::readable;
use crate::format::{count, figure, interval};
use films::FilmUnderMap;
pub(crate) use summary::summary;

/// The overlaps that the page shows; the others are in the files.
const SHOWN: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// The data of the template.
#[derive(Debug, Serialize)]
pub(super) struct LocalizationPage {
    title: String,
    version: &'static str,
    style: &'static str,
    plot_style: &'static str,
    is_phantom: bool,
    in_training: Option<String>,
    is_training_unknown: bool,
    films: String,
    patients: String,
    boxes: String,
    tiles: Vec<Tile>,
    summary: Vec<String>,
    about: Vec<(&'static str, String)>,
    groups: Vec<Group>,
    headings: Vec<String>,
    by_iobb: Vec<Overlaps>,
    by_iou: Vec<Overlaps>,
    cards: Vec<FilmUnderMap>,
    left_out: Vec<String>,
    size: usize,
    resamples: usize,
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Tile {
    what: &'static str,
    value: String,
    small: String,
}

/// The rows of a finding.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    films: String,
    boxes: String,
    flat: String,
    /// Kind of map, then pointing, its lead, overlap and its lead, each a figure and its interval.
    rows: Vec<(&'static str, Vec<[String; 2]>)>,
    correlation: [String; 2],
}

/// Accuracy and false boxes of a finding at each shown overlap.
#[derive(Debug, Serialize)]
struct Overlaps {
    name: String,
    rows: Vec<(&'static str, Vec<[String; 2]>)>,
}

impl LocalizationPage {
    pub(super) fn of(of: &Localization, films: &[FilmCard]) -> Self {
        let about = &of.about;
        let in_training = about.patients_in_training.filter(|&patients| patients > 0);
        Self {
            title: format!(
                "{} of {} compared with boxes, {}, {}",
                about.method, about.architecture, about.dataset, about.split
            ),
            version: env!("CARGO_PKG_VERSION"),
            style: include_str!("../report/report.css"),
            plot_style: roentgen_figures::STYLE,
            is_phantom: of.is_phantom(),
            in_training: in_training.map(count),
            is_training_unknown: about.patients_in_training.is_none(),
            films: count(of.films),
            patients: count(of.patients),
            boxes: count(of.boxes),
            tiles: tiles(of),
            summary: summary(of),
            about: lines(of),
            groups: groups(of),
            headings: SHOWN.map(|t| format!("T = {t}")).into(),
            by_iobb: overlaps(of, |row| &row.by_iobb),
            by_iou: overlaps(of, |row| &row.by_iou),
            cards: films.iter().map(FilmUnderMap::of).collect(),
            left_out: left_out(of),
            size: about.size,
            resamples: of.resamples,
            seed: of.seed,
        }
    }
}

/// Names the kinds of maps as the page does.
fn kinds(rows: &MapFigures) -> [(&'static str, &RowFigures); 4] {
    [
        ("Model", &rows.model),
        ("Random map", &rows.random),
        ("Mean box of other patients", &rows.mean_box),
        ("The box at the map’s resolution", &rows.ceiling),
    ]
}

fn tiles(of: &Localization) -> Vec<Tile> {
    let tile = |what, value: Figure, small| Tile { what, value: figure(value.value), small };
    let beside = |of: fn(&RowFigures) -> Figure, rows: &MapFigures| {
        format!(
            "random map {}, mean box {}, ceiling {}",
            figure(of(&rows.random).value),
            figure(of(&rows.mean_box).value),
            figure(of(&rows.ceiling).value)
        )
    };
    let MapFigures { model, random_weights, .. } = &of.mean;
    let correlation = Figure { value: random_weights.value, ci95: random_weights.ci95 };
    vec![
        tile("Pointing game", model.pointing, beside(|row| row.pointing, &of.mean)),
        tile("Overlap (IoU)", model.iou, beside(|row| row.iou, &of.mean)),
        tile(
            "Correlation with random weights",
            correlation,
            "near 0 if the map depends on what was learned".to_owned(),
        ),
    ]
}

fn lines(of: &Localization) -> Vec<(&'static str, String)> {
    let about = &of.about;
    let unknown = || "unknown".to_owned();
    let map =
        of.map.map_or("n/a".to_owned(), |[height, width]| format!("{height} x {width} cells"));
    vec![
        ("Model identity", about.model.clone()),
        ("Architecture", about.architecture.clone()),
        ("Method", about.method.clone()),
        ("Map", map),
        ("Films as the model sees them", format!("{0} x {0} px", about.size)),
        ("Data set", about.dataset.clone()),
        ("Data set identity", about.dataset_id.clone().unwrap_or_else(unknown)),
        ("Split", about.split.clone()),
        ("Program", of.program.clone().unwrap_or_else(unknown)),
    ]
}

fn groups(of: &Localization) -> Vec<Group> {
    let group = |name: String, counts: Option<&FindingLocalization>, rows: &MapFigures| {
        let number = |of: fn(&FindingLocalization) -> usize| {
            counts.map_or_else(String::new, |counts| count(of(counts)))
        };
        let figures = |row: &RowFigures| {
            let lead = |pick: &dyn Fn(Lead) -> Figure| match row.lead {
                Some(lead) => difference(pick(lead)),
                None => [String::new(), String::new()],
            };
            vec![
                value(row.pointing),
                lead(&|lead| lead.pointing),
                value(row.iou),
                lead(&|lead| lead.iou),
            ]
        };
        let weights = rows.random_weights;
        Group {
            name,
            films: number(|counts| counts.films),
            boxes: number(|counts| counts.boxes),
            flat: number(|counts| counts.flat),
            rows: kinds(rows).map(|(kind, row)| (kind, figures(row))).into(),
            correlation: difference(Figure { value: weights.value, ci95: weights.ci95 }),
        }
    };
    let findings = of.findings.iter();
    let mean = group("Mean".to_owned(), None, &of.mean);
    findings
        .map(|finding| group(readable(&finding.finding), Some(finding), &finding.rows))
        .chain([mean])
        .collect()
}

fn overlaps(of: &Localization, by: fn(&RowFigures) -> &Vec<AtOverlap>) -> Vec<Overlaps> {
    let shown = |row: &RowFigures| {
        let at = by(row).iter().filter(|at| SHOWN.contains(&at.t));
        at.map(|at| [figure(at.accuracy.value), figure(at.false_boxes.value)]).collect()
    };
    let findings = of.findings.iter().map(|of| (readable(&of.finding), &of.rows));
    let all = findings.chain([("Mean".to_owned(), &of.mean)]);
    all.map(|(name, rows)| Overlaps {
        name,
        rows: kinds(rows).map(|(kind, row)| (kind, shown(row))).into(),
    })
    .collect()
}

/// States which boxes do not count.
fn left_out(of: &Localization) -> Vec<String> {
    let about = &of.about;
    let mut sentences = Vec::new();
    if about.boxes_elsewhere > 0 {
        sentences.push(format!(
            "{} boxes are on films that are not among these, and do not count.",
            count(about.boxes_elsewhere)
        ));
    }
    if about.boxes_of_other_findings > 0 {
        sentences.push(format!(
            "{} boxes are of findings that the model lacks or that were not asked for, and do not \
             count.",
            count(about.boxes_of_other_findings)
        ));
    }
    let without = of.findings.iter().filter(|finding| finding.boxes == 0);
    let without: Vec<String> = without.map(|finding| readable(&finding.finding)).collect();
    if !without.is_empty() {
        sentences.push(format!("Findings without boxes: {}.", without.join(", ")));
    }
    sentences
}

/// Formats a figure and its interval.
fn value(of: Figure) -> [String; 2] {
    match of.value {
        None => [figure(None), String::new()],
        Some(_) => [figure(of.value), interval(of.ci95)],
    }
}

/// Formats a figure that may be below zero, and its interval.
fn difference(of: Figure) -> [String; 2] {
    let ends = |Interval { low, high }: Interval| format!("{low:+.3} to {high:+.3}");
    match of.value {
        None => [figure(None), String::new()],
        Some(value) => [format!("{value:+.3}"), of.ci95.map_or("n/a".to_owned(), ends)],
    }
}

//! All the texts of a report, which the templates fill in.
//!
//! Both templates use the same texts, so HTML and Markdown cannot disagree.

use base64::{Engine, engine::general_purpose::STANDARD};
use roentgen_figures::{Said, Svg};
use serde::Serialize;

use super::{
    FilmBox, FilmCard, Report, Verdict,
    format::{count, figure, interval, percent, probability},
    plot::{self, Kind},
    provenance::{self, Line},
    published::Comparison,
    whisker,
};
use crate::{Evaluation, FindingFigures, Scores, TrainingMarks};

/// The data of the templates.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    title: String,
    provenance: Vec<Line>,
    version: &'static str,
    style: &'static str,
    plot_style: &'static str,
    dataset: Option<String>,
    split: Option<String>,
    is_phantom: bool,
    is_leaky: bool,
    images: String,
    patients: String,
    in_training: InTraining,
    films_in_training: Option<String>,
    films_in_validation: Option<String>,
    /// Whether the model is known, so that its validation films are known to have chosen it.
    is_model_known: bool,
    /// The model that was given for a table that does not say which model predicted it.
    unchecked_model: Option<String>,
    resamples: usize,
    seed: u64,
    mean: Mean,
    findings: Vec<Finding>,
    axis: String,
    /// Whether any probability reaches the threshold, so that metrics at it mean something.
    reaches_threshold: bool,
    highest_probability: String,
    /// Findings with films of unknown label, and how many.
    unknown: Vec<String>,
    /// Findings with resamples of one class only, and how many.
    skipped: Vec<String>,
    pictures: Vec<Panels>,
    accuracy: String,
    accuracy_all_negative: String,
    mean_absolute_error: String,
    subgroups: Vec<Groups>,
    films: Vec<Films>,
    published: Option<Comparison>,
    notes: Vec<String>,
}

/// Patients that the model was trained on.
#[derive(Debug, Serialize)]
struct InTraining {
    /// Their number, or `unknown` if any film has no mark.
    patients: String,
    /// What the score table says of it.
    note: String,
    /// The same for the banner of a leaky split.
    leaky: String,
}

impl InTraining {
    fn of(evaluation: &Evaluation) -> Self {
        let TrainingMarks { known, unknown, patients } = evaluation.training_marks;
        let of_all = || format!("{} of {} patients", count(patients), count(evaluation.patients));
        if unknown == 0 {
            let note = "according to the score table".to_owned();
            return Self { patients: count(patients), note, leaky: of_all() };
        }
        let note = match known {
            0 => "not recorded in the score table".to_owned(),
            _ => format!(
                "recorded for {} films ({} such patient{}), not for {}",
                count(known),
                count(patients),
                if patients == 1 { "" } else { "s" },
                count(unknown)
            ),
        };
        let leaky = match patients {
            0 => "some patients".to_owned(),
            _ => format!("at least {}", of_all()),
        };
        Self { patients: "unknown".to_owned(), note, leaky }
    }
}

#[derive(Debug, Serialize)]
struct Mean {
    auroc: String,
    auroc_ci: String,
    auroc_whisker: String,
    average_precision: String,
    average_precision_ci: String,
    prevalence: String,
    findings: usize,
    left_out: usize,
}

#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    positives: String,
    negatives: String,
    prevalence: String,
    auroc: String,
    auroc_ci: String,
    auroc_whisker: String,
    average_precision: String,
    average_precision_ci: String,
    brier: String,
    ece: String,
    /// True and false positives, false and true negatives.
    counts: [String; 4],
    sensitivity: String,
    specificity: String,
    ppv: String,
    npv: String,
    f1: String,
}

#[derive(Debug, Serialize)]
struct Panels {
    id: &'static str,
    title: &'static str,
    caption: &'static str,
    panels: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Groups {
    by: &'static str,
    rows: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    images: String,
    patients: String,
    findings: usize,
    auroc: String,
    auroc_ci: String,
    whisker: String,
}

#[derive(Debug, Serialize)]
struct Films {
    title: &'static str,
    cards: Vec<Film>,
}

#[derive(Debug, Serialize)]
struct Film {
    image: String,
    source: Option<String>,
    /// The boxes as an SVG over the picture.
    boxes: Option<String>,
    /// The findings that have a box.
    boxed: Vec<String>,
    finding: String,
    probability: String,
    labels: String,
    text: String,
}

impl Page {
    pub(super) fn of(report: &Report) -> Self {
        let evaluation = report.evaluation;
        let low = axis_start(evaluation);
        let panels = |id, title, kind: Kind| Panels {
            id,
            title,
            caption: kind.caption(),
            panels: plot::panels(kind, report),
        };
        let named = |count: &dyn Fn(&FindingFigures) -> usize| {
            let some = evaluation.findings.iter().filter(|finding| count(finding) > 0);
            some.map(|finding| {
                format!("{} {}", readable(&finding.name), self::count(count(finding)))
            })
            .collect()
        };
        let nonzero = |count: Option<usize>| count.filter(|&count| count > 0).map(self::count);
        Self {
            title: provenance::title(report),
            provenance: provenance::lines(report),
            version: env!("CARGO_PKG_VERSION"),
            style: include_str!("report.css"),
            plot_style: roentgen_figures::STYLE,
            dataset: evaluation.dataset.clone(),
            split: evaluation.split.clone(),
            is_phantom: evaluation.is_phantom(),
            is_leaky: evaluation.is_leaky(),
            images: count(evaluation.images),
            patients: count(evaluation.patients),
            in_training: InTraining::of(evaluation),
            films_in_training: nonzero(evaluation.films_in_training),
            films_in_validation: nonzero(evaluation.films_in_validation),
            is_model_known: evaluation.model.is_some(),
            unchecked_model: match report.model_is_checked() {
                Some(false) => report.provenance.model.clone(),
                Some(true) | None => None,
            },
            resamples: evaluation.resamples,
            seed: evaluation.seed,
            mean: mean(evaluation, low),
            findings: evaluation.findings.iter().map(|figures| finding(figures, low)).collect(),
            axis: whisker::axis(low),
            reaches_threshold: reaches_threshold(evaluation),
            highest_probability: highest_probability(report.scores),
            unknown: named(&|finding| finding.unknown),
            skipped: named(&|finding| match finding.auroc {
                Some(_) => finding.resamples_skipped,
                None => 0,
            }),
            pictures: vec![
                panels("roc", "ROC curves", Kind::Roc),
                panels("precision-recall", "Precision and recall", Kind::PrecisionRecall),
                panels("reliability", "Reliability", Kind::Reliability),
            ],
            accuracy: percent(evaluation.binary_accuracy),
            accuracy_all_negative: percent(evaluation.binary_accuracy_all_negative),
            mean_absolute_error: figure(evaluation.mean_absolute_error),
            subgroups: subgroups(evaluation, low),
            films: films(report),
            published: Comparison::of(evaluation),
            notes: report.notes.clone(),
        }
    }
}

fn readable(name: &str) -> String {
    name.replace('_', " ")
}

/// Returns whether any film of any finding is predicted positive.
fn reaches_threshold(evaluation: &Evaluation) -> bool {
    let points = evaluation.findings.iter().filter_map(|finding| finding.operating_points.first());
    points.into_iter().any(|point| point.true_positives + point.false_positives > 0)
}

fn highest_probability(scores: &Scores) -> String {
    let all = scores.findings().iter().flat_map(crate::Finding::known).map(|(_, p, _)| p);
    probability(all.fold(0.0, f64::max))
}

/// Returns the start of the AUROC axis: 0.5, or lower if an interval starts lower.
fn axis_start(evaluation: &Evaluation) -> f64 {
    let findings = evaluation.findings.iter().map(|finding| (finding.auroc, finding.auroc_ci95));
    let groups = evaluation.subgroups.values().flat_map(|groups| groups.values());
    let all = findings.chain(groups.map(|group| (group.auroc, group.auroc_ci95)));
    let lows = all.flat_map(|(value, interval)| [value, interval.map(|interval| interval.low)]);
    let lowest = lows.flatten().fold(0.5, f64::min);
    (lowest * 10.0).floor() / 10.0
}

fn mean(evaluation: &Evaluation, low: f64) -> Mean {
    let mean = &evaluation.mean;
    let counted = evaluation.findings.iter().filter(|finding| finding.auroc.is_some());
    let prevalences: f64 = counted.filter_map(FindingFigures::prevalence).sum();
    let prevalence = (mean.findings > 0).then(|| prevalences / mean.findings as f64);
    Mean {
        auroc: figure(mean.auroc),
        auroc_ci: interval(mean.auroc_ci95),
        auroc_whisker: whisker::whisker(mean.auroc, mean.auroc_ci95, low),
        average_precision: figure(mean.average_precision),
        average_precision_ci: interval(mean.average_precision_ci95),
        prevalence: figure(prevalence),
        findings: mean.findings,
        left_out: evaluation.findings.len() - mean.findings,
    }
}

fn finding(figures: &FindingFigures, low: f64) -> Finding {
    let point = figures.operating_points.first();
    let counts = point.map_or([0; 4], |point| {
        [point.true_positives, point.false_positives, point.false_negatives, point.true_negatives]
    });
    Finding {
        name: readable(&figures.name),
        positives: count(figures.positives),
        negatives: count(figures.negatives),
        prevalence: figure(figures.prevalence()),
        auroc: figure(figures.auroc),
        auroc_ci: interval(figures.auroc_ci95),
        auroc_whisker: whisker::whisker(figures.auroc, figures.auroc_ci95, low),
        average_precision: figure(figures.average_precision),
        average_precision_ci: interval(figures.average_precision_ci95),
        brier: figure(figures.brier),
        ece: figure(figures.ece),
        counts: counts.map(count),
        sensitivity: figure(point.and_then(|point| point.figures.sensitivity)),
        specificity: figure(point.and_then(|point| point.figures.specificity)),
        ppv: figure(point.and_then(|point| point.figures.ppv)),
        npv: figure(point.and_then(|point| point.figures.npv)),
        f1: figure(point.and_then(|point| point.figures.f1)),
    }
}

fn subgroups(evaluation: &Evaluation, low: f64) -> Vec<Groups> {
    let groups = evaluation.subgroups.iter().map(|(by, groups)| Groups {
        by,
        rows: groups
            .iter()
            .map(|(name, group)| Group {
                name: name.clone(),
                images: count(group.images),
                patients: count(group.patients),
                findings: group.findings,
                auroc: figure(group.auroc),
                auroc_ci: interval(group.auroc_ci95),
                whisker: whisker::whisker(group.auroc, group.auroc_ci95, low),
            })
            .collect(),
    });
    groups.collect()
}

fn films(report: &Report) -> Vec<Films> {
    let titles = [
        (Verdict::Found, "Highest probability, label positive"),
        (Verdict::FalseAlarm, "Highest probability, label negative"),
        (Verdict::Missed, "Lowest probability, label positive"),
    ];
    let groups = titles.into_iter().map(|(verdict, title)| {
        let cards = report.films.iter().filter(|card| card.choice.verdict == verdict);
        let cards = cards.map(|card| Film {
            image: card.choice.image.clone(),
            source: (!card.png.is_empty()).then(|| data("image/png", &card.png)),
            boxes: (!card.boxes.is_empty()).then(|| boxes(card)),
            boxed: boxed(card),
            finding: readable(&card.choice.finding),
            probability: probability(card.choice.probability),
            labels: labels(report.scores, card.choice.row),
            text: card.text.clone(),
        });
        Films { title, cards: cards.collect() }
    });
    groups.filter(|group| !group.cards.is_empty()).collect()
}

/// Draws the boxes of a film; that of the finding in question stands out.
fn boxes(card: &FilmCard) -> String {
    let mut svg = Svg::new();
    for FilmBox { finding, corner, size } in &card.boxes {
        let own = if *finding == card.choice.finding { "box own" } else { "box" };
        svg.rect(own, corner.map(|share| 100.0 * share), size.map(|share| 100.0 * share));
    }
    svg.element("boxes", [100.0, 100.0], Said::Nothing)
}

/// Names each finding that has a box once.
fn boxed(card: &FilmCard) -> Vec<String> {
    let mut names: Vec<String> = card.boxes.iter().map(|one| readable(&one.finding)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Lists the findings that the label file says of a film.
fn labels(scores: &Scores, row: usize) -> String {
    let label = |finding: &crate::Finding| finding.truths.get(row).copied().flatten();
    let positive = scores.findings().iter().filter(|finding| label(finding) == Some(true));
    let names: Vec<String> = positive.map(|finding| readable(&finding.name)).collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let all_known = scores.findings().iter().all(|finding| label(finding).is_some());
    if all_known { "none of these findings" } else { "unknown" }.to_owned()
}

fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

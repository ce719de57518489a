//! All the texts of a report, which the templates fill in.
//!
//! Both templates use the same texts, so HTML and Markdown cannot disagree.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{
    Picture, Report, Verdict,
    format::{count, figure, interval, percent, probability},
    plot::{self, Kind},
    published::Comparison,
    whisker,
};
use crate::{Evaluation, FindingFigures};

/// The data of the templates.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    title: String,
    version: &'static str,
    style: &'static str,
    plot_style: &'static str,
    dataset: Option<String>,
    split: Option<String>,
    is_phantom: bool,
    is_leaky: bool,
    images: String,
    patients: String,
    patients_in_training: Option<String>,
    resamples: usize,
    seed: u64,
    mean: Mean,
    findings: Vec<Finding>,
    axis: String,
    pictures: Vec<Panels>,
    accuracy: String,
    accuracy_all_negative: String,
    mean_absolute_error: String,
    subgroups: Vec<Groups>,
    films: Vec<Films>,
    figures: Vec<Figure>,
    published: Option<Comparison>,
    notes: Vec<String>,
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
    unknown: String,
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
    skipped: usize,
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
    finding: String,
    probability: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Figure {
    title: String,
    caption: String,
    source: String,
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
        Self {
            title: report.title.clone(),
            version: env!("CARGO_PKG_VERSION"),
            style: include_str!("report.css"),
            plot_style: roentgen_figures::STYLE,
            dataset: evaluation.dataset.clone(),
            split: evaluation.split.clone(),
            is_phantom: evaluation.is_phantom(),
            is_leaky: evaluation.is_leaky(),
            images: count(evaluation.images),
            patients: count(evaluation.patients),
            patients_in_training: evaluation.patients_in_training.map(count),
            resamples: evaluation.resamples,
            seed: evaluation.seed,
            mean: mean(evaluation, low),
            findings: evaluation.findings.iter().map(|figures| finding(figures, low)).collect(),
            axis: whisker::axis(low),
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
            figures: report.figures.iter().map(picture).collect(),
            published: Comparison::of(evaluation),
            notes: report.notes.clone(),
        }
    }
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
        prevalence: percent(prevalence),
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
        name: figures.name.replace('_', " "),
        positives: count(figures.positives),
        negatives: count(figures.negatives),
        unknown: count(figures.unknown),
        prevalence: percent(figures.prevalence()),
        auroc: figure(figures.auroc),
        auroc_ci: interval(figures.auroc_ci95),
        auroc_whisker: whisker::whisker(figures.auroc, figures.auroc_ci95, low),
        average_precision: figure(figures.average_precision),
        average_precision_ci: interval(figures.average_precision_ci95),
        brier: figure(figures.brier),
        ece: figure(figures.ece),
        counts: counts.map(count),
        sensitivity: figure(point.and_then(|point| point.sensitivity)),
        specificity: figure(point.and_then(|point| point.specificity)),
        ppv: figure(point.and_then(|point| point.ppv)),
        npv: figure(point.and_then(|point| point.npv)),
        f1: figure(point.and_then(|point| point.f1)),
        skipped: if figures.auroc.is_some() { figures.resamples_skipped } else { 0 },
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
            finding: card.choice.finding.replace('_', " "),
            probability: probability(card.choice.probability),
            text: card.text.clone(),
        });
        Films { title, cards: cards.collect() }
    });
    groups.filter(|group| !group.cards.is_empty()).collect()
}

fn picture(figure: &super::Figure) -> Figure {
    // As an image, not as elements of the page, so that its scripts do not run and its styles do
    // not affect the page.
    let source = match &figure.picture {
        Picture::Svg(text) => data("image/svg+xml", text.as_bytes()),
        Picture::Png(bytes) => data("image/png", bytes),
    };
    Figure { title: figure.title.clone(), caption: figure.caption.clone(), source }
}

fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

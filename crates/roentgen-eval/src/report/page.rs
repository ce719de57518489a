//! All the texts of a report, which the templates fill in.
//!
//! Both templates use the same texts, so HTML and Markdown cannot disagree.

mod calibration;
mod calls;
mod cards;
mod compared;
mod explanations;
mod findings;
mod groups;
mod how;
mod protocols;
mod summary;
mod together;
mod training;

use serde::Serialize;

use super::{
    Report,
    plot::{self, Kind},
    provenance::{self, ProvenanceRow},
    published::PublishedComparison,
    whisker,
};
use crate::format::{count, figure, percent, probability, readable};
use crate::{Evaluation, FindingFigures, FittedOn, Interval, Scores};
use calls::Calls;
use cards::{FilmCards, films};
use compared::Differences;
use explanations::Explanations;
use findings::{FindingRow, Mean, finding, mean};
use groups::{Groups, subgroups};
use protocols::Protocols;
use together::Together;
use training::InTraining;

/// The data of the templates.
#[derive(Debug, Serialize)]
pub(super) struct ReportPage {
    title: String,
    provenance: Vec<ProvenanceRow>,
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
    mean: Mean,
    findings: Vec<FindingRow>,
    axis: String,
    /// What the figures say, in plain words.
    summary: Vec<String>,
    /// Whether any film is called positive at the main threshold, so that metrics at it mean
    /// something.
    has_calls: bool,
    /// Whether thresholds were fitted on other films.
    is_fitted: bool,
    /// Whether any probability reaches 0.5.
    reaches_half: bool,
    /// The films of the fit, or why it is not used.
    fit: Option<String>,
    highest_probability: String,
    /// Headings of the figures of calls.
    headings: Vec<&'static str>,
    calls: Vec<Calls>,
    stated_prevalence: Vec<String>,
    calibration: Vec<calibration::CalibrationRow>,
    together: Together,
    /// Findings with films of unknown label, and how many.
    unknown: Vec<String>,
    /// Findings with resamples of one class only, and how many.
    skipped: Vec<String>,
    pictures: Vec<Panels>,
    accuracy: String,
    accuracy_all_negative: String,
    mean_absolute_error: String,
    subgroups: Vec<Groups>,
    films: Vec<FilmCards>,
    explanations: Option<Explanations>,
    published: Option<PublishedComparison>,
    compared: Option<Differences>,
    protocols: Option<Protocols>,
    notes: Vec<String>,
    /// Words of the report and their definitions.
    how: Vec<(&'static str, String)>,
}

#[derive(Debug, Serialize)]
struct Panels {
    id: &'static str,
    /// The picture of all panels, beside the page.
    file: &'static str,
    title: &'static str,
    caption: String,
    /// What the picture shows, for screen readers.
    text: String,
    panels: Vec<String>,
}

impl ReportPage {
    pub(super) fn of(report: &Report) -> Self {
        let evaluation = report.evaluation;
        let low = axis_start(evaluation);
        let main = evaluation.main_point();
        let (is_fitted, reaches_half) = (main != "0.5", reaches_half(evaluation));
        let panels = |kind: Kind| Panels {
            id: kind.id(),
            file: kind.file_name(),
            title: kind.title(),
            caption: kind.caption(evaluation),
            text: kind.describe_all(evaluation),
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
            mean: mean(evaluation, main, low),
            findings: evaluation.findings.iter().map(|each| finding(each, main, low)).collect(),
            axis: whisker::axis(low),
            summary: summary::summary(report, reaches_half),
            has_calls: is_fitted || reaches_half,
            is_fitted,
            reaches_half,
            fit: evaluation.fit.as_ref().map(fit),
            highest_probability: highest_probability(report.scores),
            headings: calls::headings(evaluation),
            calls: calls::calls(evaluation, reaches_half),
            stated_prevalence: stated_prevalence(evaluation),
            calibration: calibration::rows(evaluation),
            together: Together::of(evaluation),
            unknown: named(&|finding| finding.unknown),
            skipped: named(&|finding| match finding.auroc {
                Some(_) => finding.resamples_skipped,
                None => 0,
            }),
            pictures: Kind::ALL.map(panels).into(),
            accuracy: percent(evaluation.binary_accuracy),
            accuracy_all_negative: percent(evaluation.binary_accuracy_all_negative),
            mean_absolute_error: figure(evaluation.mean_absolute_error),
            subgroups: subgroups(evaluation, low),
            films: films(report),
            explanations: report.localization.as_ref().map(Explanations::of),
            published: PublishedComparison::of(evaluation),
            compared: report.compared.as_ref().map(Differences::of),
            protocols: report.protocols.as_ref().map(Protocols::of),
            notes: report.notes.clone(),
            how: how::how(evaluation),
        }
    }
}

/// Returns whether any film of any finding has a probability of at least 0.5.
fn reaches_half(evaluation: &Evaluation) -> bool {
    let mut points = evaluation.findings.iter().filter_map(|each| each.operating_point("0.5"));
    points.any(|point| point.true_positives + point.false_positives > 0)
}

/// States which films thresholds and calibration were fitted on.
fn fit(fit: &FittedOn) -> String {
    let split = fit.split.as_deref().unwrap_or("unknown split");
    let films = format!("{} films of {} patients ({split})", count(fit.films), count(fit.patients));
    let unchecked = match fit.model_is_checked {
        true => "",
        false => " Whether they were predicted by the same model is unknown.",
    };
    match fit.is_used {
        true => format!("Thresholds and calibration were fitted on {films}.{unchecked}"),
        false => format!(
            "Thresholds and calibration that were fitted on {films} are not used, because the \
             evaluated films are of the validation split, too, and may be the same."
        ),
    }
}

/// Lists the stated prevalences; one if they are all the same.
fn stated_prevalence(evaluation: &Evaluation) -> Vec<String> {
    let stated = &evaluation.stated_prevalence;
    let mut values: Vec<f64> = stated.values().copied().collect();
    values.dedup();
    match values[..] {
        [one] if stated.len() == evaluation.findings.len() => vec![percent(Some(one))],
        _ => {
            let named = stated.iter();
            named.map(|(name, &p)| format!("{} {}", readable(name), percent(Some(p)))).collect()
        }
    }
}

fn highest_probability(scores: &Scores) -> String {
    let all =
        scores.findings().iter().flat_map(crate::ScoredFinding::labeled_films).map(|(_, p, _)| p);
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

/// Formats an interval of a difference, whose ends may be below zero.
fn format_interval(interval: Option<Interval>) -> String {
    interval.map_or("n/a".to_owned(), |Interval { low, high }| format!("{low:.3} to {high:.3}"))
}

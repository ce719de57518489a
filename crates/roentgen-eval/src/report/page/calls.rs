//! The results of each operating point, for the templates.

use serde::Serialize;

use super::readable;
use crate::format::{count, figure, interval, probability};
use crate::{Evaluation, MeanCalls, MeanPoint, OperatingPoint, OperatingRule};

/// The findings at the thresholds of one rule.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    title: String,
    /// Whether the table is open when the page is.
    is_main: bool,
    rows: Vec<CallRow>,
    /// The macro and the micro mean, with a cell for each column of figures.
    means: Vec<Mean>,
    /// Findings without such a threshold.
    without: Vec<String>,
}

#[derive(Debug, Serialize)]
struct CallRow {
    name: String,
    threshold: String,
    /// True and false positives, false and true negatives.
    counts: [String; 4],
    /// Each figure and its interval, in the order of the columns.
    figures: Vec<[String; 2]>,
}

/// A mean over findings or calls.
#[derive(Debug, Serialize)]
struct Mean {
    name: String,
    /// As in [`CallRow`]; empty for a figure that has no mean.
    figures: Vec<[String; 2]>,
}

/// A figure of calls and its column.
const COLUMNS: [(&str, &str); 11] = [
    ("sensitivity", "Sensitivity"),
    ("specificity", "Specificity"),
    ("ppv", "PPV"),
    ("npv", "NPV"),
    ("f1", "F1"),
    ("balanced_accuracy", "Balanced accuracy"),
    ("mcc", "MCC"),
    ("lr_positive", "LR+"),
    ("lr_negative", "LR−"),
    ("ppv_at_prevalence", "PPV as stated"),
    ("npv_at_prevalence", "NPV as stated"),
];

/// Returns the columns of figures; those at a stated prevalence only if there is one.
fn columns(evaluation: &Evaluation) -> &'static [(&'static str, &'static str)] {
    match evaluation.stated_prevalence.is_empty() {
        true => &COLUMNS[..9],
        false => &COLUMNS,
    }
}

/// Returns the headings of the columns of figures.
pub(super) fn headings(evaluation: &Evaluation) -> Vec<&'static str> {
    columns(evaluation).iter().map(|(_, heading)| *heading).collect()
}

/// Returns one table for each rule that has a threshold, the main one first. The threshold 0.5 is
/// left out if no probability reaches it.
pub(super) fn calls(evaluation: &Evaluation, reaches_half: bool) -> Vec<Calls> {
    let main = evaluation.main_point();
    let mut names: Vec<&str> = OperatingRule::ALL.iter().map(|rule| rule.name()).collect();
    names.push("0.5");
    names.sort_by_key(|name| *name != main);
    let has_any = |name: &&str| {
        let mut findings = evaluation.findings.iter();
        findings.any(|finding| finding.operating_point(name).is_some())
    };
    let names = names.into_iter().filter(has_any).filter(|name| *name != "0.5" || reaches_half);
    let table = |name: &str| {
        let findings = evaluation.findings.iter();
        let points = findings.map(|finding| (finding, finding.operating_point(name)));
        let row = |(finding, point): (&crate::FindingFigures, Option<&OperatingPoint>)| {
            Some(CallRow::of(&finding.name, point?, evaluation))
        };
        let without = points.clone().filter(|(_, point)| point.is_none());
        Calls {
            title: title(name).to_owned(),
            is_main: name == main,
            without: without.map(|(finding, _)| readable(&finding.name)).collect(),
            rows: points.filter_map(row).collect(),
            means: evaluation
                .mean
                .operating_point(name)
                .map_or_else(Vec::new, |point| means(point, evaluation)),
        }
    };
    names.map(table).collect()
}

fn means(point: &MeanPoint, evaluation: &Evaluation) -> Vec<Mean> {
    let of = |name: String, calls: &MeanCalls| {
        let cell = |(key, _): &(&str, &str)| match calls.figures.get(key) {
            Some(&value) => {
                let ends = calls.ci95.get(key).copied().flatten();
                [figure(value), ends.map_or_else(String::new, |ends| interval(Some(ends)))]
            }
            None => [String::new(), String::new()],
        };
        Mean { name, figures: columns(evaluation).iter().map(cell).collect() }
    };
    vec![
        of(format!("Mean of {} (macro)", point.findings), &point.over_findings),
        of("All calls (micro)".to_owned(), &point.over_calls),
    ]
}

/// Describes the threshold of an operating point.
pub(super) fn title(name: &str) -> &'static str {
    match OperatingRule::ALL.into_iter().find(|rule| rule.name() == name) {
        Some(OperatingRule::Youden) => "Highest sensitivity + specificity (Youden)",
        Some(OperatingRule::MaxF1) => "Highest F1",
        Some(OperatingRule::Sensitivity90) => "Sensitivity of 0.90",
        Some(OperatingRule::Sensitivity95) => "Sensitivity of 0.95",
        Some(OperatingRule::Specificity90) => "Specificity of 0.90",
        None => "Threshold 0.5",
    }
}

impl CallRow {
    fn of(name: &str, point: &OperatingPoint, evaluation: &Evaluation) -> Self {
        let counts = [
            point.true_positives,
            point.false_positives,
            point.false_negatives,
            point.true_negatives,
        ];
        let named = point.figures.figures_by_name();
        let cell = |(key, _): &(&str, &str)| {
            let value = named.iter().find(|(name, _)| name == key).and_then(|(_, value)| *value);
            let ends = point.ci95.get(key).copied().flatten();
            let ends = ends.map_or_else(String::new, |ends| interval(Some(ends)));
            [figure(value), ends]
        };
        Self {
            name: readable(name),
            threshold: probability(point.threshold),
            counts: counts.map(count),
            figures: columns(evaluation).iter().map(cell).collect(),
        }
    }
}

//! The table of findings, for the templates.

use serde::Serialize;

use super::super::whisker;
use super::readable;
use crate::format::{count, figure, interval};
use crate::{Evaluation, FindingFigures, MeanCalls, MeanPoint};

/// The means over findings and over pairs.
#[derive(Debug, Serialize)]
pub(super) struct Mean {
    auroc: String,
    auroc_ci: String,
    auroc_whisker: String,
    average_precision: String,
    average_precision_ci: String,
    prevalence: String,
    findings: usize,
    left_out: usize,
    micro_auroc: String,
    micro_auroc_ci: String,
    micro_auroc_whisker: String,
    micro_average_precision: String,
    micro_average_precision_ci: String,
    micro_prevalence: String,
    brier: String,
    ece: String,
    /// At the main operating point: sensitivity and specificity as means over findings, and of all
    /// calls.
    calls: [String; 2],
    /// Number of findings in these means.
    called: usize,
    micro_calls: [String; 2],
}

/// A row of the table of findings.
#[derive(Debug, Serialize)]
pub(super) struct FindingRow {
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
    auroc_delong: String,
    sensitivity: String,
    specificity: String,
}

pub(super) fn mean(evaluation: &Evaluation, main: &str, low: f64) -> Mean {
    let mean = &evaluation.mean;
    let point = mean.operating_point(main);
    let both = |of: fn(&MeanPoint) -> &MeanCalls| {
        ["sensitivity", "specificity"]
            .map(|name| figure(point.and_then(|point| of(point).figures.get(name).copied()?)))
    };
    Mean {
        auroc: figure(mean.auroc),
        auroc_ci: interval(mean.auroc_ci95),
        auroc_whisker: whisker::whisker(mean.auroc, mean.auroc_ci95, low),
        average_precision: figure(mean.average_precision),
        average_precision_ci: interval(mean.average_precision_ci95),
        prevalence: figure(mean.prevalence),
        findings: mean.findings,
        left_out: evaluation.findings.len() - mean.findings,
        micro_auroc: figure(mean.micro_auroc),
        micro_auroc_ci: interval(mean.micro_auroc_ci95),
        micro_auroc_whisker: whisker::whisker(mean.micro_auroc, mean.micro_auroc_ci95, low),
        micro_average_precision: figure(mean.micro_average_precision),
        micro_average_precision_ci: interval(mean.micro_average_precision_ci95),
        brier: figure(mean.brier),
        ece: figure(mean.ece),
        called: point.map_or(0, |point| point.findings),
        calls: both(|point| &point.over_findings),
        micro_calls: both(|point| &point.over_calls),
        micro_prevalence: figure(mean.micro_prevalence),
    }
}

pub(super) fn finding(figures: &FindingFigures, main: &str, low: f64) -> FindingRow {
    let point = figures.operating_point(main);
    FindingRow {
        name: readable(&figures.name),
        positives: count(figures.positives),
        negatives: count(figures.negatives),
        prevalence: figure(figures.prevalence),
        auroc: figure(figures.auroc),
        auroc_ci: interval(figures.auroc_ci95),
        auroc_whisker: whisker::whisker(figures.auroc, figures.auroc_ci95, low),
        auroc_delong: interval(figures.auroc_delong_ci95),
        average_precision: figure(figures.average_precision),
        average_precision_ci: interval(figures.average_precision_ci95),
        brier: figure(figures.brier),
        ece: figure(figures.ece),
        sensitivity: figure(point.and_then(|point| point.figures.sensitivity)),
        specificity: figure(point.and_then(|point| point.figures.specificity)),
    }
}

//! The tables of figures: of findings, of their calibration, of calls, and of pairs of findings.

use super::{cell, csv, high, low};
use crate::{CalibrationFigures, Error, report::Report};

/// The rows of means, in the column `finding`.
pub(in crate::report) const MACRO: &str = "macro mean";
pub(in crate::report) const MICRO: &str = "micro mean";

/// Returns `findings.csv`: one row for each finding and one for each mean.
pub(in crate::report) fn findings(report: &Report) -> Result<String, Error> {
    let header = [
        "finding",
        "positives",
        "negatives",
        "unknown",
        "prevalence",
        "auroc",
        "auroc_low",
        "auroc_high",
        "auroc_delong_low",
        "auroc_delong_high",
        "average_precision",
        "average_precision_low",
        "average_precision_high",
        "brier",
        "brier_reliability",
        "brier_resolution",
        "brier_uncertainty",
        "ece",
        "ece_equal_mass",
        "intercept",
        "slope",
        "useful_threshold_low",
        "useful_threshold_high",
        "useful_threshold_platt_low",
        "useful_threshold_platt_high",
        "resamples_skipped",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for of in &report.evaluation.findings {
        let line = of.calibration.line;
        let parts = of.calibration.brier_parts;
        let end = |range: Option<[f64; 2]>, end: usize| cell(range.map(|range| range[end]));
        rows.push([
            of.name.clone(),
            of.positives.to_string(),
            of.negatives.to_string(),
            of.unknown.to_string(),
            cell(of.prevalence),
            cell(of.auroc),
            low(of.auroc_ci95),
            high(of.auroc_ci95),
            low(of.auroc_delong_ci95),
            high(of.auroc_delong_ci95),
            cell(of.average_precision),
            low(of.average_precision_ci95),
            high(of.average_precision_ci95),
            cell(of.brier),
            cell(parts.map(|parts| parts.reliability)),
            cell(parts.map(|parts| parts.resolution)),
            cell(parts.map(|parts| parts.uncertainty)),
            cell(of.ece),
            cell(of.calibration.ece_equal_mass),
            cell(line.intercept),
            cell(line.slope),
            end(of.useful_thresholds, 0),
            end(of.useful_thresholds, 1),
            end(of.useful_thresholds_platt, 0),
            end(of.useful_thresholds_platt, 1),
            of.resamples_skipped.to_string(),
        ]);
    }
    let mean = &report.evaluation.mean;
    for (name, prevalence, auroc, auroc_ends, average, average_ends) in [
        (
            MACRO,
            mean.prevalence,
            mean.auroc,
            mean.auroc_ci95,
            mean.average_precision,
            mean.average_precision_ci95,
        ),
        (
            MICRO,
            mean.micro_prevalence,
            mean.micro_auroc,
            mean.micro_auroc_ci95,
            mean.micro_average_precision,
            mean.micro_average_precision_ci95,
        ),
    ] {
        let mut row = header.map(|_| String::new());
        row[0] = name.to_owned();
        row[4] = cell(prevalence);
        row[5..8].clone_from_slice(&[cell(auroc), low(auroc_ends), high(auroc_ends)]);
        row[10..13].clone_from_slice(&[cell(average), low(average_ends), high(average_ends)]);
        if name == MACRO {
            row[13] = cell(mean.brier);
            row[17..19].clone_from_slice(&[cell(mean.ece), cell(mean.ece_equal_mass)]);
        }
        rows.push(row);
    }
    csv("findings.csv", rows)
}

/// Returns `summary.csv`: one row for each figure of the whole table.
pub(in crate::report) fn summary(report: &Report) -> Result<String, Error> {
    let of = report.evaluation;
    let counts = [
        ("images", Some(of.images)),
        ("patients", Some(of.patients)),
        ("resamples", Some(of.resamples)),
        ("patients_in_training", of.patients_in_training),
        ("films_in_training", of.films_in_training),
        ("films_in_validation", of.films_in_validation),
    ];
    let counts = counts.map(|(name, count)| {
        [name.to_owned(), count.map_or_else(String::new, |count| count.to_string())]
    });
    let shares = [
        ("binary_accuracy", of.binary_accuracy),
        ("binary_accuracy_all_negative", of.binary_accuracy_all_negative),
        ("mean_absolute_error", of.mean_absolute_error),
    ];
    let shares = shares.map(|(name, value)| [name.to_owned(), cell(value)]);
    let header = ["figure", "value"].map(str::to_owned);
    csv("summary.csv", [header].into_iter().chain(counts).chain(shares).collect())
}

/// Returns `operating-points.csv`: one row for each finding, operating point and figure.
pub(in crate::report) fn operating_points(report: &Report) -> Result<String, Error> {
    let header = ["finding", "operating_point", "threshold", "figure", "value", "low", "high"];
    let mut rows = vec![header.map(str::to_owned)];
    for finding in &report.evaluation.findings {
        for point in &finding.operating_points {
            let counts = [
                ("true_positives", point.true_positives),
                ("false_positives", point.false_positives),
                ("true_negatives", point.true_negatives),
                ("false_negatives", point.false_negatives),
            ];
            let counts = counts.map(|(name, count)| (name, count.to_string(), None));
            let figures = point
                .figures
                .figures_by_name()
                .map(|(name, value)| (name, cell(value), point.ci95.get(name).copied().flatten()));
            for (figure, value, ends) in counts.into_iter().chain(figures) {
                rows.push([
                    finding.name.clone(),
                    point.name.clone(),
                    point.threshold.to_string(),
                    figure.to_owned(),
                    value,
                    low(ends),
                    high(ends),
                ]);
            }
        }
    }
    for point in &report.evaluation.mean.operating_points {
        for (name, of) in [(MACRO, &point.over_findings), (MICRO, &point.over_calls)] {
            for (&figure, &value) in &of.figures {
                let ends = of.ci95.get(figure).copied().flatten();
                let [name, point, figure] = [name, &point.name, figure].map(str::to_owned);
                rows.push([name, point, String::new(), figure, cell(value), low(ends), high(ends)]);
            }
        }
    }
    csv("operating-points.csv", rows)
}

/// Returns `calibration.csv`: one row for each finding and each kind of probabilities, those that
/// were predicted and those after each method of calibration.
pub(in crate::report) fn calibration(report: &Report) -> Result<String, Error> {
    let header = [
        "finding",
        "probabilities",
        "brier",
        "brier_reliability",
        "brier_resolution",
        "brier_uncertainty",
        "brier_within_bins",
        "ece",
        "ece_equal_mass",
        "intercept",
        "slope",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for finding in &report.evaluation.findings {
        let mut push = |probabilities: &str, of: &CalibrationFigures| {
            let parts = of.brier_parts;
            rows.push([
                finding.name.clone(),
                probabilities.to_owned(),
                cell(of.brier),
                cell(parts.map(|parts| parts.reliability)),
                cell(parts.map(|parts| parts.resolution)),
                cell(parts.map(|parts| parts.uncertainty)),
                cell(parts.map(|parts| parts.within_bins)),
                cell(of.ece),
                cell(of.ece_equal_mass),
                cell(of.line.intercept),
                cell(of.line.slope),
            ]);
        };
        push("predicted", &finding.calibration);
        finding.calibrated.iter().for_each(|(method, of)| push(method.name(), of));
    }
    csv("calibration.csv", rows)
}

/// Returns `co-occurrence.csv`: films with two findings by label and by call, one row for each
/// pair; a finding paired with itself counts its films.
pub(in crate::report) fn co_occurrence(report: &Report) -> Result<String, Error> {
    let mut rows = vec![["finding", "other", "labels", "calls"].map(str::to_owned)];
    let of = &report.evaluation.co_occurrence;
    let findings = report.evaluation.findings.iter().enumerate();
    for (one, finding) in findings.clone() {
        for (two, other) in findings.clone().skip(one) {
            let calls = of.calls[one][two].map_or_else(String::new, |calls| calls.to_string());
            let labels = of.labels[one][two].to_string();
            rows.push([finding.name.clone(), other.name.clone(), labels, calls]);
        }
    }
    csv("co-occurrence.csv", rows)
}

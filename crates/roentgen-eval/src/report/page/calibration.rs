//! Calibration before and after, for the templates.

use serde::Serialize;

use super::super::format::figure;
use super::readable;
use crate::{CalibrationFigures, Evaluation, Method};

/// The calibration of a finding, as predicted or by one method.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Name of the finding, empty in all rows but its first.
    name: String,
    how: &'static str,
    /// Brier score, reliability, resolution, both calibration errors, intercept, slope.
    figures: [String; 7],
}

/// Returns the rows of all findings.
pub(super) fn rows(evaluation: &Evaluation) -> Vec<Row> {
    let mut rows = Vec::new();
    for finding in &evaluation.findings {
        rows.push(Row::of(readable(&finding.name), "as predicted", &finding.calibration));
        let calibrated = finding.calibrated.iter();
        rows.extend(
            calibrated.map(|(&method, figures)| Row::of(String::new(), name(method), figures)),
        );
    }
    rows
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Platt => "Platt scaling",
        Method::Temperature => "temperature",
        Method::Isotonic => "isotonic",
    }
}

impl Row {
    fn of(name: String, how: &'static str, of: &CalibrationFigures) -> Self {
        let parts = of.brier_parts;
        let figures = [
            of.brier,
            parts.map(|parts| parts.reliability),
            parts.map(|parts| parts.resolution),
            of.ece,
            of.ece_equal_mass,
            of.line.intercept,
            of.line.slope,
        ];
        Self { name, how, figures: figures.map(figure) }
    }
}

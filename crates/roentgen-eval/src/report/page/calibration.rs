//! Calibration before and after, for the templates.

use serde::Serialize;

use super::readable;
use crate::format::figure;
use crate::{CalibrationFigures, CalibrationMethod, Evaluation};

/// The calibration of a finding, as predicted or by one method.
#[derive(Debug, Serialize)]
pub(super) struct CalibrationRow {
    /// Name of the finding, empty in all rows but its first.
    name: String,
    how: &'static str,
    /// Brier score, reliability, resolution, both calibration errors, intercept, slope.
    figures: [String; 7],
}

/// Returns the rows of all findings.
pub(super) fn rows(evaluation: &Evaluation) -> Vec<CalibrationRow> {
    let mut rows = Vec::new();
    for finding in &evaluation.findings {
        rows.push(CalibrationRow::of(
            readable(&finding.name),
            "as predicted",
            &finding.calibration,
        ));
        let calibrated = finding.calibrated.iter();
        rows.extend(
            calibrated
                .map(|(&method, figures)| CalibrationRow::of(String::new(), name(method), figures)),
        );
    }
    rows
}

fn name(method: CalibrationMethod) -> &'static str {
    match method {
        CalibrationMethod::Platt => "Platt scaling",
        CalibrationMethod::Temperature => "temperature",
        CalibrationMethod::Isotonic => "isotonic",
    }
}

impl CalibrationRow {
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

//! Heat maps compared with boxes, for the templates; only if they were given.

use serde::Serialize;

use super::readable;
use crate::format::{count, figure, interval};
use crate::localization::{Figure, Localization, MapFigures, RowFigures, summary};

/// The section on explanations.
#[derive(Debug, Serialize)]
pub(super) struct Explanations {
    method: String,
    films: String,
    patients: String,
    boxes: String,
    summary: Vec<String>,
    rows: Vec<ExplanationRow>,
}

/// A finding: pointing and overlap, of the model with intervals, then of the three other maps.
#[derive(Debug, Serialize)]
struct ExplanationRow {
    name: String,
    films: String,
    pointing: [String; 2],
    pointing_of_others: [String; 3],
    iou: [String; 2],
    iou_of_others: [String; 3],
}

impl Explanations {
    pub(super) fn of(of: &Localization) -> Self {
        let findings = of.findings.iter();
        let findings = findings.map(|of| row(readable(&of.finding), count(of.films), &of.rows));
        let mean = row("Mean".to_owned(), count(of.films), &of.mean);
        Self {
            method: of.about.method.clone(),
            films: count(of.films),
            patients: count(of.patients),
            boxes: count(of.boxes),
            summary: summary(of),
            rows: findings.chain([mean]).collect(),
        }
    }
}

fn row(name: String, films: String, rows: &MapFigures) -> ExplanationRow {
    let own = |Figure { value, ci95 }: Figure| [figure(value), interval(ci95)];
    let others = |of: fn(&RowFigures) -> Figure| {
        [&rows.random, &rows.mean_box, &rows.ceiling].map(|row| figure(of(row).value))
    };
    ExplanationRow {
        name,
        films,
        pointing: own(rows.model.pointing),
        pointing_of_others: others(|row| row.pointing),
        iou: own(rows.model.iou),
        iou_of_others: others(|row| row.iou),
    }
}

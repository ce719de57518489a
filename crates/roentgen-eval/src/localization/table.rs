//! `localization.csv`: one row for each finding, kind of map and figure.

use super::{Correlation, Figure, Localization, MapFigures};
use crate::Error;
use crate::csv_text::{cell, csv as to_csv};

/// Returns the table.
pub(super) fn csv(of: &Localization) -> Result<String, Error> {
    let header = ["finding", "map", "figure", "t", "value", "low", "high"];
    let mut table = vec![header.map(str::to_owned)];
    let findings = of.findings.iter().map(|of| (of.finding.as_str(), &of.rows));
    for (finding, rows) in findings.chain([("mean", &of.mean)]) {
        add(&mut table, finding, rows);
    }
    to_csv("localization.csv", table)
}

fn add(table: &mut Vec<[String; 7]>, finding: &str, rows: &MapFigures) {
    let mut push = |map: &str, name: &str, t: Option<f64>, Figure { value, ci95 }: Figure| {
        table.push([
            finding.to_owned(),
            map.to_owned(),
            name.to_owned(),
            cell(t),
            cell(value),
            cell(ci95.map(|ends| ends.low)),
            cell(ci95.map(|ends| ends.high)),
        ]);
    };
    for (map, row) in rows.named() {
        push(map, "pointing", None, row.pointing);
        push(map, "iou", None, row.iou);
        for (by, overlaps) in [("iobb", &row.by_iobb), ("iou", &row.by_iou)] {
            for at in overlaps {
                push(map, &format!("accuracy-{by}"), Some(at.t), at.accuracy);
                push(map, &format!("false-boxes-{by}"), Some(at.t), at.false_boxes);
            }
        }
        if let Some(lead) = row.lead {
            push(map, "pointing-lead", None, lead.pointing);
            push(map, "iou-lead", None, lead.iou);
        }
    }
    let Correlation { value, ci95, .. } = rows.random_weights;
    push("random-weights", "correlation", None, Figure { value, ci95 });
}

//! The tables beside a report: all figures, points of the curves, and films that are wrong at the
//! threshold.

mod figures;
mod groups;

use super::{Report, plot::net_benefit};
use crate::csv_text::{cell, csv};
use crate::{
    CurvePoint, Error, FindingFigures, Interval, MeasuredBin,
    roc::{Step, precision_recall_points, roc_points, steps},
};
pub(super) use figures::{
    MACRO, MICRO, calibration, co_occurrence, findings, operating_points, summary,
};
pub(super) use groups::{protocols, subgroup_findings, subgroups};

/// The maximum number of points of a curve; more would make a file of megabytes and no other
/// drawing.
const POINTS: usize = 1000;

/// Returns `roc.csv`: the points of each ROC curve, from the highest threshold down.
pub(super) fn roc(report: &Report) -> Result<String, Error> {
    let header = ["finding", "threshold", "false_positive_rate", "sensitivity"];
    curves("roc.csv", header, report, |steps| roc_points(steps, POINTS))
}

/// Returns `pr.csv`: the points of each curve of precision and recall.
pub(super) fn precision_recall(report: &Report) -> Result<String, Error> {
    let header = ["finding", "threshold", "recall", "precision"];
    curves("pr.csv", header, report, |steps| precision_recall_points(steps, POINTS))
}

type Curve = Vec<(Option<f64>, CurvePoint)>;

fn curves(
    name: &'static str,
    header: [&str; 4],
    report: &Report,
    points: impl Fn(&[Step]) -> Option<Curve>,
) -> Result<String, Error> {
    let mut rows = vec![header.map(str::to_owned)];
    for finding in report.scores.findings() {
        let (probabilities, labels) = finding.known_pairs();
        for (threshold, [x, y]) in points(&steps(&probabilities, &labels)).unwrap_or_default() {
            let threshold = threshold.map_or_else(String::new, |threshold| threshold.to_string());
            rows.push([finding.name.clone(), threshold, x.to_string(), y.to_string()]);
        }
    }
    csv(name, rows)
}

/// Returns `errors.csv`: the films that are wrong at the threshold, by finding, the most confident
/// errors first.
pub(super) fn errors(report: &Report) -> Result<String, Error> {
    let header = ["finding", "image", "patient", "label", "probability", "threshold", "error"];
    let main =
        |figures: &FindingFigures| figures.operating_point(report.evaluation.main_point()).cloned();
    let mut rows = vec![header.map(str::to_owned)];
    for (finding, figures) in report.scores.findings().iter().zip(&report.evaluation.findings) {
        let Some(threshold) = main(figures).map(|point| point.threshold) else {
            continue;
        };
        let mut wrong: Vec<(usize, f64, bool)> =
            finding.labeled_films().filter(|&(_, p, label)| (p >= threshold) != label).collect();
        let distance = |p: f64| (p - threshold).abs();
        wrong.sort_by(|a, b| distance(b.1).total_cmp(&distance(a.1)));
        for (row, p, label) in wrong {
            rows.push([
                finding.name.clone(),
                report.scores.images()[row].clone(),
                report.scores.patients()[row].clone(),
                u8::from(label).to_string(),
                p.to_string(),
                threshold.to_string(),
                if label { "false negative" } else { "false positive" }.to_owned(),
            ]);
        }
    }
    csv("errors.csv", rows)
}

/// Returns `curves.csv`: the points of all curves of the pictures.
pub(super) fn all_curves(report: &Report) -> Result<String, Error> {
    let header = ["finding", "curve", "threshold", "x", "y", "films", "low", "high"];
    let mut rows = vec![header.map(str::to_owned)];
    for (finding, figures) in report.scores.findings().iter().zip(&report.evaluation.findings) {
        let (probabilities, labels) = finding.known_pairs();
        let steps = steps(&probabilities, &labels);
        let mut push =
            |curve: &str, threshold: Option<f64>, [x, y]: CurvePoint, of_bin: [String; 3]| {
                let [films, low, high] = of_bin;
                rows.push([
                    finding.name.clone(),
                    curve.to_owned(),
                    cell(threshold),
                    x.to_string(),
                    y.to_string(),
                    films,
                    low,
                    high,
                ]);
            };
        let none = || [String::new(), String::new(), String::new()];
        for (name, points) in [
            ("roc", roc_points(&steps, POINTS)),
            ("precision-recall", precision_recall_points(&steps, POINTS)),
        ] {
            for (threshold, point) in points.unwrap_or_default() {
                push(name, threshold, point, none());
            }
        }
        for (name, bins) in [
            ("reliability", &figures.reliability),
            ("reliability-platt", &figures.reliability_platt),
        ] {
            for MeasuredBin { bin, observed_ci95 } in bins {
                let of_bin = [bin.count.to_string(), low(*observed_ci95), high(*observed_ci95)];
                push(name, None, [bin.mean_probability, bin.observed], of_bin);
            }
        }
        let curve = net_benefit(finding, None);
        let scaled = figures.platt.map(|platt| net_benefit(finding, Some(platt)));
        for point in &curve {
            let t = point.threshold;
            push("decision", Some(t), [t, point.model], none());
            push("decision-all", Some(t), [t, point.treat_all], none());
        }
        for point in scaled.iter().flatten() {
            let t = point.threshold;
            push("decision-platt", Some(t), [t, point.model], none());
        }
    }
    csv("curves.csv", rows)
}

pub(super) fn low(interval: Option<Interval>) -> String {
    cell(interval.map(|interval| interval.low))
}

pub(super) fn high(interval: Option<Interval>) -> String {
    cell(interval.map(|interval| interval.high))
}

//! Curves and intervals as SVG.
//!
//! Small multiples, one panel per finding, because fourteen lines in one frame cannot be told
//! apart. Colors are classes, so that a figure follows the reader's light or dark mode, both on the
//! page and in a file of its own. Areas in titles come from the evaluation, never from the drawn
//! points.

mod decision;
mod kind;

use roentgen_figures::{Anchor, Said, Svg, decimals, line, wrap};

use super::{Report, provenance};
use crate::format::count;
use crate::{
    Bin, CurvePoint, FindingFigures, Interval, MeasuredBin, precision_recall_curve, roc_curve,
};
use decision::decision_panel;
pub(super) use decision::net_benefit;
pub(super) use kind::Kind;

/// The maximum number of points of a curve: a panel is 170 units wide, so more would not be
/// visible.
const POINTS: usize = 200;
const WIDTH: f64 = 216.0;
const HEIGHT: f64 = 228.0;
const LEFT: f64 = 32.0;
const TOP: f64 = 38.0;
const SIDE: f64 = 170.0;
const COLUMNS: usize = 5;
/// Font size of captions.
const LETTER: f64 = 12.0;
/// The number of films from which on a bin is meaningful.
const FULL: usize = 10;

/// Draws one panel per finding, each an SVG element for the page.
pub(super) fn panels(kind: Kind, report: &Report) -> Vec<String> {
    let panels = draw_panels(kind, report).into_iter().zip(&report.evaluation.findings);
    let element = |(inside, figures): (Svg, &FindingFigures)| {
        inside.element("p", [HEIGHT, WIDTH], Said::Text(&kind.describe(figures)))
    };
    panels.map(element).collect()
}

/// Draws all panels into one SVG file.
pub(super) fn picture(kind: Kind, report: &Report) -> String {
    let panels = draw_panels(kind, report);
    let columns = panels.len().clamp(1, COLUMNS);
    // The title needs the width of three panels.
    let width = columns.max(3) as f64 * WIDTH + 32.0;
    let split = report.evaluation.split.as_deref().unwrap_or("split not recorded");
    let films = count(report.evaluation.images);
    let caption = format!("{films} films, {split}. {}", kind.caption(report.evaluation));
    let caption = wrap(&caption, LETTER, width - 48.0, usize::MAX);
    let head = 58.0 + 16.0 * caption.len() as f64;
    let height = panels.len().div_ceil(columns) as f64 * HEIGHT + head + 12.0;

    let title = format!("{}: {}", kind.title(), provenance::title(report));
    let mut svg = Svg::new();
    svg.text([24.0, 32.0], Anchor::Start, "p-title", &title);
    for (index, line) in caption.iter().enumerate() {
        svg.text([24.0, 51.0 + 16.0 * index as f64], Anchor::Start, "p-caption", line);
    }
    for (index, panel) in panels.iter().enumerate() {
        let x = 16.0 + (index % columns) as f64 * WIDTH;
        let y = head + (index / columns) as f64 * HEIGHT;
        let place = format!("translate({x} {y})");
        svg.group(&[("transform", &place)], |svg| svg.append(panel));
    }
    svg.file(&title, [height, width])
}

fn draw_panels(kind: Kind, report: &Report) -> Vec<Svg> {
    let main = report.evaluation.main_point();
    let pairs = report.scores.findings().iter().zip(&report.evaluation.findings);
    pairs
        .map(|(finding, figures)| {
            let (probabilities, labels) = finding.known_pairs();
            match kind {
                Kind::Roc => roc(figures, main, roc_curve(&probabilities, &labels, POINTS)),
                Kind::PrecisionRecall => {
                    let curve = precision_recall_curve(&probabilities, &labels, POINTS);
                    precision_recall(figures, main, curve)
                }
                Kind::Reliability => reliability_panel(figures),
                Kind::Decision => decision_panel(figures, finding),
            }
        })
        .collect()
}

fn roc(figures: &FindingFigures, main: &str, curve: Option<Vec<CurvePoint>>) -> Svg {
    let auroc = decimals(figures.auroc, 3);
    let mut svg = frame(figures, &auroc, &format_interval(figures.auroc_ci95), [1.0; 2]);
    let Some(curve) = curve else { return svg };
    svg.path("p-chance", &polyline(&[[0.0, 0.0], [1.0, 1.0]]));
    svg.path("p-area", &area(&curve));
    svg.path("p-curve", &polyline(&curve));
    if let Some(point) = figures.operating_point(main)
        && let (Some(sensitivity), Some(specificity)) =
            (point.figures.sensitivity, point.figures.specificity)
    {
        svg.circle("p-point", at([1.0 - specificity, sensitivity]), 3.6);
    }
    svg
}

fn precision_recall(figures: &FindingFigures, main: &str, curve: Option<Vec<CurvePoint>>) -> Svg {
    let average = decimals(figures.average_precision, 3);
    let mut svg =
        frame(figures, &average, &format_interval(figures.average_precision_ci95), [1.0; 2]);
    let (Some(curve), Some(prevalence)) = (curve, figures.prevalence) else { return svg };
    svg.path("p-area", &area(&curve));
    svg.path("p-chance", &polyline(&[[0.0, prevalence], [1.0, prevalence]]));
    svg.path("p-curve", &polyline(&curve));
    if let Some(point) = figures.operating_point(main)
        && let (Some(recall), Some(precision)) = (point.figures.sensitivity, point.figures.ppv)
    {
        svg.circle("p-point", at([recall, precision]), 3.6);
    }
    svg
}

fn reliability_panel(figures: &FindingFigures) -> Svg {
    // A bin of two films is at 0, 0.5 or 1 whatever the model does, so the line leaves it out.
    let divide = |bins: &[MeasuredBin]| -> (Vec<MeasuredBin>, Vec<MeasuredBin>) {
        bins.iter().partition(|bin| bin.bin.count >= FULL)
    };
    let (full, sparse) = divide(&figures.reliability);
    let (scaled, _) = divide(&figures.reliability_platt);
    let both = full.iter().chain(&scaled).map(|bin| bin.bin);
    let limit = axis_end(&both.collect::<Vec<_>>());
    let mut svg = frame(figures, &decimals(figures.ece, 3), "", [limit; 2]);
    let point = |bin: &Bin| [bin.mean_probability / limit, bin.observed / limit];
    let line = |bins: &[MeasuredBin]| {
        polyline(&bins.iter().map(|bin| point(&bin.bin)).collect::<Vec<_>>())
    };
    svg.path("p-chance", &polyline(&[[0.0, 0.0], [1.0, 1.0]]));
    svg.path("p-second", &line(&scaled));
    svg.path("p-link", &line(&full));
    let films = (figures.positives + figures.negatives) as f64;
    for MeasuredBin { bin, observed_ci95 } in &full {
        if let Some(Interval { low, high }) = observed_ci95 {
            let [x, _] = point(bin);
            svg.path("p-error", &polyline(&[[x, low / limit], [x, (high / limit).min(1.0)]]));
        }
        svg.circle("p-bin", at(point(bin)), 2.0 + 7.0 * (bin.count as f64 / films).sqrt());
    }
    let is_inside = |[x, y]: &CurvePoint| *x <= 1.0 && *y <= 1.0;
    for point in sparse.iter().map(|bin| point(&bin.bin)).filter(is_inside) {
        svg.circle("p-sparse", at(point), 2.0);
    }
    svg
}

/// Returns the end of both axes of a reliability panel: the first round number that no bin exceeds.
fn axis_end(bins: &[Bin]) -> f64 {
    let highest = bins.iter().map(|bin| bin.mean_probability.max(bin.observed)).fold(0.0, f64::max);
    axis(highest, &[0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8])
}

/// Returns the first of the round numbers that is at least `highest`, or 1.
fn axis(highest: f64, rounds: &[f64]) -> f64 {
    let end = rounds.iter().find(|&&round| 0.0 < highest && highest <= round);
    end.copied().unwrap_or(1.0)
}

/// Formats an interval for the note of a frame.
fn format_interval(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |ends| format!("{:.3}–{:.3}", ends.low, ends.high))
}

/// Draws the frame with the name, a value and a note, and axes from 0 to `[x, y]`.
fn frame(figures: &FindingFigures, value: &str, note: &str, limits: [f64; 2]) -> Svg {
    let mut svg = Svg::new();
    let right = LEFT + SIDE;
    let name = figures.name.replace('_', " ");
    svg.text([LEFT, 14.0], Anchor::Start, "p-name", &name);
    svg.text([right, 14.0], Anchor::End, "p-value", value);
    let positives = format!("{} positive", count(figures.positives));
    svg.text([LEFT, 29.0], Anchor::Start, "p-note", &positives);
    svg.text([right, 29.0], Anchor::End, "p-note", note);

    svg.rect("p-frame", [LEFT, TOP], [SIDE; 2]);
    let [x, y] = at([0.5, 0.5]);
    svg.path("p-grid", &format!("M{LEFT} {y}h{SIDE}M{x} {TOP}v{SIDE}"));
    for share in [0.0, 0.5, 1.0] {
        let [across, up] = limits.map(|limit| (share * limit).to_string());
        let [x, y] = at([share, share]);
        svg.text([x, TOP + SIDE + 13.0], Anchor::Middle, "p-tick", &across);
        svg.text([LEFT - 5.0, y + 3.0], Anchor::End, "p-tick", &up);
    }
    svg
}

/// Returns where a point of the unit square is in a panel.
fn at([x, y]: CurvePoint) -> [f64; 2] {
    [LEFT + SIDE * x, TOP + SIDE * (1.0 - y)]
}

fn polyline(points: &[CurvePoint]) -> String {
    line(points.iter().map(|&point| at(point)))
}

/// Returns the area under a curve, closed along the floor.
fn area(points: &[CurvePoint]) -> String {
    let floor = TOP + SIDE;
    format!("{}V{floor}H{LEFT}Z", polyline(points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reliability_is_zoomed_to_the_bins_with_films() {
        let bin = |mean_probability, observed| Bin { count: 40, mean_probability, observed };

        assert_eq!(axis_end(&[bin(0.03, 0.05), bin(0.1, 0.09)]), 0.1);
        assert_eq!(axis_end(&[bin(0.03, 0.35)]), 0.4);
        assert_eq!(axis_end(&[bin(0.85, 0.7)]), 1.0);
        assert_eq!(axis_end(&[]), 1.0);
        assert_eq!(axis_end(&[bin(0.0, 0.0)]), 1.0);
    }
}

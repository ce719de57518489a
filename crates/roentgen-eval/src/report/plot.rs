//! Curves and intervals as SVG.
//!
//! Small multiples, one panel per finding, because fourteen lines in one frame cannot be told
//! apart. Colors are classes, so that a figure follows the reader's light or dark mode, both on the
//! page and in a file of its own. Areas in titles come from the evaluation, never from the drawn
//! points.

use roentgen_figures::{Anchor, Said, Svg, decimals, line, wrap};

use super::{Report, format::count, provenance};
use crate::{Bin, FindingFigures, Interval, Point, precision_recall_curve, reliability, roc_curve};

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

/// The kind of curve that the panels show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Roc,
    PrecisionRecall,
    Reliability,
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Roc => "ROC curves",
            Self::PrecisionRecall => "Precision and recall",
            Self::Reliability => "Reliability",
        }
    }

    /// States what the panel of a finding shows, for screen readers.
    fn said(self, figures: &FindingFigures) -> String {
        let name = figures.name.replace('_', " ");
        let (positives, films) = (figures.positives, figures.positives + figures.negatives);
        let of = format!("{} positive of {} films", count(positives), count(films));
        let with_interval = |value: Option<f64>, interval: Option<Interval>| {
            let ends = interval.map(|Interval { low, high }| format!(" ({low:.3} to {high:.3})"));
            format!("{}{}", decimals(value, 3), ends.unwrap_or_default())
        };
        match self {
            Self::Roc => {
                let auroc = with_interval(figures.auroc, figures.auroc_ci95);
                format!("ROC curve of {name}: AUROC {auroc}, {of}")
            }
            Self::PrecisionRecall => {
                let ap = with_interval(figures.average_precision, figures.average_precision_ci95);
                format!("Precision and recall of {name}: average precision {ap}, {of}")
            }
            Self::Reliability => {
                let ece = decimals(figures.ece, 3);
                format!("Reliability of {name}: expected calibration error {ece}, {of}")
            }
        }
    }

    /// Returns the caption, which explains how to read a panel.
    pub(super) fn caption(self) -> &'static str {
        match self {
            Self::Roc => {
                "Sensitivity (vertical) against false positive rate (horizontal). AUROC next to \
                 the name, its 95 % interval below. Dashed: chance. Dot: threshold 0.5."
            }
            Self::PrecisionRecall => {
                "Precision (vertical) against recall (horizontal). Average precision next to the \
                 name, its 95 % interval below. Dashed: the prevalence, which is chance level. \
                 Dot: threshold 0.5."
            }
            Self::Reliability => {
                "Share of positive labels (vertical) against predicted probability (horizontal), \
                 in 15 equal bins. Each panel is zoomed to the bins of at least 10 films. The area of \
                 a dot grows with its number of films; hollow dots have fewer than 10. Expected \
                 calibration error next to the name. Dashed: perfect calibration."
            }
        }
    }
}

/// Draws one panel per finding, each an SVG element for the page.
pub(super) fn panels(kind: Kind, report: &Report) -> Vec<String> {
    let panels = insides(kind, report).into_iter().zip(&report.evaluation.findings);
    let element = |(inside, figures): (Svg, &FindingFigures)| {
        inside.element("p", [HEIGHT, WIDTH], Said::Text(&kind.said(figures)))
    };
    panels.map(element).collect()
}

/// Draws all panels into one SVG file.
pub(super) fn picture(kind: Kind, report: &Report) -> String {
    let panels = insides(kind, report);
    let columns = panels.len().clamp(1, COLUMNS);
    // The title needs the width of three panels.
    let width = columns.max(3) as f64 * WIDTH + 32.0;
    let split = report.evaluation.split.as_deref().unwrap_or("split not recorded");
    let films = count(report.evaluation.images);
    let caption = format!("{films} films, {split}. {}", kind.caption());
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

fn insides(kind: Kind, report: &Report) -> Vec<Svg> {
    let pairs = report.scores.findings().iter().zip(&report.evaluation.findings);
    pairs
        .map(|(finding, figures)| {
            let (probabilities, truths) = finding.known_pairs();
            match kind {
                Kind::Roc => roc(figures, roc_curve(&probabilities, &truths, POINTS)),
                Kind::PrecisionRecall => {
                    let curve = precision_recall_curve(&probabilities, &truths, POINTS);
                    precision_recall(figures, curve)
                }
                Kind::Reliability => reliability_panel(figures, &probabilities, &truths),
            }
        })
        .collect()
}

fn roc(figures: &FindingFigures, curve: Option<Vec<Point>>) -> Svg {
    let mut svg = frame(figures, figures.auroc, figures.auroc_ci95, 1.0);
    let Some(curve) = curve else { return svg };
    svg.path("p-chance", &polyline(&[[0.0, 0.0], [1.0, 1.0]]));
    svg.path("p-area", &area(&curve));
    svg.path("p-curve", &polyline(&curve));
    if let Some(point) = figures.operating_points.first()
        && let (Some(sensitivity), Some(specificity)) =
            (point.figures.sensitivity, point.figures.specificity)
    {
        svg.circle("p-point", at([1.0 - specificity, sensitivity]), 3.6);
    }
    svg
}

fn precision_recall(figures: &FindingFigures, curve: Option<Vec<Point>>) -> Svg {
    let mut svg = frame(figures, figures.average_precision, figures.average_precision_ci95, 1.0);
    let (Some(curve), Some(prevalence)) = (curve, figures.prevalence()) else { return svg };
    svg.path("p-area", &area(&curve));
    svg.path("p-chance", &polyline(&[[0.0, prevalence], [1.0, prevalence]]));
    svg.path("p-curve", &polyline(&curve));
    if let Some(point) = figures.operating_points.first()
        && let (Some(recall), Some(precision)) = (point.figures.sensitivity, point.figures.ppv)
    {
        svg.circle("p-point", at([recall, precision]), 3.6);
    }
    svg
}

fn reliability_panel(figures: &FindingFigures, probabilities: &[f64], truths: &[bool]) -> Svg {
    let bins = reliability(probabilities, truths);
    // A bin of two films is at 0, 0.5 or 1 whatever the model does, so the line leaves it out.
    let (full, sparse): (Vec<Bin>, Vec<Bin>) = bins.iter().partition(|bin| bin.count >= FULL);
    let limit = axis_end(&full);
    let mut svg = frame(figures, figures.ece, None, limit);
    let point = |bin: &Bin| [bin.mean_probability / limit, bin.observed / limit];
    svg.path("p-chance", &polyline(&[[0.0, 0.0], [1.0, 1.0]]));
    svg.path("p-link", &polyline(&full.iter().map(point).collect::<Vec<_>>()));
    for bin in &full {
        let share = bin.count as f64 / truths.len() as f64;
        svg.circle("p-bin", at(point(bin)), 2.0 + 7.0 * share.sqrt());
    }
    let is_inside = |[x, y]: &Point| *x <= 1.0 && *y <= 1.0;
    for point in sparse.iter().map(point).filter(is_inside) {
        svg.circle("p-sparse", at(point), 2.0);
    }
    svg
}

/// Returns the end of both axes of a reliability panel: the first round number that no bin exceeds.
fn axis_end(bins: &[Bin]) -> f64 {
    let highest = bins.iter().map(|bin| bin.mean_probability.max(bin.observed)).fold(0.0, f64::max);
    let rounds = [0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8];
    rounds.into_iter().find(|&round| 0.0 < highest && highest <= round).unwrap_or(1.0)
}

/// Draws the frame with the name, the value and its interval, and axes from 0 to `limit`.
fn frame(
    figures: &FindingFigures,
    value: Option<f64>,
    interval: Option<Interval>,
    limit: f64,
) -> Svg {
    let mut svg = Svg::new();
    let right = LEFT + SIDE;
    let name = figures.name.replace('_', " ");
    svg.text([LEFT, 14.0], Anchor::Start, "p-name", &name);
    svg.text([right, 14.0], Anchor::End, "p-value", &decimals(value, 3));
    let positives = format!("{} positive", count(figures.positives));
    svg.text([LEFT, 29.0], Anchor::Start, "p-note", &positives);
    if let Some(Interval { low, high }) = interval {
        svg.text([right, 29.0], Anchor::End, "p-note", &format!("{low:.3}–{high:.3}"));
    }

    svg.rect("p-frame", [LEFT, TOP], [SIDE; 2]);
    let [x, y] = at([0.5, 0.5]);
    svg.path("p-grid", &format!("M{LEFT} {y}h{SIDE}M{x} {TOP}v{SIDE}"));
    for share in [0.0, 0.5, 1.0] {
        let label = &(share * limit).to_string();
        let [x, y] = at([share, share]);
        svg.text([x, TOP + SIDE + 13.0], Anchor::Middle, "p-tick", label);
        svg.text([LEFT - 5.0, y + 3.0], Anchor::End, "p-tick", label);
    }
    svg
}

/// Returns where a point of the unit square is in a panel.
fn at([x, y]: Point) -> [f64; 2] {
    [LEFT + SIDE * x, TOP + SIDE * (1.0 - y)]
}

fn polyline(points: &[Point]) -> String {
    line(points.iter().map(|&point| at(point)))
}

/// Returns the area under a curve, closed along the floor.
fn area(points: &[Point]) -> String {
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

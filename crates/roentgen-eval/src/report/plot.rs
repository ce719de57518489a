//! Curves and intervals as SVG.
//!
//! Small multiples, one panel per finding, because fourteen lines in one frame cannot be told
//! apart. Colors are classes, so that a figure follows the reader's light or dark mode, both on the
//! page and in a file of its own. Areas in titles come from the evaluation, never from the drawn
//! points. The SVG is written by hand because plotting crates put colors into attributes, which
//! dark mode cannot change.

use std::fmt::Write;

use super::{Report, format::count};
use crate::{Bin, FindingFigures, Interval, Point, precision_recall_curve, reliability, roc_curve};

/// The style sheet of the figures, for a page or a file.
pub(crate) const STYLE: &str = include_str!("plot.css");

/// The maximum number of points of a curve: a panel is 170 units wide, so more would not be
/// visible.
const POINTS: usize = 200;
const WIDTH: f64 = 216.0;
const HEIGHT: f64 = 228.0;
const LEFT: f64 = 32.0;
const TOP: f64 = 38.0;
const SIDE: f64 = 170.0;
const COLUMNS: usize = 5;
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
                 in 15 equal bins. The area of a dot grows with its number of films; hollow dots \
                 have fewer than 10. Expected calibration error next to the name. Dashed: perfect \
                 calibration."
            }
        }
    }
}

/// Draws one panel per finding, each an SVG element for the page.
pub(super) fn panels(kind: Kind, report: &Report) -> Vec<String> {
    let element = |inside: String| {
        format!(
            "<svg class=\"p\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             xmlns=\"http://www.w3.org/2000/svg\">{inside}</svg>"
        )
    };
    insides(kind, report).into_iter().map(element).collect()
}

/// Draws all panels into one SVG file.
pub(super) fn picture(kind: Kind, report: &Report) -> String {
    let panels = insides(kind, report);
    let columns = panels.len().clamp(1, COLUMNS);
    // The title needs the width of three panels.
    let width = columns.max(3) as f64 * WIDTH + 32.0;
    let split = report.evaluation.split.as_deref().unwrap_or("split not recorded");
    let films = count(report.evaluation.images);
    let caption = wrap(&format!("{films} films, {split}. {}", kind.caption()), width - 48.0);
    let head = 58.0 + 16.0 * caption.len() as f64;
    let height = panels.len().div_ceil(columns) as f64 * HEIGHT + head + 12.0;

    let mut svg = format!(
        "<svg class=\"p\" xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n<style>\n{STYLE}</style>\n\
         <rect class=\"p-paper\" width=\"100%\" height=\"100%\"/>\n"
    );
    text(&mut svg, "p-title", 24.0, 32.0, &format!("{}: {}", kind.title(), report.title));
    for (index, line) in caption.iter().enumerate() {
        text(&mut svg, "p-caption", 24.0, 51.0 + 16.0 * index as f64, line);
    }
    for (index, panel) in panels.iter().enumerate() {
        let x = 16.0 + (index % columns) as f64 * WIDTH;
        let y = head + (index / columns) as f64 * HEIGHT;
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">{panel}</g>");
    }
    svg + "</svg>\n"
}

/// Breaks a text into lines of a width, assuming the average width of a 12 px letter.
fn wrap(text: &str, width: f64) -> Vec<String> {
    let most = (width / 6.6) as usize;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn insides(kind: Kind, report: &Report) -> Vec<String> {
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

fn roc(figures: &FindingFigures, curve: Option<Vec<Point>>) -> String {
    let mut svg = frame(figures, figures.auroc, figures.auroc_ci95);
    let Some(curve) = curve else { return svg };
    path(&mut svg, "p-chance", &[[0.0, 0.0], [1.0, 1.0]], "");
    path(&mut svg, "p-area", &curve, &close());
    path(&mut svg, "p-curve", &curve, "");
    if let Some(point) = figures.operating_points.first()
        && let (Some(sensitivity), Some(specificity)) = (point.sensitivity, point.specificity)
    {
        dot(&mut svg, "p-point", [1.0 - specificity, sensitivity], 3.6);
    }
    svg
}

fn precision_recall(figures: &FindingFigures, curve: Option<Vec<Point>>) -> String {
    let mut svg = frame(figures, figures.average_precision, figures.average_precision_ci95);
    let (Some(curve), Some(prevalence)) = (curve, figures.prevalence()) else { return svg };
    path(&mut svg, "p-area", &curve, &close());
    path(&mut svg, "p-chance", &[[0.0, prevalence], [1.0, prevalence]], "");
    path(&mut svg, "p-curve", &curve, "");
    if let Some(point) = figures.operating_points.first()
        && let (Some(recall), Some(precision)) = (point.sensitivity, point.ppv)
    {
        dot(&mut svg, "p-point", [recall, precision], 3.6);
    }
    svg
}

fn reliability_panel(figures: &FindingFigures, probabilities: &[f64], truths: &[bool]) -> String {
    let mut svg = frame(figures, figures.ece, None);
    let bins = reliability(probabilities, truths);
    let point = |bin: &Bin| [bin.mean_probability, bin.observed];
    // A bin of two films is at 0, 0.5 or 1 whatever the model does, so the line leaves it out.
    let (full, sparse): (Vec<Bin>, Vec<Bin>) = bins.iter().partition(|bin| bin.count >= FULL);
    path(&mut svg, "p-chance", &[[0.0, 0.0], [1.0, 1.0]], "");
    path(&mut svg, "p-link", &full.iter().map(point).collect::<Vec<_>>(), "");
    for bin in &full {
        let share = bin.count as f64 / truths.len() as f64;
        dot(&mut svg, "p-bin", point(bin), 2.0 + 7.0 * share.sqrt());
    }
    for bin in &sparse {
        dot(&mut svg, "p-sparse", point(bin), 2.0);
    }
    svg
}

/// Draws the frame with the name, the value and its interval.
fn frame(figures: &FindingFigures, value: Option<f64>, interval: Option<Interval>) -> String {
    let mut svg = String::new();
    let right = LEFT + SIDE;
    let value = value.map_or("n/a".into(), |value| format!("{value:.3}"));
    text(&mut svg, "p-name", LEFT, 14.0, &figures.name.replace('_', " "));
    text(&mut svg, "p-value\" text-anchor=\"end", right, 14.0, &value);
    let note = match interval {
        Some(Interval { low, high }) => format!("{low:.3}–{high:.3}"),
        None => String::new(),
    };
    text(&mut svg, "p-note", LEFT, 29.0, &format!("{} positive", count(figures.positives)));
    text(&mut svg, "p-note\" text-anchor=\"end", right, 29.0, &note);

    let _ = write!(
        svg,
        "<rect class=\"p-frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>"
    );
    let (middle_x, middle_y) = (LEFT + SIDE / 2.0, TOP + SIDE / 2.0);
    let _ = write!(
        svg,
        "<path class=\"p-grid\" d=\"M{LEFT} {middle_y}h{SIDE}M{middle_x} {TOP}v{SIDE}\"/>"
    );
    for (share, label) in [(0.0, "0"), (0.5, "0.5"), (1.0, "1")] {
        let (x, y) = at([share, share]);
        text(&mut svg, "p-tick\" text-anchor=\"middle", x, TOP + SIDE + 13.0, label);
        text(&mut svg, "p-tick\" text-anchor=\"end", LEFT - 5.0, y + 3.0, label);
    }
    svg
}

fn at([x, y]: Point) -> (f64, f64) {
    (LEFT + SIDE * x, TOP + SIDE * (1.0 - y))
}

fn path(svg: &mut String, class: &str, points: &[Point], end: &str) {
    let _ = write!(svg, "<path class=\"{class}\" d=\"");
    for (index, &point) in points.iter().enumerate() {
        let (x, y) = at(point);
        let _ = write!(svg, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    let _ = write!(svg, "{end}\"/>");
}

/// Closes the area under a curve along the floor.
fn close() -> String {
    let floor = TOP + SIDE;
    format!("V{floor}H{LEFT}Z")
}

fn dot(svg: &mut String, class: &str, point: Point, radius: f64) {
    let (x, y) = at(point);
    let _ =
        write!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
}

pub(crate) fn text(svg: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let text = escape(text);
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{text}</text>");
}

/// Escapes a text for an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_captions_are_broken() {
        assert_eq!(wrap("one two three", 66.0), ["one two", "three"]);
    }

    #[test]
    fn names_are_escaped() {
        let mut svg = String::new();
        text(&mut svg, "p-name", 0.0, 0.0, "<a> & b");

        assert!(svg.contains("&lt;a&gt; &amp; b"));
    }
}

//! Intervals as small pictures in a column of a table.
//!
//! All pictures of a page share one axis, from `low` to one, so that they can be compared by eye.

use std::fmt::Write;

use super::plot::text;
use crate::Interval;

/// Draws an interval as a line with a dot, on an axis from `low` to one.
pub(super) fn whisker(value: Option<f64>, interval: Option<Interval>, low: f64) -> String {
    let x = |value: f64| 6.0 + 148.0 * (value - low) / (1.0 - low);
    let mut svg =
        String::from("<svg class=\"p whisker\" viewBox=\"0 0 160 16\" aria-hidden=\"true\">");
    for tenth in tenths(low) {
        let _ = write!(svg, "<path class=\"p-grid\" d=\"M{:.1} 0v16\"/>", x(tenth));
    }
    if let Some(Interval { low, high }) = interval {
        let (from, to) = (x(low), x(high));
        let _ = write!(svg, "<path class=\"p-whisker\" d=\"M{from:.1} 8H{to:.1}\"/>");
    }
    if let Some(value) = value {
        let _ = write!(svg, "<path class=\"p-mark\" d=\"M{:.1} 3v10\"/>", x(value));
    }
    svg + "</svg>"
}

/// Draws the numbers above a column of whiskers.
pub(super) fn axis(low: f64) -> String {
    let x = |value: f64| 6.0 + 148.0 * (value - low) / (1.0 - low);
    let mut svg =
        String::from("<svg class=\"p whisker\" viewBox=\"0 0 160 12\" aria-hidden=\"true\">");
    for tenth in tenths(low) {
        let label = if tenth > 0.95 { "1".into() } else { format!(".{:.0}", tenth * 10.0) };
        text(&mut svg, "p-tick\" text-anchor=\"middle", x(tenth), 10.0, &label);
    }
    svg + "</svg>"
}

fn tenths(low: f64) -> impl Iterator<Item = f64> {
    let first = (low * 10.0).round() as u32;
    (first..=10).map(|tenth| f64::from(tenth) / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whisker_lies_where_its_axis_says() {
        let svg = whisker(Some(0.75), Some(Interval { low: 0.5, high: 1.0 }), 0.5);

        assert!(svg.contains("M6.0 8H154.0") && svg.contains("M80.0 3v10"), "{svg}");
        assert!(axis(0.3).contains(">.3<") && axis(0.5).contains(">1<"));
    }

    #[test]
    fn a_figure_without_a_meaning_is_an_empty_line() {
        let svg = whisker(None, None, 0.5);

        assert!(!svg.contains("p-mark") && !svg.contains("p-whisker"));
    }
}

//! Intervals as small pictures in a column of a table.
//!
//! All pictures of a page share one axis, from `low` to one, so that they can be compared by eye.

use roentgen_figures::{Anchor, Said, Svg};

use crate::Interval;

/// Draws an interval as a line with a dot, on an axis from `low` to one.
pub(super) fn whisker(value: Option<f64>, interval: Option<Interval>, low: f64) -> String {
    let x = |value: f64| 6.0 + 148.0 * (value - low) / (1.0 - low);
    let mut svg = Svg::new();
    for tenth in tenths(low) {
        svg.path("p-grid", &format!("M{:.1} 0v16", x(tenth)));
    }
    if let Some(Interval { low, high }) = interval {
        svg.path("p-whisker", &format!("M{:.1} 8H{:.1}", x(low), x(high)));
    }
    if let Some(value) = value {
        svg.path("p-mark", &format!("M{:.1} 3v10", x(value)));
    }
    svg.element("p whisker", [16.0, 160.0], Said::Nothing)
}

/// Draws the numbers above a column of whiskers.
pub(super) fn axis(low: f64) -> String {
    let x = |value: f64| 6.0 + 148.0 * (value - low) / (1.0 - low);
    let mut svg = Svg::new();
    for tenth in tenths(low) {
        let label = if tenth > 0.95 { "1".into() } else { format!(".{:.0}", tenth * 10.0) };
        svg.text([x(tenth), 10.0], Anchor::Middle, "p-tick", &label);
    }
    svg.element("p whisker", [12.0, 160.0], Said::Nothing)
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

//! Curves of many runs in one frame.
//!
//! More than eight colours cannot be told apart, so the best eight runs by their last value have a
//! colour and a name, and the others are drawn thin and gray behind them.

use std::fmt::Write;

use crate::report::plot::{escape, text};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 250.0;
const BOTTOM: f64 = 36.0;
/// The number of runs with a colour and a name.
const NAMED: usize = 8;

/// One run's figure by epoch, from the first on; `None` if it is undefined.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<Option<f64>>,
}

/// Draws the curves, given best first, as an SVG element for the page.
pub(super) fn curves(curves: &[Curve<'_>], label: &str) -> String {
    let values = || curves.iter().flat_map(|curve| curve.values.iter().flatten().copied());
    let epochs = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let (least, greatest) = range(values());
    let x = |epoch: usize| {
        let share = if epochs < 2 { 0.5 } else { epoch as f64 / (epochs - 1) as f64 };
        LEFT + (WIDTH - LEFT - RIGHT) * share
    };
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (greatest - value) / (greatest - least);
    let mut svg = format!(
        "<svg class=\"p\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         xmlns=\"http://www.w3.org/2000/svg\"><title>{}</title>",
        escape(label)
    );
    for tick in ticks(least, greatest) {
        let _ =
            write!(svg, "<path class=\"p-grid\" d=\"M{LEFT} {:.1}H{}\"/>", y(tick), WIDTH - RIGHT);
        text(
            &mut svg,
            "p-tick\" text-anchor=\"end",
            LEFT - 6.0,
            (y(tick) + 3.0).round(),
            &shown(tick, greatest - least),
        );
    }
    let step = epochs.div_ceil(12).max(1);
    for epoch in (0..epochs).step_by(step) {
        let label = (epoch + 1).to_string();
        text(&mut svg, "p-tick\" text-anchor=\"middle", x(epoch), HEIGHT - BOTTOM + 15.0, &label);
    }
    text(
        &mut svg,
        "p-note\" text-anchor=\"middle",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 6.0,
        "epoch",
    );
    for (number, curve) in curves.iter().enumerate().rev() {
        let class = if number < NAMED { format!("c c{number}") } else { "c c-other".to_owned() };
        let points = curve.values.iter().enumerate();
        let points = points.filter_map(|(epoch, value)| Some((x(epoch), y((*value)?))));
        let points: Vec<(f64, f64)> = points.collect();
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        let name = escape(curve.name);
        let _ = write!(svg, "<path class=\"{class}\" d=\"{path}\"><title>{name}</title></path>");
        if let Some((x, y)) = points.last().filter(|_| number < NAMED) {
            let _ =
                write!(svg, "<circle class=\"d d{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
    }
    for (number, curve) in curves.iter().take(NAMED).enumerate() {
        let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 14.0 + 19.0 * number as f64);
        let _ = write!(svg, "<path class=\"c c{number}\" d=\"M{x} {:.1}h16\"/>", y - 4.0);
        text(&mut svg, "p-note", x + 22.0, y, &cut(curve.name, 42));
    }
    if curves.len() > NAMED {
        let y = TOP + 14.0 + 19.0 * NAMED as f64;
        let more = format!("and {} more in gray", curves.len() - NAMED);
        text(&mut svg, "p-note", WIDTH - RIGHT + 38.0, y, &more);
    }
    svg + "</svg>"
}

/// Returns the range of the values with a small margin, or a default range if there are none.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, greatest) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if !least.is_finite() {
        return (0.0, 1.0);
    }
    let room = (0.04 * (greatest - least)).max(1e-3);
    (least - room, greatest + room)
}

/// Returns four to eight round numbers in a range.
fn ticks(least: f64, greatest: f64) -> Vec<f64> {
    let rough = (greatest - least) / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&step| step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let first = (least / step).ceil() as i64;
    let last = (greatest / step).floor() as i64;
    (first..=last).map(|tick| tick as f64 * step).collect()
}

fn shown(value: f64, range: f64) -> String {
    let digits = (1.0 - range.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.digits$}")
}

fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_value_is_at_the_top_and_names_are_escaped() {
        let of = |name, values: &[f64]| Curve {
            name,
            values: values.iter().copied().map(Some).collect(),
        };
        let svg = curves(&[of("<a>", &[1.0, 3.0]), of("b", &[2.0, 2.0])], "loss");

        assert!(svg.contains("&lt;a&gt;") && !svg.contains("<a>"));
        let points = svg.split("class=\"c c0\" d=\"M").nth(1).unwrap().split('"').next().unwrap();
        let ys: Vec<f64> = points
            .split('L')
            .map(|point| point.split(' ').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(ys[0] > ys[1], "{points}");
    }

    #[test]
    fn ticks_are_round_and_inside() {
        for range in [0.06, 0.1, 0.13, 0.25, 0.99] {
            assert!((4..=9).contains(&ticks(0.27, 0.27 + range).len()), "{range}");
        }
        for tick in ticks(0.2871, 0.3219) {
            assert!((0.2871..=0.3219).contains(&tick), "{tick}");
            assert!((tick * 200.0 - (tick * 200.0).round()).abs() < 1e-6, "{tick}");
        }
    }

    #[test]
    fn runs_without_values_make_an_empty_frame() {
        assert!(curves(&[], "loss").ends_with("</svg>"));
        assert!(curves(&[Curve { name: "a", values: vec![None] }], "AUROC").contains("epoch"));
    }
}

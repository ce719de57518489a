//! Curves of many runs in one frame.
//!
//! More than eight colours cannot be told apart, so the best eight runs by their last value have a
//! colour and a name, and the others are drawn thin and gray behind them.

use roentgen_figures::{Anchor, Svg, decimals, fit, line};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 250.0;
const BOTTOM: f64 = 36.0;
/// Font size of names.
const LETTER: f64 = 9.5;
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
    let mut svg = Svg::new();
    svg.title(label);
    for tick in ticks(least, greatest) {
        svg.path("p-grid", &format!("M{LEFT} {:.1}H{}", y(tick), WIDTH - RIGHT));
        let at = [LEFT - 6.0, (y(tick) + 3.0).round()];
        svg.text(at, Anchor::End, "p-tick", &shown(tick, greatest - least));
    }
    let step = epochs.div_ceil(12).max(1);
    for epoch in (0..epochs).step_by(step) {
        let at = [x(epoch), HEIGHT - BOTTOM + 15.0];
        svg.text(at, Anchor::Middle, "p-tick", &(epoch + 1).to_string());
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    svg.text([middle, HEIGHT - 6.0], Anchor::Middle, "p-note", "epoch");
    for (number, curve) in curves.iter().enumerate().rev() {
        let class = if number < NAMED { format!("c c{number}") } else { "c c-other".to_owned() };
        let points = curve.values.iter().enumerate();
        let points = points.filter_map(|(epoch, value)| Some([x(epoch), y((*value)?)]));
        let points: Vec<[f64; 2]> = points.collect();
        svg.titled_path(&class, &[], &line(points.iter().copied()), curve.name);
        if let Some(&point) = points.last().filter(|_| number < NAMED) {
            svg.circle(&format!("d d{number}"), point, 3.0);
        }
    }
    for (number, curve) in curves.iter().take(NAMED).enumerate() {
        let (x, y) = (WIDTH - RIGHT + 16.0, TOP + 14.0 + 19.0 * number as f64);
        svg.path(&format!("c c{number}"), &format!("M{x} {:.1}h16", y - 4.0));
        let name = fit(curve.name, LETTER, WIDTH - x - 22.0);
        svg.text([x + 22.0, y], Anchor::Start, "p-note", &name);
    }
    if curves.len() > NAMED {
        let y = TOP + 14.0 + 19.0 * NAMED as f64;
        let more = format!("and {} more in gray", curves.len() - NAMED);
        svg.text([WIDTH - RIGHT + 38.0, y], Anchor::Start, "p-note", &more);
    }
    svg.element("p", [HEIGHT, WIDTH], false)
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
    decimals(Some(value), digits)
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

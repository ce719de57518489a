//! Curves of many runs in one frame.
//!
//! More than eight colours cannot be told apart, so the best eight runs by their last value have a
//! colour and a name, and the others are drawn thin and gray below them.

use roentgen_figures::{Anchor, Said, Svg, decimals, line};
use serde::Serialize;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 12.0;
const BOTTOM: f64 = 36.0;
/// The number of runs with a colour and a name.
const NAMED: usize = 8;

/// One run's figures by epoch, from the first on; `None` if undefined.
pub(super) struct Curve<'a> {
    pub(super) name: &'a str,
    pub(super) valid: Vec<Option<f64>>,
    /// Drawn dashed.
    pub(super) train: Vec<Option<f64>>,
}

/// Curves, and a legend that is text of the page, so that it breaks into lines on a phone.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    svg: String,
    /// A sample of the line, and the name.
    legend: Vec<(String, String)>,
    /// Runs that are drawn in gray, without a name.
    unnamed: usize,
    has_training: bool,
}

/// Draws the curves, given best first, for the page.
pub(super) fn chart(curves: &[Curve<'_>], label: &str) -> Chart {
    let sample = |number: usize| {
        let mut svg = Svg::new();
        svg.path(&format!("c c{number}"), "M1 5h20");
        svg.element("p sample", [10.0, 22.0], Said::Nothing)
    };
    let named = curves.iter().take(NAMED).enumerate();
    Chart {
        svg: draw(curves).element("p", [HEIGHT, WIDTH], Said::Text(&describe(curves, label))),
        legend: named.map(|(number, curve)| (sample(number), curve.name.to_owned())).collect(),
        unnamed: curves.len().saturating_sub(NAMED),
        has_training: curves
            .iter()
            .take(NAMED)
            .any(|curve| curve.train.iter().any(Option::is_some)),
    }
}

/// States the last value of each named curve.
fn describe(curves: &[Curve<'_>], label: &str) -> String {
    let last = |curve: &Curve<'_>| {
        let last = curve.valid.iter().flatten().next_back().copied();
        format!("{} {}", curve.name, decimals(last, 4))
    };
    let named: Vec<String> = curves.iter().take(NAMED).map(last).collect();
    match named.is_empty() {
        true => label.to_owned(),
        false => format!("{label}; at the last epoch: {}", named.join(", ")),
    }
}

fn draw(curves: &[Curve<'_>]) -> Svg {
    let values = curves.iter().enumerate().flat_map(|(number, curve)| {
        let train = if number < NAMED { curve.train.as_slice() } else { &[] };
        curve.valid.iter().chain(train).flatten().copied()
    });
    let epochs = curves.iter().map(|curve| curve.valid.len()).max().unwrap_or(0);
    let (least, greatest) = range(values);
    let x = |epoch: usize| {
        let share = if epochs < 2 { 0.5 } else { epoch as f64 / (epochs - 1) as f64 };
        LEFT + (WIDTH - LEFT - RIGHT) * share
    };
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (greatest - value) / (greatest - least);
    let mut svg = Svg::new();
    for tick in ticks(least, greatest) {
        svg.path("p-grid", &format!("M{LEFT} {:.1}H{}", y(tick), WIDTH - RIGHT));
        let at = [LEFT - 6.0, (y(tick) + 3.0).round()];
        svg.text(at, Anchor::End, "p-tick", &format_value(tick, greatest - least));
    }
    let step = epochs.div_ceil(12).max(1);
    for epoch in (0..epochs).step_by(step) {
        let at = [x(epoch), HEIGHT - BOTTOM + 15.0];
        svg.text(at, Anchor::Middle, "p-tick", &(epoch + 1).to_string());
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    svg.text([middle, HEIGHT - 6.0], Anchor::Middle, "p-note", "epoch");
    let points = |values: &[Option<f64>]| -> Vec<[f64; 2]> {
        let points = values.iter().enumerate();
        points.filter_map(|(epoch, value)| Some([x(epoch), y((*value)?)])).collect()
    };
    for (number, curve) in curves.iter().enumerate().rev() {
        let class = if number < NAMED { format!("c c{number}") } else { "c c-other".to_owned() };
        let train = points(&curve.train);
        if number < NAMED && !train.is_empty() {
            let title = format!("{}, training", curve.name);
            svg.titled_path(&format!("{class} c-train"), &[], &line(train), &title);
        }
        let valid = points(&curve.valid);
        svg.titled_path(&class, &[], &line(valid.iter().copied()), curve.name);
        if let Some(&point) = valid.last().filter(|_| number < NAMED) {
            svg.circle(&format!("d d{number}"), point, 3.0);
        }
    }
    svg
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

fn format_value(value: f64, range: f64) -> String {
    let digits = (1.0 - range.log10().floor()).clamp(0.0, 6.0) as usize;
    decimals(Some(value), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve<'a>(name: &'a str, valid: &[f64], train: &[f64]) -> Curve<'a> {
        let values = |values: &[f64]| values.iter().copied().map(Some).collect();
        Curve { name, valid: values(valid), train: values(train) }
    }

    /// The heights of the points of the path with this class.
    fn heights(svg: &str, class: &str) -> Vec<f64> {
        let start = format!("<path class=\"{class}\" d=\"M");
        let points = svg.split(&start).nth(1).unwrap().split('"').next().unwrap();
        points.split('L').map(|point| point.split(' ').nth(1).unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn the_greatest_value_is_at_the_top_and_names_are_escaped() {
        let chart = chart(&[curve("<a>", &[1.0, 3.0], &[]), curve("b", &[2.0, 2.0], &[])], "loss");

        assert!(chart.svg.contains("&lt;a&gt;") && !chart.svg.contains("<a>"));
        let heights = heights(&chart.svg, "c c0");
        assert!(heights[0] > heights[1], "{heights:?}");
        assert!(!chart.has_training);
        assert!(
            chart
                .svg
                .contains("aria-label=\"loss; at the last epoch: &lt;a&gt; 3.0000, b 2.0000\"")
        );
    }

    #[test]
    fn training_loss_is_on_the_same_axis_and_dashed() {
        let chart = chart(&[curve("a", &[0.5, 0.6], &[0.4, 0.2]), curve("b", &[0.7], &[0.7])], "");

        assert!(chart.has_training);
        let (train, valid) = (heights(&chart.svg, "c c0 c-train"), heights(&chart.svg, "c c0"));
        assert!(train[1] > train[0] && train[0] > valid[0], "{train:?} {valid:?}");
        assert_eq!(chart.svg.matches("c-train").count(), 2);
    }

    #[test]
    fn only_named_runs_show_training() {
        let all: Vec<Curve> = (0..11).map(|_| curve("a", &[0.5, 0.4], &[0.3, 9.0])).collect();
        let chart = chart(&all, "");

        assert_eq!((chart.legend.len(), chart.unnamed), (NAMED, 3));
        assert_eq!(chart.svg.matches("c-train").count(), NAMED);
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
        assert!(chart(&[], "loss").svg.ends_with("</svg>"));
        let empty = Curve { name: "a", valid: vec![None], train: vec![None] };
        assert!(chart(&[empty], "AUROC").svg.contains("epoch"));
    }
}

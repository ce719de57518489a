//! A chord diagram of findings that occur together, after figure 2 of [ChestX-ray8][paper].
//!
//! Each finding has an arc: a pale part for the films that show it alone, then a part for each
//! other finding, as wide as the number of films that show both. A film with three findings counts
//! in three pairs, so an arc can be longer than the number of films of its finding.
//!
//! [paper]: https://arxiv.org/abs/1705.02315

use crate::number::thousands;
use crate::page::{LETTER, empty_page, page};
use crate::svg::{Anchor, Svg};
use crate::text::{fit, text_width};
use std::f64::consts::{PI, TAU};

/// Fourteen colours that can be told apart on white and on black; further items start again from
/// the first.
///
/// They are Tableau's ten, with the two pinks moved apart, and four more in the gaps between their
/// hues.
const PALETTE: [&str; 14] = [
    "#4e79a7", "#e15759", "#f28e2b", "#5fb7b0", "#59a14f", "#e6bf3c", "#a878b8", "#ff9da7",
    "#9c755f", "#5b5fc7", "#1fa3d1", "#a3ad2f", "#cf4592", "#8c95a3",
];

const RADIUS: f64 = 290.0;
/// The thickness of an arc.
const BAND: f64 = 16.0;
/// The gap between an arc and its ribbons.
const SPACE: f64 = 3.0;
/// The gap between arcs, which leaves room for a name even if an arc has no length.
const GAP: f64 = 0.05;
const MOST_NAME: f64 = 150.0;
const NOTE: &str =
    "Pale: films with that finding only. A ribbon has the colour of the rarer of its two findings.";

/// The position of a finding on the circle, in radians from the top, clockwise.
#[derive(Clone, Copy, Debug)]
struct Arc {
    start: f64,
    /// The end of the films that show it alone, the start of its ribbons.
    alone: f64,
    end: f64,
}

impl Arc {
    fn middle(&self) -> f64 {
        (self.start + self.end) / 2.0
    }
}

/// A ribbon that joins two findings.
#[derive(Clone, Debug)]
struct Ribbon {
    pair: [usize; 2],
    films: usize,
    /// Start and end of each of its two feet.
    feet: [[f64; 2]; 2],
}

/// Draws the findings `names` as arcs and the films that show two of them as ribbons.
///
/// `together[a][b]` with `a < b` is the number of films that show both, `together[a][a]` the number
/// that show only `a`. The other half is not read, and missing entries count as zero. A ribbon has
/// the colour of its rarer finding, and the widest ribbon is drawn first, so that narrow ones are
/// on top.
pub fn chord(title: &str, caption: &str, names: &[String], together: &[Vec<usize>]) -> String {
    let (arcs, ribbons) = layout(names.len(), together);
    if arcs.iter().all(|arc| arc.end <= arc.start) {
        return empty_page(title, caption, "No film has a finding.");
    }
    let [top, right, bottom, left] = measure_reach(&arcs, names);
    let mut svg = Svg::new();
    svg.group(&[("transform", &format!("translate({left:.1} {top:.1})"))], |svg| {
        for ribbon in &ribbons {
            draw_ribbon(svg, ribbon, &arcs, names);
        }
        for (index, (arc, name)) in arcs.iter().zip(names).enumerate() {
            draw_arc(svg, index, arc, name, films(together, index, index));
        }
    });
    let (height, width) = (top + bottom + 28.0, left + right);
    svg.text([left, height], Anchor::Middle, "p-soft", NOTE);
    page(title, caption, [height, width], &svg)
}

/// Returns how far names reach from the centre: up, right, down, left.
fn measure_reach(arcs: &[Arc], names: &[String]) -> [f64; 4] {
    arcs.iter().zip(names).fold([RADIUS + LETTER; 4], |[top, right, bottom, left], (arc, name)| {
        let radius = RADIUS + LETTER + text_width(name, LETTER).min(MOST_NAME);
        let (x, y) = (radius * arc.middle().sin(), -radius * arc.middle().cos());
        [top.max(-y), right.max(x), bottom.max(y), left.max(-x)]
    })
}

/// Returns the number of films that show both findings, or only that finding if `a` equals `b`.
fn films(together: &[Vec<usize>], a: usize, b: usize) -> usize {
    together.get(a.min(b)).and_then(|row| row.get(a.max(b))).copied().unwrap_or(0)
}

/// Places arcs and ribbons; the widest ribbon comes first.
fn layout(findings: usize, together: &[Vec<usize>]) -> (Vec<Arc>, Vec<Ribbon>) {
    let total: usize =
        (0..findings).flat_map(|a| (0..findings).map(move |b| films(together, a, b))).sum();
    let gap = GAP.min(0.5 * TAU / findings.max(1) as f64);
    let scale = (TAU - gap * findings as f64) / total.max(1) as f64;

    let mut feet = Vec::with_capacity(findings);
    let mut arcs = Vec::with_capacity(findings);
    let mut at = gap / 2.0;
    for a in 0..findings {
        let start = at;
        at += films(together, a, a) as f64 * scale;
        let alone = at;
        let mut own = vec![[0.0; 2]; findings];
        // Neighbours come first, from their side, so that ribbons cross only if they must.
        for b in (1..findings).map(|step| (a + findings - step) % findings) {
            let end = at + films(together, a, b) as f64 * scale;
            own[b] = [at, end];
            at = end;
        }
        feet.push(own);
        arcs.push(Arc { start, alone, end: at });
        at += gap;
    }

    let pairs = (0..findings).flat_map(|a| (a + 1..findings).map(move |b| [a, b]));
    let mut ribbons: Vec<Ribbon> = pairs
        .map(|[a, b]| Ribbon {
            pair: [a, b],
            films: films(together, a, b),
            feet: [feet[a][b], feet[b][a]],
        })
        .filter(|ribbon| ribbon.films > 0)
        .collect();
    ribbons.sort_by_key(|ribbon| std::cmp::Reverse(ribbon.films));
    (arcs, ribbons)
}

fn draw_ribbon(svg: &mut Svg, ribbon: &Ribbon, arcs: &[Arc], names: &[String]) {
    let [a, b] = ribbon.pair;
    let length = |index: usize| arcs[index].end - arcs[index].start;
    let colour = colour(if length(a) < length(b) { a } else { b });
    let radius = RADIUS - BAND - SPACE;
    let [first, second] = ribbon.feet;
    let d = format!(
        "M{}{}Q{} {}{}Q{} {}Z",
        point(first[0], radius),
        curve(first, radius),
        control_point(first[1], second[0], radius),
        point(second[0], radius),
        curve(second, radius),
        control_point(second[1], first[0], radius),
        point(first[0], radius)
    );
    let title = format!("{} and {}: {}", names[a], names[b], thousands(ribbon.films));
    svg.titled_path("p-ribbon", &[("fill", &colour), ("stroke", &colour)], &d, &title);
}

fn draw_arc(svg: &mut Svg, index: usize, arc: &Arc, name: &str, alone: usize) {
    svg.group(&[("fill", &colour(index))], |svg| {
        svg.title(&format!("{name}, alone: {}", thousands(alone)));
        band(svg, "p-alone", [arc.start, arc.alone]);
        band(svg, "p-shared", [arc.alone, arc.end]);
    });

    let middle = arc.middle();
    let class = if arc.end > arc.start { "p-label" } else { "p-soft" };
    // On the left the name would be upside down.
    let (turn, anchor, x) = match middle < PI {
        true => (-90.0, Anchor::Start, RADIUS + 8.0),
        false => (90.0, Anchor::End, -RADIUS - 8.0),
    };
    let transform = format!("rotate({:.2})", middle.to_degrees() + turn);
    let name = fit(name, LETTER, MOST_NAME);
    svg.transformed_text(&transform, [x, 4.0], anchor, class, &name);
}

/// Draws a piece of the ring.
fn band(svg: &mut Svg, class: &str, [start, end]: [f64; 2]) {
    if end <= start {
        return;
    }
    let inner = RADIUS - BAND;
    let is_large = u8::from(end - start > PI);
    let d = format!(
        "M{}{}L{}A{inner} {inner} 0 {is_large} 0 {}Z",
        point(start, RADIUS),
        curve([start, end], RADIUS),
        point(end, inner),
        point(start, inner)
    );
    svg.path(class, &d);
}

/// Continues a path along an arc from its start, clockwise.
fn curve([start, end]: [f64; 2], radius: f64) -> String {
    let is_large = u8::from(end - start > PI);
    format!("A{radius} {radius} 0 {is_large} 1 {}", point(end, radius))
}

fn point(angle: f64, radius: f64) -> String {
    format!("{:.2} {:.2}", radius * angle.sin(), -radius * angle.cos())
}

/// Returns the control point that bends the side of a ribbon inwards: the centre for opposite feet,
/// a point further out for neighbours.
fn control_point(from: f64, to: f64, radius: f64) -> String {
    let way = (to - from).rem_euclid(TAU);
    let (way, middle) =
        if way > PI { (TAU - way, from + way / 2.0 + PI) } else { (way, from + way / 2.0) };
    point(middle, radius * 0.6 * (1.0 - way / PI))
}

fn colour(index: usize) -> &'static str {
    PALETTE[index % PALETTE.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn together() -> Vec<Vec<usize>> {
        vec![vec![50, 7, 3, 0], vec![7, 0, 11, 0], vec![3, 11, 20, 0], vec![0, 0, 0, 0]]
    }

    #[test]
    fn the_ribbons_of_a_finding_are_as_wide_as_its_shared_arc() {
        let (arcs, ribbons) = layout(4, &together());

        for (finding, arc) in arcs.iter().enumerate() {
            let feet = ribbons.iter().flat_map(|ribbon| ribbon.pair.iter().zip(ribbon.feet));
            let of = feet.filter(|(of, _)| **of == finding);
            let width: f64 = of.map(|(_, [start, end])| end - start).sum();
            assert!((width - (arc.end - arc.alone)).abs() < 1e-9, "{finding}");
        }
    }

    #[test]
    fn widths_are_in_proportion_to_films_and_fill_the_circle() {
        let (arcs, ribbons) = layout(4, &together());
        let scale = (arcs[0].alone - arcs[0].start) / 50.0;

        for ribbon in &ribbons {
            for [start, end] in ribbon.feet {
                assert!((end - start - ribbon.films as f64 * scale).abs() < 1e-9);
            }
        }
        assert!((arcs[3].end + GAP / 2.0 - TAU).abs() < 1e-9);
    }

    #[test]
    fn the_widest_ribbon_is_drawn_first() {
        let (_, ribbons) = layout(4, &together());

        assert_eq!(ribbons.iter().map(|ribbon| ribbon.films).collect::<Vec<_>>(), [11, 7, 3]);
    }

    #[test]
    fn a_finding_without_films_keeps_its_name_and_has_no_length() {
        let svg = chord("t", "c", &names(&["a", "b", "c", "Hernia"]), &together());
        let (arcs, _) = layout(4, &together());

        assert_well_formed(&svg);
        assert!(svg.contains("p-soft") && svg.contains(">Hernia<"));
        assert_eq!(arcs[3].start, arcs[3].end);
        assert_eq!(svg.matches("<path class=\"p-ribbon\"").count(), 3);
    }

    #[test]
    fn no_findings_and_no_films_are_said_to_be_none() {
        for (names, together) in [(vec![], vec![]), (names(&["a", "b"]), vec![vec![0; 2]; 2])] {
            let svg = chord("t", "c", &names, &together);

            assert_well_formed(&svg);
            assert!(svg.contains("No film has a finding."));
        }
    }

    #[test]
    fn a_lone_finding_goes_nearly_round() {
        let svg = chord("t", "c", &names(&[HOSTILE]), &[vec![4]]);

        assert_well_formed(&svg);
        assert!(svg.contains("0 1 1"));
    }

    #[test]
    fn missing_counts_are_zero() {
        let svg = chord("t", "c", &names(&["a", "b", "c"]), &[vec![1, 2]]);

        assert_well_formed(&svg);
        assert!(svg.contains("<title>a and b: 2</title>"));
    }

    #[test]
    fn the_sides_of_ribbons_between_opposite_feet_pass_the_centre() {
        assert_eq!(control_point(0.0, PI, 100.0).replace('-', ""), "0.00 0.00");
        assert_eq!(control_point(0.1, 0.4, 100.0), control_point(0.4, 0.1, 100.0));
    }
}

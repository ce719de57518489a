//! A plane of numbers in the patient's frame, on which lines and areas are painted.
//!
//! Lengths are fractions of the film's width, so that a film looks the same at every size; the
//! origin is the film's upper left corner before the patient moves. The plane is wider than the
//! film by [`MARGIN`] on every side, which is the limit for shifting or rotating the patient in a
//! pose.

use std::ops::Range;

/// How far a plane extends beyond the film.
pub(super) const MARGIN: f32 = 0.07;

/// Minimum half width of a line in pixels; a thinner line becomes fainter instead.
const THINNEST: f32 = 0.6;

/// A point on the film, or a direction.
pub(super) type Point = [f32; 2];

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Area {
    /// Returns the rectangle that extends `rx` and `ry` to either side of `center`.
    pub(super) fn around([x, y]: Point, rx: f32, ry: f32) -> Self {
        Self { left: x - rx, top: y - ry, right: x + rx, bottom: y + ry }
    }

    /// Returns the smallest rectangle around `points`, or `None` if there are no points.
    pub(super) fn round(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        let points = points.into_iter().map(|point| Self::around(point, 0.0, 0.0));
        points.reduce(Self::union)
    }

    /// Returns the smallest rectangle around both.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Returns the rectangle extended by a rim.
    pub(super) fn extend(self, rim: f32) -> Self {
        let Self { left, top, right, bottom } = self;
        Self { left: left - rim, top: top - rim, right: right + rim, bottom: bottom + rim }
    }

    /// Returns the four corners.
    pub(super) fn corners(self) -> [Point; 4] {
        let Self { left, top, right, bottom } = self;
        [[left, top], [right, top], [left, bottom], [right, bottom]]
    }
}

/// A point of a line, with half the line's width and its density there.
#[derive(Clone, Copy)]
pub(super) struct Knot {
    pub(super) at: Point,
    pub(super) half: f32,
    pub(super) density: f32,
}

impl Knot {
    /// Creates a knot of density 1 at `[x, y]`.
    pub(super) fn new(x: f32, y: f32, half: f32) -> Self {
        Self { at: [x, y], half, density: 1.0 }
    }
}

/// A square plane of numbers.
#[derive(Clone)]
pub(super) struct Plane {
    side: usize,
    scale: f32,
    values: Vec<f32>,
}

impl Plane {
    /// Creates a plane of zeros for a film of `size` pixels.
    pub(super) fn new(size: usize) -> Self {
        let scale = size as f32;
        let side = (scale * (1.0 + 2.0 * MARGIN)).ceil() as usize;
        Self { side, scale, values: vec![0.0; side * side] }
    }

    /// Returns the width of a pixel.
    pub(super) fn pixel(&self) -> f32 {
        1.0 / self.scale
    }

    /// Returns the numbers in row-major order.
    #[cfg(test)]
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    fn coordinate(&self, index: usize) -> f32 {
        (index as f32 + 0.5) / self.scale - MARGIN
    }

    fn range(&self, from: f32, to: f32) -> Range<usize> {
        let index = |u: f32| (((u + MARGIN) * self.scale).max(0.0) as usize).min(self.side);
        index(from)..(index(to) + 1).min(self.side)
    }

    /// Calls `row` for every row with its height, its columns and its numbers.
    pub(super) fn rows(&mut self, mut row: impl FnMut(f32, Columns, &mut [f32])) {
        let columns = Columns { first: self.coordinate(0), step: self.pixel() };
        for index in 0..self.side {
            let y = self.coordinate(index);
            row(y, columns, &mut self.values[index * self.side..(index + 1) * self.side]);
        }
    }

    /// Replaces the numbers in `area` by the results of `brush(x, y, value)`.
    pub(super) fn edit(&mut self, area: Area, brush: impl Fn(f32, f32, f32) -> f32) {
        let columns = self.range(area.left, area.right);
        let places = Columns { first: self.coordinate(columns.start), step: self.pixel() };
        for row in self.range(area.top, area.bottom) {
            let y = self.coordinate(row);
            let reached = row * self.side + columns.start..row * self.side + columns.end;
            for (column, value) in self.values[reached].iter_mut().enumerate() {
                *value = brush(places.at(column), y, *value);
            }
        }
    }

    /// Adds a line through `knots`.
    ///
    /// `profile(r, softness)` is its density at `r` half widths from its middle; `softness` is one
    /// pixel in half widths. Where the line meets itself, it is not added twice.
    pub(super) fn stroke(&mut self, knots: &[Knot], profile: impl Fn(f32, f32) -> f32) {
        self.strokes(&[knots], profile);
    }

    /// Adds lines that may meet; where they do, they are not added twice.
    pub(super) fn strokes<L: AsRef<[Knot]>>(
        &mut self,
        lines: &[L],
        profile: impl Fn(f32, f32) -> f32,
    ) {
        let pixel = self.pixel();
        let thinnest = THINNEST * pixel;
        let reach = |knot: &Knot| {
            let half = knot.half.max(thinnest) * 1.2 + pixel;
            Area::around(knot.at, half, half)
        };
        let knots = lines.iter().flat_map(AsRef::as_ref);
        let Some(area) = knots.map(reach).reduce(Area::union) else { return };
        let (rows, columns) =
            (self.range(area.top, area.bottom), self.range(area.left, area.right));
        // For every pixel: squared distance in half widths, softness, density.
        let mut nearest = vec![(f32::MAX, 0.0f32, 0.0f32); rows.len() * columns.len()];

        for pair in lines.iter().flat_map(|line| line.as_ref().windows(2)) {
            let area = reach(&pair[0]).union(reach(&pair[1]));
            let [ax, ay] = pair[0].at;
            let (dx, dy) = (pair[1].at[0] - ax, pair[1].at[1] - ay);
            let inverse = (dx * dx + dy * dy).max(1e-12).recip();
            let reached = self.range(area.left, area.right);
            for row in self.range(area.top, area.bottom) {
                let y = self.coordinate(row) - ay;
                let start = (row - rows.start) * columns.len() + reached.start - columns.start;
                let places = reached.clone().map(|column| self.coordinate(column) - ax);
                for (x, best) in places.zip(&mut nearest[start..]) {
                    let t = ((x * dx + y * dy) * inverse).clamp(0.0, 1.0);
                    let wide = pair[0].half + (pair[1].half - pair[0].half) * t;
                    let narrow = wide.max(thinnest).recip();
                    let (ex, ey) = ((x - t * dx) * narrow, (y - t * dy) * narrow);
                    let square = ex * ex + ey * ey;
                    if square < best.0 {
                        let density = pair[0].density + (pair[1].density - pair[0].density) * t;
                        *best = (square, pixel * narrow, density * wide * narrow);
                    }
                }
            }
        }

        for row in rows.clone() {
            let start = (row - rows.start) * columns.len();
            let reached = row * self.side + columns.start..row * self.side + columns.end;
            for (value, found) in self.values[reached].iter_mut().zip(&nearest[start..]) {
                let &(square, softness, density) = found;
                if square < (1.2 + softness) * (1.2 + softness) {
                    *value += density * profile(square.sqrt(), softness);
                }
            }
        }
    }

    /// Returns the number at a point by bilinear interpolation; beyond the rim, the number on the
    /// rim.
    pub(super) fn sample(&self, x: f32, y: f32) -> f32 {
        let most = (self.side - 2) as f32;
        let u = ((x + MARGIN) * self.scale - 0.5).clamp(0.0, most + 0.999);
        let v = ((y + MARGIN) * self.scale - 0.5).clamp(0.0, most + 0.999);
        let (column, row) = (u as usize, v as usize);
        let (s, t) = (u - column as f32, v - row as f32);
        let at = row * self.side + column;
        let above = self.values[at] + s * (self.values[at + 1] - self.values[at]);
        let at = at + self.side;
        let below = self.values[at] + s * (self.values[at + 1] - self.values[at]);
        above + t * (below - above)
    }

    /// Replaces every number by `mix` of it and the numbers at the same position in `others`.
    pub(super) fn combine<const N: usize>(
        &mut self,
        others: [&Plane; N],
        mix: impl Fn(f32, [f32; N]) -> f32,
    ) {
        for (index, value) in self.values.iter_mut().enumerate() {
            *value = mix(*value, others.map(|other| other.values[index]));
        }
    }
}

/// Positions of the columns of a row.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    first: f32,
    step: f32,
}

impl Columns {
    /// Returns the position of a column.
    pub(super) fn at(self, column: usize) -> f32 {
        self.first + column as f32 * self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brush::solid_profile;

    #[test]
    fn a_line_that_turns_is_not_added_twice() {
        let mut plane = Plane::new(64);
        let knots = [[0.2, 0.5], [0.5, 0.5], [0.2, 0.52]].map(|[x, y]| Knot::new(x, y, 0.05));

        plane.stroke(&knots, solid_profile);

        assert!(plane.sample(0.3, 0.5) > 0.99);
        assert!(plane.values().iter().all(|&value| value <= 1.0));
    }

    #[test]
    fn a_line_thinner_than_a_pixel_is_faint() {
        let mut plane = Plane::new(64);

        plane.stroke(&[Knot::new(0.1, 0.5, 0.001), Knot::new(0.9, 0.5, 0.001)], solid_profile);

        let most = plane.values().iter().copied().fold(0.0, f32::max);
        assert!(most > 0.0 && most < 0.2, "{most}");
    }
}

//! What is painted with: lines and their profiles, patches, noise and soft edges.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Area, MARGIN, Point};

/// A point of a line, and half the line's width and its density there.
#[derive(Clone, Copy)]
pub(super) struct Knot {
    pub(super) at: Point,
    pub(super) half: f32,
    pub(super) density: f32,
}

impl Knot {
    /// A knot of density 1 at `[x, y]`.
    pub(super) fn new(x: f32, y: f32, half: f32) -> Self {
        Self { at: [x, y], half, density: 1.0 }
    }
}

/// Smooth noise in [-1, 1]: random numbers at the corners of a grid and a soft passage between.
pub(super) struct Noise {
    cells: usize,
    corners: Vec<f32>,
}

impl Noise {
    /// Noise with `cells` bumps across the plane.
    pub(super) fn new(cells: usize, rng: &mut ChaCha8Rng) -> Self {
        let corners = (0..(cells + 2) * (cells + 2)).map(|_| rng.random_range(-1.0..=1.0));
        Self { cells, corners: corners.collect() }
    }

    /// The noise with finer noise on it, for what is mottled.
    pub(super) fn mottled(&self, x: f32, y: f32) -> f32 {
        // Back and forth over the same corners, without a seam.
        let folded = |u: f32| 1.0 - ((2.3 * u + 0.31).rem_euclid(2.0) - 1.0).abs();
        0.75 * self.at(x, y) + 0.5 * self.at(folded(x), folded(y))
    }

    /// The noise at a place.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let most = self.cells as f32 - 0.001;
        let grid = self.cells as f32 / (1.0 + 2.0 * MARGIN);
        let (u, v) = ((x + MARGIN) * grid, (y + MARGIN) * grid);
        let (u, v) = (u.clamp(0.0, most), v.clamp(0.0, most));
        let (column, row) = (u as usize, v as usize);
        let (s, t) = (ease(u - column as f32), ease(v - row as f32));
        let at = row * (self.cells + 2) + column;
        let above = self.corners[at] + s * (self.corners[at + 1] - self.corners[at]);
        let at = at + self.cells + 2;
        let below = self.corners[at] + s * (self.corners[at + 1] - self.corners[at]);
        above + t * (below - above)
    }
}

/// A round patch, possibly oval and turned, whose rim may wave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) center: Point,
    pub(super) radii: Point,
    pub(super) turn: f32,
    /// Depth, number and phase of the waves of the rim.
    pub(super) waves: [f32; 3],
}

impl Patch {
    /// An upright oval.
    pub(super) fn oval(center: Point, rx: f32, ry: f32) -> Self {
        Self { center, radii: [rx, ry], turn: 0.0, waves: [0.0; 3] }
    }

    /// A disc.
    pub(super) fn disc(center: Point, radius: f32) -> Self {
        Self::oval(center, radius, radius)
    }

    /// The distance from the middle in radii: 1 on the rim.
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.center[0], y - self.center[1]);
        let (sin, cos) = self.turn.sin_cos();
        let u = (dx * cos + dy * sin) / self.radii[0];
        let v = (dy * cos - dx * sin) / self.radii[1];
        let [depth, number, phase] = self.waves;
        let wave = if depth == 0.0 {
            1.0
        } else {
            1.0 + depth * (v.atan2(u) * number.round() + phase * TAU).sin()
        };
        (u * u + v * v).sqrt() / wave
    }

    /// A rectangle round the patch and `reach` times its radii.
    pub(super) fn area(&self, reach: f32) -> Area {
        let [a, b] = self.radii.map(|radius| radius * reach * (1.0 + self.waves[0]));
        let (sin, cos) = self.turn.sin_cos();
        Area::around(self.center, (a * cos).hypot(b * sin), (a * sin).hypot(b * cos))
    }
}

/// 0 below 0, 1 above 1, a smooth passage between.
pub(super) fn ease(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 0 well below `edge`, 1 well above, the passage `width` wide.
pub(super) fn rise(value: f32, edge: f32, width: f32) -> f32 {
    ease((value - edge) / width + 0.5)
}

/// A solid line: its depth is even, its rim a pixel soft.
pub(super) fn solid(distance: f32, softness: f32) -> f32 {
    1.0 - rise(distance, 1.0, softness.max(0.25))
}

/// A round line, such as a vessel: deepest in the middle.
pub(super) fn round(distance: f32, _softness: f32) -> f32 {
    (1.0 - distance * distance * 0.8).max(0.0)
}

/// A hollow line, such as a rib: its rims are denser than its middle.
pub(super) fn hollow(distance: f32, softness: f32) -> f32 {
    let rim = (1.0 - ((distance - 0.84) / 0.22).powi(2)).max(0.0);
    solid(distance, softness) * (0.62 + 0.5 * rim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_patch_lies_in_its_area() {
        let patch =
            Patch { center: [0.4, 0.6], radii: [0.2, 0.05], turn: 0.7, waves: [0.1, 5.0, 0.3] };
        let area = patch.area(1.0);

        for step in 0..10_000 {
            let (x, y) = ((step % 100) as f32 / 100.0, (step / 100) as f32 / 100.0);
            if patch.distance(x, y) < 1.0 {
                assert!(x >= area.left && x <= area.right && y >= area.top && y <= area.bottom);
            }
        }
    }
}

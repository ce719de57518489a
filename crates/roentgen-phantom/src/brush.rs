//! Painting tools: profiles of lines, patches, noise and soft edges.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Area, MARGIN, Point};

/// Smooth noise in [-1, 1]: random numbers at the corners of a grid with smooth interpolation.
pub(super) struct Noise {
    cells: usize,
    corners: Vec<f32>,
}

impl Noise {
    /// Creates noise with `cells` bumps across the plane.
    pub(super) fn new(cells: usize, rng: &mut ChaCha8Rng) -> Self {
        let corners = (0..(cells + 2) * (cells + 2)).map(|_| rng.random_range(-1.0..=1.0));
        Self { cells, corners: corners.collect() }
    }

    /// Returns the noise with finer noise added, for mottled areas.
    pub(super) fn sample_mottled(&self, x: f32, y: f32) -> f32 {
        // Runs back and forth over the same corners, so there is no seam.
        let folded = |u: f32| 1.0 - ((2.3 * u + 0.31).rem_euclid(2.0) - 1.0).abs();
        0.75 * self.at(x, y) + 0.5 * self.at(folded(x), folded(y))
    }

    /// Returns the noise at a point.
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

/// A round patch, possibly oval and rotated, whose rim may be wavy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) center: Point,
    pub(super) radii: Point,
    pub(super) turn: f32,
    /// Depth, number and phase of the waves of the rim.
    pub(super) waves: [f32; 3],
}

impl Patch {
    /// Creates an upright oval.
    pub(super) fn oval(center: Point, rx: f32, ry: f32) -> Self {
        Self { center, radii: [rx, ry], turn: 0.0, waves: [0.0; 3] }
    }

    /// Creates a disc.
    pub(super) fn disc(center: Point, radius: f32) -> Self {
        Self::oval(center, radius, radius)
    }

    /// Returns the distance from the center in radii: 1 on the rim.
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

    /// Returns a rectangle around the patch enlarged to `reach` times its radii.
    pub(super) fn area(&self, reach: f32) -> Area {
        let [a, b] = self.radii.map(|radius| radius * reach * (1.0 + self.waves[0]));
        let (sin, cos) = self.turn.sin_cos();
        Area::around(self.center, (a * cos).hypot(b * sin), (a * sin).hypot(b * cos))
    }
}

/// Eases from 0 (below 0) to 1 (above 1).
pub(super) fn ease(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Rises from 0 well below `edge` to 1 well above it, over `width`.
pub(super) fn rise(value: f32, edge: f32, width: f32) -> f32 {
    ease((value - edge) / width + 0.5)
}

/// Profile of a solid line: even depth, with a rim one pixel soft.
pub(super) fn solid_profile(distance: f32, softness: f32) -> f32 {
    1.0 - rise(distance, 1.0, softness.max(0.25))
}

/// Profile of a round line, such as a vessel: densest in the middle.
pub(super) fn round_profile(distance: f32, _softness: f32) -> f32 {
    (1.0 - distance * distance * 0.8).max(0.0)
}

/// Profile of a hollow line, such as a rib: its rims are denser than its middle.
pub(super) fn hollow_profile(distance: f32, softness: f32) -> f32 {
    let rim = (1.0 - ((distance - 0.84) / 0.22).powi(2)).max(0.0);
    solid_profile(distance, softness) * (0.62 + 0.5 * rim)
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

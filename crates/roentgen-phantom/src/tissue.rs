//! Soft tissue: the trunk, the lungs and their vessels, the heart, the stomach's gas.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::anatomy::Anatomy;
use super::brush::{Noise, Patch, ease, rise, round_profile, solid_profile};
use super::canvas::{Area, Knot, MARGIN, Plane, Point};
use super::side::BodySide;

/// The whole plane.
pub(super) const ALL: Area =
    Area { left: -MARGIN, top: -MARGIN, right: 1.0 + MARGIN, bottom: 1.0 + MARGIN };

/// The materials the beam passes through, one plane each.
pub(super) struct Layers {
    /// Soft tissue: 1 is a trunk of usual thickness.
    pub(super) body: Plane,
    /// The share of air in the soft tissue.
    pub(super) air: Plane,
    /// Vessels, seen only where there is air around them.
    pub(super) vessels: Plane,
    /// Material that is added independently of its surroundings: bone, metal, fluid; gas below
    /// zero.
    pub(super) dense: Plane,
}

impl Layers {
    /// Creates empty layers for a film of `size` pixels.
    pub(super) fn new(size: usize) -> Self {
        let plane = Plane::new(size);
        Self { body: plane.clone(), air: plane.clone(), vessels: plane.clone(), dense: plane }
    }

    /// Returns the attenuation of the beam.
    pub(super) fn attenuation(self, anatomy: &Anatomy) -> Plane {
        let Self { body, air, vessels, dense } = self;
        let (aeration, strength) = (0.74 * anatomy.aeration, anatomy.vessels);
        let mut sum = body;
        sum.combine([&air, &vessels, &dense], |body, [air, vessels, dense]| {
            let air = air.clamp(0.0, 1.06);
            let lung = body * (1.0 - (aeration * air).min(0.9));
            (lung + strength * vessels * air * air + dense).max(0.0)
        });
        sum
    }
}

/// Paints the trunk, the neck, the arms and the breasts.
pub(super) fn paint_body(layers: &mut Layers, anatomy: &Anatomy) {
    let neck = 0.27 * anatomy.half_width;
    let shoulder = anatomy.shoulder;
    layers.body.rows(|y, columns, values| {
        let slope = ease((y - shoulder + 0.15) / 0.24);
        let upper = neck + (0.47 - neck) * slope * (0.35 + 0.65 * slope);
        let waist = anatomy.half_width + 0.035;
        let lower = waist + (anatomy.trunk - waist) * ease((y - 0.25) / 0.6);
        let half = upper + (lower - upper) * ease((y - shoulder - 0.16) / 0.2);
        let depth = anatomy.thickness * (0.74 + 0.26 * ease((y + 0.05) / 0.35));
        for (column, value) in values.iter_mut().enumerate() {
            let r = (columns.at(column) - anatomy.middle).abs() / half;
            if r < 1.0 {
                *value = depth * (1.0 - r * r * r).sqrt();
            }
        }
    });

    let mut arms = Plane::new((1.0 / layers.body.pixel()).round() as usize);
    for side in BodySide::BOTH {
        let knot = |down: f32, half: f32| {
            let out = 0.43 + anatomy.arm * down;
            Knot::new(anatomy.middle + side.sign() * out, shoulder + 0.13 + down, half)
        };
        let knots = [knot(0.0, 0.095), knot(0.25, 0.075), knot(0.9, 0.065)];
        arms.stroke(&knots, |distance, _| 0.55 * (1.0 - (distance * distance).min(1.0)).sqrt());
    }
    layers.body.combine([&arms], |body, [arm]| body.max(arm) + 0.25 * body.min(arm));

    if anatomy.breast > 0.0 {
        for side in BodySide::BOTH {
            let radius = anatomy.breast;
            let x = anatomy.middle + side.sign() * 0.62 * anatomy.half_width.max(0.3);
            let patch = Patch::oval([x, 0.60], radius * 1.15, radius);
            layers.body.edit(patch.area(1.02), |x, y, body| {
                let distance = patch.distance(x, y);
                let fade = ease((y - 0.60) / radius + 0.6);
                body + 0.24 * fade * (1.0 - distance.powi(4)).max(0.0).sqrt()
            });
        }
    }
}

/// Fills the lungs with air, down to the diaphragm, and the trunk below with the liver.
pub(super) fn paint_lungs(layers: &mut Layers, anatomy: &Anatomy) {
    layers.air.rows(|y, columns, values| {
        if y < anatomy.apex {
            return;
        }
        let spine = anatomy.spine(y);
        let sides = BodySide::BOTH.map(|side| (anatomy.inner(side, y), anatomy.wall(side, y)));
        let depth =
            rise(y, anatomy.apex + 0.006, 0.016) * (0.74 + 0.26 * ease((y - anatomy.apex) / 0.3));
        for (column, value) in values.iter_mut().enumerate() {
            let x = columns.at(column) - spine;
            let side = if x < 0.0 { BodySide::Right } else { BodySide::Left };
            let (inner, wall) = sides[side as usize];
            let distance = x.abs();
            if distance < inner - 0.02 || distance > wall + 0.02 {
                continue;
            }
            let across = ((distance - inner) / (wall - inner)).clamp(0.0, 1.0);
            let chord = (1.03 - across.powi(4)).sqrt().min(1.0);
            let rims = rise(distance, inner, 0.03) * (1.0 - rise(distance, wall, 0.008));
            let above = if y < anatomy.dome(side) - 0.02 {
                1.0
            } else {
                1.0 - rise(y, anatomy.diaphragm(side, distance), 0.009)
            };
            // Muscle and fat are thickest next to the arms and over the diaphragm.
            let base = 1.0 - 0.16 * ease((y - anatomy.dome(side) + 0.22) / 0.3);
            *value = depth * chord * rims * above * base;
        }
    });
    let lowest = anatomy.domes[0].min(anatomy.domes[1]) - 0.01;
    let liver = Area {
        left: anatomy.middle - anatomy.half_width - 0.03,
        right: anatomy.middle + anatomy.half_width + 0.03,
        top: lowest,
        ..ALL
    };
    layers.dense.edit(liver, |x, y, dense| {
        let distance = (x - anatomy.spine(y)).abs();
        let side = if x < anatomy.middle { BodySide::Right } else { BodySide::Left };
        if distance > anatomy.half_width {
            return dense;
        }
        let rim = 1.0 - (distance / anatomy.half_width).powi(4);
        dense + 0.2 * rim * rise(y, anatomy.diaphragm(side, distance) + 0.02, 0.06)
    });
}

/// Replaces air by the heart and great vessels, then opens windpipe and bronchi.
pub(super) fn paint_heart(layers: &mut Layers, anatomy: &Anatomy) {
    let [top, _] = anatomy.heart_heights();
    layers.air.rows(|y, columns, values| {
        let spine = anatomy.spine(y);
        let [right, left] = anatomy.heart_borders(y);
        // The heart is in front and is rounder than the mediastinum above it.
        let bulge = ease((y - top) / 0.12);
        for (column, value) in values.iter_mut().enumerate() {
            if *value == 0.0 {
                continue;
            }
            let x = columns.at(column) - spine;
            let border = if x < 0.0 { right } else { left };
            let inside = 1.0 - x.abs() / border;
            if inside > -0.2 {
                let rim = rise(inside * border, 0.0, 0.012);
                let depth = 0.62 + 0.32 * ease(inside * (2.4 - 1.0 * bulge));
                *value *= 1.0 - rim * depth;
            }
        }
    });

    let fork = anatomy.apex + 0.30 * (anatomy.dome(BodySide::Right) - anatomy.apex);
    let windpipe: Vec<_> = (0..7)
        .map(|step| fork + (step as f32 / 6.0 - 1.0) * (fork + MARGIN))
        .map(|y| Knot::new(anatomy.spine(y) - 0.004, y, 0.019))
        .collect();
    layers
        .air
        .stroke(&windpipe, |distance, softness| 0.26 * solid_profile(distance, softness.max(0.6)));
    for side in BodySide::BOTH {
        let [x, y] = anatomy.hilum(side);
        let knots = [Knot::new(anatomy.spine(fork), fork - 0.012, 0.013), Knot::new(x, y, 0.008)];
        layers
            .air
            .stroke(&knots, |distance, softness| 0.08 * solid_profile(distance, softness.max(0.6)));
    }
}

/// Grows the vessels from the roots of the lungs.
pub(super) fn paint_vessels(layers: &mut Layers, anatomy: &Anatomy, rng: &mut ChaCha8Rng) {
    for side in BodySide::BOTH {
        let [x, y] = anatomy.hilum(side);
        let out = side.sign();
        let knot = |u: f32, v: f32, half: f32| Knot {
            density: 0.16,
            ..Knot::new(x + out * u, y + v, half)
        };
        let mut lines = vec![vec![
            knot(-0.022, -0.05, 0.012),
            knot(-0.008, -0.01, 0.021),
            knot(0.0, 0.045, 0.014),
            knot(0.004, 0.11, 0.008),
            knot(0.002, 0.16, 0.004),
        ]];
        // Angles from straight up to straight down, seen outward.
        let mains = 11;
        for main in 0..mains {
            let angle = -1.4 + 2.9 * (main as f32 + rng.random_range(0.0..0.9)) / mains as f32;
            let start = [x - out * 0.01, y + 0.06 * angle.sin()];
            let half = rng.random_range(0.0048..0.0078);
            grow(&mut lines, side, start, angle, half, rng);
        }
        layers.vessels.strokes(&lines, round_profile);

        // Vessels too fine to be drawn, lymph nodes and fat make the root itself hazy.
        let haze = Patch::oval([x - out * 0.01, y + 0.02], 0.10, 0.14);
        layers
            .air
            .edit(haze.area(1.0), |x, y, air| air * (1.0 - 0.22 * ease(1.0 - haze.distance(x, y))));
    }
}

/// Grows one vessel and its branches until they are too thin.
fn grow(
    lines: &mut Vec<Vec<Knot>>,
    side: BodySide,
    [mut x, mut y]: Point,
    mut angle: f32,
    half: f32,
    rng: &mut ChaCha8Rng,
) {
    let step = 1.3 * half + 0.007;
    let bend = rng.random_range(-0.10..0.10);
    let density = (20.0 * half).clamp(0.045, 0.12);
    let knot = |x, y, half| Knot { density, ..Knot::new(x, y, half) };
    let mut line = vec![knot(x, y, half)];
    for link in 1..=5 {
        angle += bend + rng.random_range(-0.14..0.14);
        x += side.sign() * step * angle.cos();
        y += step * angle.sin();
        line.push(knot(x, y, half * (1.0 - 0.06 * link as f32)));
    }
    lines.push(line);
    if half > 0.0014 {
        let fork = rng.random_range(0.35..0.8);
        let first = half * rng.random_range(0.66..0.80);
        grow(lines, side, [x, y], angle - fork * 0.5, first, rng);
        let second = half * rng.random_range(0.55..0.74);
        grow(lines, side, [x, y], angle + fork * 0.6, second, rng);
    }
}

/// Gives lungs and trunk the unevenness of tissue.
pub(super) fn paint_texture(layers: &mut Layers, anatomy: &Anatomy, rng: &mut ChaCha8Rng) {
    let (coarse, fine) = (Noise::new(6, rng), Noise::new(60, rng));
    layers.body.edit(
        ALL,
        |x, y, body| {
            if body == 0.0 { 0.0 } else { body * (1.0 + 0.03 * coarse.at(x, y)) }
        },
    );
    let lungs = Area {
        left: anatomy.middle - anatomy.half_width,
        top: anatomy.apex,
        right: anatomy.middle + anatomy.half_width,
        bottom: anatomy.angle(BodySide::Right).max(anatomy.angle(BodySide::Left)),
    };
    layers.vessels.edit(lungs, |x, y, vessels| vessels + 0.014 * fine.at(x, y));
}

/// Paints the gas under the left dome of the diaphragm.
pub(super) fn paint_stomach(layers: &mut Layers, anatomy: &Anatomy) {
    let Some((rx, ry, level)) = anatomy.stomach else { return };
    let x = anatomy.middle + 0.5 * anatomy.half_width;
    let y = anatomy.dome(BodySide::Left) + ry + 0.022;
    let patch = Patch { center: [x, y], radii: [rx, ry], turn: 0.1, waves: [0.04, 3.0, 0.2] };
    layers.dense.edit(patch.area(1.2), |x, y, dense| {
        let gas = 1.0 - rise(patch.distance(x, y), 0.95, 0.2);
        let above = if level { 1.0 - rise(y, patch.center[1] + 0.3 * ry, 0.008) } else { 1.0 };
        dense - 0.42 * gas * above
    });
}

//! Signs of lost air: effusion, consolidation, pneumonia, infiltration, edema.
//!
//! A brush returns the bounding rectangle of its paint if NIH draws boxes of the finding.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::anatomy::Anatomy;
use super::brush::{Noise, Patch, ease, rise, solid_profile};
use super::canvas::{Area, Knot, Point};
use super::side::BodySide;
use super::tissue::Layers;

/// Returns the rectangle of one lung, down to its outer angle.
pub(super) fn lung(anatomy: &Anatomy, side: BodySide) -> Area {
    let (near, far) = (anatomy.middle, anatomy.middle + side.sign() * (anatomy.half_width + 0.01));
    Area {
        left: near.min(far),
        top: anatomy.apex,
        right: near.max(far),
        bottom: anatomy.angle(side) + 0.01,
    }
}

/// Replaces a share of the air by fluid.
pub(super) fn fill(layers: &mut Layers, area: Area, share: impl Fn(f32, f32) -> f32) {
    layers.air.edit(
        area,
        |x, y, air| {
            if air == 0.0 { 0.0 } else { air * (1.0 - share(x, y).clamp(0.0, 1.0)) }
        },
    );
}

/// Effusion: fluid that blunts the outer angle and climbs along the ribs.
pub(super) fn paint_effusion(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let sides = BodySide::some(0.3, rng);
    let volume = rng.random_range(0.0..1.0f32).powi(2);
    let mut areas = Vec::new();
    for (index, side) in sides.into_iter().enumerate() {
        let height = if index == 0 {
            0.13 + 0.05 * strength + 0.22 * volume
        } else {
            0.12 + 0.04 * strength
        };
        let level = |distance: f32| {
            let u = (distance / anatomy.half_width).min(1.1);
            anatomy.angle(side) - height * (0.50 + 0.08 * (1.0 - u).powi(2) + 0.50 * u.powi(5))
        };
        let mut area = lung(anatomy, side);
        fill(layers, area, |x, y| {
            let distance = (x - anatomy.spine(y)).abs();
            0.96 * rise(y, level(distance), 0.022)
        });
        area.top = level(anatomy.half_width);
        areas.push(area);
    }
    // NIH boxes one place; here it is the larger one.
    areas.swap_remove(0)
}

/// Infiltration: ill-defined, patchy haze.
pub(super) fn paint_infiltration(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let noise = Noise::new(34, rng);
    let first = BodySide::random(rng);
    let mut areas = Vec::new();
    let top = rng.random_range(0.25..0.6);
    let share = 0.33 + 0.20 * strength;
    for index in 0..rng.random_range(2..=4) {
        let side = if index == 3 { first.opposite() } else { first };
        let (across, down) = (rng.random_range(0.15..0.8), top + rng.random_range(-0.15..0.3));
        let (rx, ry) = (rng.random_range(0.08..0.12), rng.random_range(0.08..0.14));
        let patch = Patch::oval(anatomy.place(side, across, down), rx, ry);
        fill(layers, patch.area(1.0), |x, y| {
            share * ease(1.1 - patch.distance(x, y)) * (1.0 + 0.7 * noise.sample_mottled(x, y))
        });
        if side == first {
            areas.push(patch.area(0.8));
        }
    }
    areas.into_iter().reduce(Area::union).unwrap_or_else(|| lung(anatomy, first))
}

/// Pneumonia: a mottled segment that points to the root of its lung.
pub(super) fn paint_pneumonia(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let (noise, rim) = (Noise::new(40, rng), Noise::new(14, rng));
    let side = BodySide::random(rng);
    let root = anatomy.hilum(side);
    let middle: f32 = rng.random_range(-0.25..1.15);
    let half = rng.random_range(0.30..0.42);
    let (near, far) = (0.03, rng.random_range(0.22..0.29));
    let share = 0.62 + 0.25 * strength;
    let at = |angle: f32| -> Point {
        [root[0] + side.sign() * far * angle.cos(), root[1] + far * angle.sin()]
    };
    let bow = (-2..=2).map(|step| at(middle + half * step as f32 / 2.0));
    let area = Area::round(bow.chain([root])).unwrap_or_else(|| lung(anatomy, side));
    fill(layers, area.extend(0.03), |x, y| {
        let (dx, dy) = (side.sign() * (x - root[0]), y - root[1]);
        let radius = dx.hypot(dy);
        let (mottle, warp) = (noise.sample_mottled(x, y), rim.sample_mottled(x, y));
        let off = (dy.atan2(dx) - middle).abs() / half + 0.35 * warp;
        let within = (1.0 - rise(off, 0.95, 0.7)) * rise(radius, near, 0.05);
        let within = within * (1.0 - rise(radius + 0.03 * warp, far, 0.08));
        share * within * (1.0 + 0.4 * mottle)
    });
    let lung = lung(anatomy, side);
    Area {
        left: area.left.max(lung.left),
        top: area.top.max(lung.top),
        right: area.right.min(lung.right),
        bottom: area.bottom.min(lung.bottom),
    }
}

/// Consolidation: a dense lobe with a sharp border at its fissure and air in its bronchi.
pub(super) fn paint_consolidation(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) {
    let side = BodySide::random(rng);
    let noise = Noise::new(18, rng);
    let upper = rng.random_bool(0.45);
    let fissure = if upper { rng.random_range(0.36..0.46) } else { rng.random_range(0.50..0.62) };
    let slope = if upper { rng.random_range(-0.05..0.10) } else { rng.random_range(-0.35..-0.1) };
    let share = 0.74 + 0.18 * strength;
    let height = anatomy.dome(side) - anatomy.apex;
    fill(layers, lung(anatomy, side), |x, y| {
        let uneven = noise.sample_mottled(x, y);
        let distance = (x - anatomy.spine(y)).abs() / anatomy.half_width;
        let bow = 0.10 * (2.0 * distance - 1.0).powi(2);
        let down = (y - anatomy.apex) / height + slope * (distance - 0.5);
        let lobe = if upper {
            1.0 - rise(down - bow, fissure, 0.03)
        } else {
            // The outer angle stays open, which distinguishes the lobe from an effusion.
            let border = 0.80 - 0.25 * (1.0 - down).max(0.0);
            let open = rise(distance + 0.10 * uneven, border, 0.22);
            rise(down + bow + 0.03 * uneven, fissure, 0.07) * (1.0 - open)
        };
        share * lobe * (1.0 + 0.16 * uneven)
    });

    let root = anatomy.hilum(side);
    let middle: f32 = if upper { -0.85 } else { 1.05 };
    for branch in 0..4 {
        let start = middle + 0.34 * (branch as f32 - 1.5) + rng.random_range(-0.08..0.08);
        let knot = |step: usize| {
            let step = step as f32;
            let (far, angle) = (0.045 + 0.033 * step, start + 0.05 * step);
            let x = root[0] + side.sign() * far * angle.cos();
            Knot::new(x, root[1] + far * angle.sin(), 0.006 - 0.0006 * step)
        };
        let bronchus: Vec<_> = (0..6).map(knot).collect();
        layers.air.stroke(&bronchus, |distance, softness| {
            0.22 * solid_profile(distance, softness.max(0.5))
        });
    }
}

/// Edema: haze in the shape of a bat's wings around both roots, and Kerley lines at the bases.
pub(super) fn paint_edema(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) {
    let noise = Noise::new(20, rng);
    let spread = rng.random_range(0.9..1.15);
    let share = 0.48 + 0.24 * strength;
    for side in BodySide::BOTH {
        let [x, y] = anatomy.hilum(side);
        let wing = Patch {
            center: [x + side.sign() * 0.05, y + 0.04],
            radii: [0.17 * spread, 0.25 * spread],
            turn: -side.sign() * 0.25,
            waves: [0.0; 3],
        };
        fill(layers, lung(anatomy, side), |x, y| {
            let uneven = noise.sample_mottled(x, y);
            let haze = ease(1.15 - wing.distance(x, y) + 0.15 * uneven);
            (0.14 + share * haze) * (1.0 + 0.25 * uneven)
        });
        for _ in 0..14 {
            let down = rng.random_range(0.62..0.98);
            let from = anatomy.place(side, rng.random_range(0.84..0.9), down);
            let [x, y] = anatomy.place(side, 0.985, down);
            let line =
                [Knot::new(from[0], from[1], 0.0014), Knot::new(x, from[1].max(y - 0.02), 0.0014)];
            layers
                .vessels
                .stroke(&line, |distance, softness| 0.24 * solid_profile(distance, softness));
        }
    }
}

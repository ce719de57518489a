//! Signs with a shape of their own: plates, balls, nets, rinds, a sac and a collapsed lung.
//!
//! A brush returns the bounding rectangle of its paint if NIH draws boxes of the finding. A shape
//! that must be visible only inside a lung is painted on the plane of the vessels, which shows
//! nothing where there is no air.

use std::f32::consts::TAU;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::airspace::{fill, lung};
use super::anatomy::Anatomy;
use super::brush::{Noise, Patch, ease, rise, solid_profile};
use super::canvas::{Area, Knot};
use super::side::BodySide;
use super::tissue::Layers;

/// Atelectasis: one or two plates of collapsed lung above the diaphragm, on the side that
/// [`reshape`](super::signs::reshape) draws first from the same random numbers.
pub(super) fn paint_plates(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let side = BodySide::random(rng);
    let count = rng.random_range(1..=2);
    let mut down = rng.random_range(0.70..0.90);
    let density = 0.26 + 0.18 * strength;
    let mut areas = Vec::new();
    for _ in 0..count {
        let half = rng.random_range(0.014..0.021);
        let tilt = rng.random_range(-0.02..0.10);
        let (near, far) = (rng.random_range(0.05..0.25), rng.random_range(0.75..0.92));
        let plate = [0.0f32, 0.25, 0.5, 0.75, 1.0].map(|t| {
            let across = near + t * (far - near);
            let [x, _] = anatomy.place(side, across, down);
            let [_, y] = anatomy.place(side, 0.45, down - tilt * (across - 0.45));
            Knot::new(x, y, half * (0.55 + 0.45 * (1.0 - (2.0 * t - 1.0).abs())))
        });
        layers.vessels.stroke(&plate, |distance, _| density * ease(1.5 - 1.3 * distance));
        areas.extend(plate.map(|knot| Area::around(knot.at, 0.008, half)));
        down -= rng.random_range(0.10..0.2);
    }
    // The lung below the plates is compressed.
    let base = Patch::oval(anatomy.place(side, 0.45, 0.97), 0.13, 0.06);
    fill(layers, base.area(1.0), |x, y| (0.25 + 0.15 * strength) * ease(1.0 - base.distance(x, y)));
    areas.into_iter().reduce(Area::union).unwrap_or_else(|| lung(anatomy, side))
}

/// A round opacity in the lung.
fn paint_ball(layers: &mut Layers, patch: Patch, density: f32, softness: f32) {
    layers.dense.edit(patch.area(1.0 + softness), |x, y, dense| {
        let distance = patch.distance(x, y);
        let rim = 1.0 - rise(distance, 1.0, softness);
        dense + density * rim * (1.15 - 0.45 * distance * distance).max(0.0)
    });
}

/// Mass: a round opacity more than three centimeters wide.
pub(super) fn paint_mass(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let side = BodySide::random(rng);
    let (across, down) = (rng.random_range(0.3..0.72), rng.random_range(0.16..0.74));
    let radius = rng.random_range(0.056..0.086);
    let patch = Patch {
        center: anatomy.place(side, across, down),
        radii: [radius, radius * rng.random_range(0.8..1.15)],
        turn: rng.random_range(0.0..3.0),
        waves: [
            rng.random_range(0.02..0.05),
            rng.random_range(3.0..6.0),
            rng.random_range(0.0..1.0),
        ],
    };
    paint_ball(layers, patch, 0.29 + 0.14 * strength, 0.3);
    patch.area(1.05)
}

/// Nodule: one to three round opacities less than three centimeters wide.
pub(super) fn paint_nodules(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let mut largest = Patch::disc([0.5, 0.5], 0.0);
    for _ in 0..rng.random_range(1..=3) {
        let side = BodySide::random(rng);
        let (across, down) = (rng.random_range(0.25..0.85), rng.random_range(0.15..0.85));
        let mut patch =
            Patch::disc(anatomy.place(side, across, down), rng.random_range(0.028..0.042));
        patch.waves = [0.03, 3.0, rng.random_range(0.0..1.0)];
        paint_ball(layers, patch, 0.25 + 0.13 * strength, 0.4);
        if patch.radii[0] > largest.radii[0] {
            largest = patch;
        }
    }
    largest.area(1.1)
}

/// Pneumothorax: air without vessels between the ribs and the fine line of the pleura.
pub(super) fn paint_pneumothorax(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) -> Area {
    let side = BodySide::random(rng);
    let gap = 0.045 + 0.05 * strength + 0.05 * rng.random_range(0.0..1.0f32).powi(2);
    let height = anatomy.angle(side) - anatomy.apex;
    // The remaining lung is smaller, and shortened more than it is narrowed.
    let drop = 1.3 * gap;
    let top = anatomy.apex + drop;
    let edge = |y: f32| {
        let down = ((y - top) / height).max(0.0);
        anatomy.wall(side, y - drop) - gap * (1.0 - 0.7 * ease(down * 1.1))
    };
    let beyond = |x: f32, y: f32| {
        if y < top {
            return 1.0;
        }
        let distance = (x - anatomy.spine(y)).abs();
        let inner = anatomy.inner(side, y - drop);
        if distance < inner {
            // Over the top of the lung, next to the midline.
            (1.0 - rise(distance, inner, 0.01)) * (1.0 - ease((y - top) / gap))
        } else {
            rise(distance, edge(y), 0.006)
        }
    };
    let area = lung(anatomy, side);
    layers.vessels.edit(area, |x, y, vessels| vessels * (1.0 - beyond(x, y)));
    layers.air.edit(
        area,
        |x, y, air| {
            if air == 0.0 { 0.0 } else { air * (0.86 + 0.28 * beyond(x, y)) }
        },
    );
    let bottom = anatomy.angle(side) - 0.05;
    let knot = |step: usize| {
        let t = (step as f32 / 36.0).powi(2);
        let y = top + t * (bottom - top);
        Knot::new(anatomy.spine(y) + side.sign() * edge(y), y, 0.0032)
    };
    let pleura: Vec<_> = (0..=36).map(knot).collect();
    layers.vessels.stroke(&pleura, |distance, softness| 0.26 * solid_profile(distance, softness));
    Area { bottom: anatomy.apex + 0.62 * height, ..area }
}

/// Fibrosis: a net of fine lines, densest at the bases and along the ribs.
pub(super) fn paint_fibrosis(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) {
    let noise = Noise::new(30, rng);
    let count = (300.0 + 160.0 * strength) as usize;
    let density = 0.11 + 0.05 * strength;
    for side in BodySide::BOTH {
        for _ in 0..count {
            let across = 1.0 - 0.9 * rng.random_range(0.0..1.0f32).powf(1.3);
            // The product of two uniform draws: dense at the base, fading out upwards.
            let lift = rng.random_range(0.0..1.0f32) * rng.random_range(0.0..1.0f32);
            let down = 1.0 - 0.85 * lift;
            let [x, y] = anatomy.place(side, across, down);
            let (rx, ry) = (rng.random_range(0.006..0.015), rng.random_range(0.006..0.013));
            let (start, turn) = (rng.random_range(0.0..TAU), rng.random_range(1.2..4.2));
            let cell: Vec<_> = (0..=7)
                .map(|step| start + turn * step as f32 / 7.0)
                .map(|angle| Knot::new(x + rx * angle.cos(), y + ry * angle.sin(), 0.0018))
                .collect();
            layers
                .vessels
                .stroke(&cell, |distance, softness| density * solid_profile(distance, softness));
        }
        let base = 0.12 + 0.10 * strength;
        let height = anatomy.dome(side) - anatomy.apex;
        fill(layers, lung(anatomy, side), |x, y| {
            let low = ease(2.2 * (y - anatomy.apex) / height - 0.9);
            base * low * (1.0 + 0.6 * noise.sample_mottled(x, y))
        });
    }
}

/// Hernia: a part of the stomach behind the heart, round, with gas above fluid.
pub(super) fn paint_hernia(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) {
    let radius = rng.random_range(0.068..0.10);
    let y = anatomy.dome(BodySide::Left) - rng.random_range(0.45..0.8) * radius;
    let x = anatomy.spine(y) + rng.random_range(0.015..0.075);
    let level = y + rng.random_range(-0.1..0.3) * radius;
    let mut sac = Patch::oval([x, y], 1.1 * radius, radius);
    sac.waves = [0.03, 3.0, rng.random_range(0.0..1.0)];
    let gas = 0.34 + 0.12 * strength;
    layers.dense.edit(sac.area(1.2), |x, y, dense| {
        let distance = sac.distance(x, y);
        let inside = 1.0 - rise(distance, 0.92, 0.08);
        let wall = (1.0 - ((distance - 1.0) / 0.09).powi(2)).max(0.0);
        let above = 1.0 - rise(y, level, 0.008);
        dense + 0.14 * wall + inside * (0.16 - (0.16 + gas) * above)
    });
    // The sac displaces air.
    fill(layers, sac.area(1.0), |x, y| 0.7 * (1.0 - rise(sac.distance(x, y), 1.0, 0.05)));
}

/// Pleural thickening: an uneven rind along the ribs, thickest over the top of the lung.
pub(super) fn paint_thickening(
    layers: &mut Layers,
    anatomy: &Anatomy,
    strength: f32,
    rng: &mut ChaCha8Rng,
) {
    let noise = Noise::new(14, rng);
    let reach = rng.random_range(0.5..0.9);
    let wide = rng.random_range(0.022..0.034) + 0.008 * strength;
    for side in BodySide::some(0.35, rng) {
        let height = anatomy.angle(side) - anatomy.apex;
        let area = lung(anatomy, side);
        let area = Area { bottom: area.top + (reach + 0.1) * height, ..area };
        fill(layers, area, |x, y| {
            let down = (y - anatomy.apex) / height;
            let distance = (x - anatomy.spine(y)).abs();
            let rind = wide
                * (1.0 + 0.45 * noise.at(x, y))
                * (1.0 + 0.5 * ease(1.0 - down * 6.0))
                * ease((reach - down) * 6.0);
            0.9 * (1.0 - rise(anatomy.depth(side, distance, y), rind, 0.010))
        });
    }
}

//! Bone and metal: ribs, spine, shoulders, and the lines and letters on a film.

use std::f32::consts::PI;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::anatomy::Anatomy;
use super::brush::{Patch, ease, hollow_profile, rise, solid_profile};
use super::canvas::{Area, Knot, MARGIN, Point};
use super::patient::View;
use super::side::BodySide;
use super::tissue::Layers;

/// Number of pairs of ribs to draw.
const RIBS: usize = 11;

/// The strokes of the letter R, in a box from 0 to 1.
const LETTER_R: [&[Point]; 2] = [
    &[[0.0, 1.0], [0.0, 0.0], [0.55, 0.0], [0.75, 0.13], [0.75, 0.37], [0.55, 0.5], [0.0, 0.5]],
    &[[0.4, 0.5], [0.8, 1.0]],
];

/// The strokes of the letter L.
const LETTER_L: [&[Point]; 1] = [&[[0.0, 0.0], [0.0, 1.0], [0.65, 1.0]]];

/// Paints ribs, spine, collar bones, shoulder blades and upper arms.
pub(super) fn paint_bones(layers: &mut Layers, anatomy: &Anatomy, view: View) {
    paint_spine(layers, anatomy);
    for side in BodySide::BOTH {
        for rib in 0..RIBS {
            paint_rib(layers, anatomy, side, rib);
        }
        paint_shoulder(layers, anatomy, side, view);
        paint_wall(layers, anatomy, side);
    }
}

fn paint_spine(layers: &mut Layers, anatomy: &Anatomy) {
    let half = 0.115 * anatomy.half_width;
    let area = Area::around([anatomy.middle, 0.5], 0.09, 0.5 + MARGIN);
    layers.dense.edit(area, |x, y, dense| {
        let x = x - anatomy.spine(y);
        let wide = half * (0.85 + 0.35 * y);
        // Vertebrae get larger further down.
        let height = 0.034 + 0.022 * y.max(0.0);
        let count = (height / 0.034).ln() / 0.022 + y.min(0.0) / 0.034;
        let phase = count - count.floor();
        let gap = 1.0 - rise((phase - 0.5).abs(), 0.43, 0.06);
        let plate = rise((phase - 0.5).abs(), 0.34, 0.06) * gap;
        let waist = wide * (1.0 - 0.10 * (1.0 - (2.0 * phase - 1.0).powi(2)));
        let inside = 1.0 - rise(x.abs(), waist, 0.012);
        let pedicle = (1.0
            - ((x.abs() - 0.55 * wide) / (0.2 * wide)).powi(2)
            - ((phase - 0.36) / 0.17).powi(2))
        .max(0.0);
        let process = (1.0 - (x / (0.13 * wide)).powi(2) - ((phase - 0.72) / 0.2).powi(2)).max(0.0);
        let body = 0.09 + 0.045 * gap + 0.04 * plate + 0.06 * pedicle + 0.07 * process;
        dense + anatomy.bone * inside * body
    });
}

/// Paints a rib, which is a tilted hoop: its back half runs outward nearly level; its front half
/// comes back inward and down, and ends where cartilage begins.
fn paint_rib(layers: &mut Layers, anatomy: &Anatomy, side: BodySide, rib: usize) {
    let (first, last) = (anatomy.apex + 0.012, anatomy.dome(BodySide::Right) + 0.055);
    let number = rib as f32 / (RIBS - 1) as f32;
    let y = first + (last - first) * (number + 0.04 * (PI * number).sin());
    let slant = anatomy.rib_slant * (0.62 + 0.55 * number);
    let reach = anatomy.wall(side, y + 0.40 * slant) + 0.004;
    let reach = if rib == 0 { 0.86 * reach } else { reach };
    let end = PI * (0.82 - 0.20 * number.powi(3));
    let steps = 34;
    let knot = |step: usize| {
        let turn = 0.06 + (end - 0.06) * step as f32 / steps as f32;
        let back = 0.5 * (1.0 - turn.cos());
        let height = y - 0.012 * (2.0 * turn).sin().max(0.0) + slant * back.powf(1.35);
        let distance = 0.012 + (reach - 0.012) * turn.sin().powf(0.9);
        // The front half is further from the film, fainter, and fades into cartilage.
        let front = ease((back - 0.45) / 0.2);
        let tip = ease((end - turn) / 0.35);
        Knot {
            at: [anatomy.spine(height) + side.sign() * distance, height],
            half: 0.0092 + 0.004 * back,
            density: anatomy.bone * (0.105 - 0.045 * front) * tip,
        }
    };
    let hoop: Vec<_> = (0..=steps).map(knot).collect();
    layers.dense.stroke(&hoop, hollow_profile);
}

/// Paints the chest wall seen edge-on, where ribs and pleura overlap.
fn paint_wall(layers: &mut Layers, anatomy: &Anatomy, side: BodySide) {
    let (top, bottom) = (anatomy.apex + 0.04, anatomy.angle(side) + 0.05);
    let along = |out: f32, half: f32| -> Vec<Knot> {
        (0..=24)
            .map(|step| top + (bottom - top) * step as f32 / 24.0)
            .map(|y| {
                let distance = anatomy.wall(side, y) + out;
                Knot::new(anatomy.spine(y) + side.sign() * distance, y, half)
            })
            .collect()
    };
    layers.dense.stroke(&along(0.004, 0.004), |distance, softness| {
        0.04 * solid_profile(distance, softness)
    });
    layers
        .dense
        .stroke(&along(0.012, 0.013), |distance, _| 0.06 * anatomy.bone * ease(1.1 - distance));
}

fn paint_shoulder(layers: &mut Layers, anatomy: &Anatomy, side: BodySide, view: View) {
    let knot = |out: f32, y: f32, half: f32| Knot::new(anatomy.middle + side.sign() * out, y, half);
    let bone = anatomy.bone;
    let high = anatomy.shoulder + 0.06;
    let dense = &mut layers.dense;

    let inner = anatomy.apex + 0.085;
    let clavicle = [
        knot(0.030, inner, 0.015),
        knot(0.07, inner - 0.004, 0.0125),
        knot(0.13, inner - 0.6 * (inner - high) * 0.3, 0.0105),
        knot(0.20, inner - 0.6 * (inner - high) - 0.006, 0.0105),
        knot(0.28, inner - 0.9 * (inner - high) - 0.014, 0.011),
        knot(0.36, high - 0.008, 0.013),
    ];
    dense.stroke(&clavicle, |distance, softness| 0.15 * bone * hollow_profile(distance, softness));

    // The shoulder blades move off the lungs when the patient puts the hands on the hips.
    let blade = match view {
        View::Pa => 0.345,
        View::Ap => 0.295,
    };
    let border = [
        knot(blade, high + 0.07, 0.006),
        knot(blade, high + 0.20, 0.005),
        knot(blade + 0.045, high + 0.33, 0.006),
    ];
    dense.stroke(&border, |distance, softness| 0.07 * bone * solid_profile(distance, softness));
    let outer = [
        knot(0.415, high + 0.10, 0.008),
        knot(0.39, high + 0.22, 0.006),
        knot(blade + 0.045, high + 0.33, 0.005),
    ];
    dense.stroke(&outer, |distance, softness| 0.09 * bone * solid_profile(distance, softness));
    let ridge = [
        knot(blade, high + 0.09, 0.008),
        knot(0.40, high + 0.015, 0.013),
        knot(0.435, high, 0.012),
    ];
    dense.stroke(&ridge, |distance, softness| 0.07 * bone * hollow_profile(distance, softness));
    let sheet = [knot(0.38, high + 0.09, 0.05), knot(blade + 0.04, high + 0.3, 0.012)];
    dense.stroke(&sheet, |distance, softness| 0.045 * bone * solid_profile(distance, softness));

    let arm: Vec<_> =
        [(0.0, 0.040), (0.035, 0.043), (0.08, 0.034), (0.14, 0.025), (0.3, 0.022), (0.8, 0.024)]
            .map(|(down, half)| knot(0.452 + anatomy.arm * down, high + 0.075 + down, half))
            .to_vec();
    dense.stroke(&arm, |distance, softness| 0.13 * bone * hollow_profile(distance, softness));
}

/// Paints objects on the patient: a lead letter, and on AP films often leads and a line.
pub(super) fn paint_lines(
    layers: &mut Layers,
    anatomy: &Anatomy,
    view: View,
    rng: &mut ChaCha8Rng,
) {
    let side = if rng.random_bool(0.75) { BodySide::Left } else { BodySide::Right };
    let center =
        [anatomy.middle + side.sign() * rng.random_range(0.33..0.42), rng.random_range(0.02..0.10)];
    let size = rng.random_range(0.030..0.048);
    let (sin, cos) = rng.random_range(-0.4f32..0.4).sin_cos();
    let strokes = match side {
        BodySide::Left => &LETTER_L[..],
        BodySide::Right => &LETTER_R[..],
    };
    for stroke in strokes {
        let knots: Vec<_> = stroke
            .iter()
            .map(|[u, v]| [(u - 0.35) * size, (v - 0.5) * size])
            .map(|[u, v]| {
                Knot::new(center[0] + u * cos - v * sin, center[1] + u * sin + v * cos, 0.0045)
            })
            .collect();
        layers.dense.stroke(&knots, |distance, softness| 1.6 * solid_profile(distance, softness));
    }

    if view == View::Pa {
        return;
    }
    for _ in 0..rng.random_range(0..4) {
        let side = BodySide::random(rng);
        let from = [
            anatomy.middle + side.sign() * rng.random_range(0.12..0.33),
            rng.random_range(0.2..0.7),
        ];
        let to =
            [anatomy.middle + side.sign() * rng.random_range(0.3..0.6), rng.random_range(0.8..1.1)];
        let sag = rng.random_range(-0.12..0.12);
        let wire: Vec<_> = (0..=16)
            .map(|step| step as f32 / 16.0)
            .map(|t| {
                let x = from[0] + t * (to[0] - from[0]) + sag * (PI * t).sin();
                Knot::new(x, from[1] + t * (to[1] - from[1]), 0.0016)
            })
            .collect();
        layers.dense.stroke(&wire, |distance, softness| 0.25 * solid_profile(distance, softness));
        let pad = Patch::disc(from, 0.009);
        layers.dense.edit(pad.area(1.4), |x, y, dense| {
            dense + 0.22 * (1.0 - rise(pad.distance(x, y), 1.0, 0.3))
        });
    }
    if rng.random_bool(0.3) {
        let y = anatomy.apex;
        let tip = y + rng.random_range(0.25..0.36);
        let middle = anatomy.spine(tip) - 0.8 * anatomy.mediastinum;
        let line = [
            Knot::new(middle - 0.10, y - 0.08, 0.0028),
            Knot::new(middle - 0.05, y + 0.02, 0.0028),
            Knot::new(middle - 0.012, y + 0.10, 0.0028),
            Knot::new(middle, tip, 0.0028),
        ];
        layers.dense.stroke(&line, |distance, softness| 0.16 * solid_profile(distance, softness));
    }
}

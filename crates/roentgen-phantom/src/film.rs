//! Draws one film: the patient is posed, the layers are summed, and the film is exposed and
//! developed.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::anatomy::Anatomy;
use super::canvas::{Area, Plane, Point};
use super::patient::{Patient, Purpose, View, Visit};
use super::tissue::Layers;
use super::{bones, signs, tissue};
use roentgen_data::Finding;

/// A synthetic film.
pub(super) struct DrawnFilm {
    /// The gray values in row-major order.
    pub(super) pixels: Vec<u8>,
    /// Boxes of the signs, in fractions of the film's width.
    pub(super) boxes: Vec<(Finding, Area)>,
}

/// Draws the film of a visit, `size` pixels wide.
pub(super) fn draw(patient: &Patient, visit: &Visit, size: usize) -> DrawnFilm {
    let mut rng = patient.stream(0, Purpose::Anatomy);
    let mut anatomy = Anatomy::random(patient.sex, patient.first_age(), &mut rng);
    let mut rng = patient.stream(visit.number, Purpose::Pose);
    anatomy.pose(visit.view, &mut rng);
    let pose = Pose::random(&mut rng);
    for sign in &visit.signs {
        let mut rng = patient.stream(sign.since, Purpose::Sign(sign.finding));
        signs::reshape(&mut anatomy, sign, &mut rng);
    }

    let mut layers = Layers::new(size);
    tissue::paint_body(&mut layers, &anatomy);
    tissue::paint_lungs(&mut layers, &anatomy);
    tissue::paint_heart(&mut layers, &anatomy);
    let mut rng = patient.stream(0, Purpose::Vessels);
    tissue::paint_vessels(&mut layers, &anatomy, &mut rng);
    tissue::paint_texture(&mut layers, &anatomy, &mut rng);
    tissue::paint_stomach(&mut layers, &anatomy);
    bones::paint_bones(&mut layers, &anatomy, visit.view);
    let mut boxes = Vec::new();
    for sign in &visit.signs {
        let mut rng = patient.stream(sign.since, Purpose::Sign(sign.finding));
        if let Some(area) = signs::paint(&mut layers, &anatomy, sign, &mut rng) {
            boxes.push((sign.finding, pose.project_area(area)));
        }
    }
    let mut rng = patient.stream(visit.number, Purpose::Lines);
    bones::paint_lines(&mut layers, &anatomy, visit.view, &mut rng);

    let attenuation = layers.attenuation(&anatomy);
    let mut rng = patient.stream(visit.number, Purpose::Exposure);
    let exposure = Exposure::random(visit.view, &mut rng);
    let mut grain = patient.stream(visit.number, Purpose::Grain);
    let pixels = exposure.develop(&attenuation, &pose, size, &mut grain);
    DrawnFilm { pixels, boxes }
}

/// Position of the patient in front of the film: rotated, nearer or farther, off center.
struct Pose {
    sin: f32,
    cos: f32,
    zoom: f32,
    shift: Point,
}

impl Pose {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let (sin, cos) = (rng.random_range(-0.035f32..0.035)).sin_cos();
        let zoom = rng.random_range(0.95..1.08);
        let shift = [rng.random_range(-0.025..0.025), rng.random_range(-0.03..0.03)];
        Self { sin, cos, zoom, shift }
    }

    /// Returns the point of the patient that is projected to `[x, y]` of the film.
    fn place_at(&self, [x, y]: Point) -> Point {
        let (u, v) = ((x - 0.5 - self.shift[0]) / self.zoom, (y - 0.5 - self.shift[1]) / self.zoom);
        [0.5 + u * self.cos + v * self.sin, 0.5 + v * self.cos - u * self.sin]
    }

    /// Returns the point of the film to which a point of the patient is projected.
    fn project(&self, [x, y]: Point) -> Point {
        let (u, v) = ((x - 0.5) * self.zoom, (y - 0.5) * self.zoom);
        [
            0.5 + self.shift[0] + u * self.cos - v * self.sin,
            0.5 + self.shift[1] + v * self.cos + u * self.sin,
        ]
    }

    /// Returns the upright rectangle on the film around an upright rectangle of the patient.
    fn project_area(&self, area: Area) -> Area {
        let corners = area.corners().map(|corner| self.project(corner));
        let area = Area::round(corners).unwrap_or(area);
        Area {
            left: area.left.clamp(0.0, 1.0),
            top: area.top.clamp(0.0, 1.0),
            right: area.right.clamp(0.0, 1.0),
            bottom: area.bottom.clamp(0.0, 1.0),
        }
    }
}

/// Beam, film and developer.
struct Exposure {
    /// The attenuation that becomes mid-gray.
    middle: f32,
    /// Steepness of the film's response.
    contrast: f32,
    /// Gray of the densest parts.
    white: f32,
    /// Width of the blur, in fractions of the film's width.
    blur: f32,
    /// Strength of the grain, in gray values.
    grain: f32,
    /// The field left open by the collimator of the tube.
    field: Area,
}

impl Exposure {
    fn random(view: View, rng: &mut ChaCha8Rng) -> Self {
        let mut within = |from: f32, to: f32| rng.random_range(from..to);
        let cut = |share: f32| if share > 0.85 { (share - 0.85) * 0.25 } else { -1.0 };
        let field = Area {
            left: cut(within(0.0, 1.0)),
            top: cut(within(0.0, 1.0)),
            right: 1.0 - cut(within(0.0, 1.0)),
            bottom: 1.0 - cut(within(0.0, 1.0)),
        };
        match view {
            View::Pa => Self {
                middle: within(0.46, 0.62),
                contrast: within(2.3, 2.9),
                white: within(246.0, 262.0),
                blur: within(0.0004, 0.0010),
                grain: within(0.8, 1.8),
                field,
            },
            View::Ap => Self {
                middle: within(0.40, 0.58),
                contrast: within(1.9, 2.5),
                white: within(236.0, 258.0),
                blur: within(0.0010, 0.0020),
                grain: within(1.4, 3.0),
                field,
            },
        }
    }

    fn develop(
        &self,
        attenuation: &Plane,
        pose: &Pose,
        size: usize,
        rng: &mut ChaCha8Rng,
    ) -> Vec<u8> {
        let mut film = vec![0.0; size * size];
        let pixel = 1.0 / size as f32;
        for (row, values) in film.chunks_mut(size).enumerate() {
            let y = (row as f32 + 0.5) * pixel;
            for (column, value) in values.iter_mut().enumerate() {
                let [u, v] = pose.place_at([(column as f32 + 0.5) * pixel, y]);
                *value = attenuation.sample(u, v);
            }
        }
        blur(&mut film, size, self.blur * size as f32);

        let response = self.response();
        let field = self.field;
        let mut pixels = Vec::with_capacity(film.len());
        for (row, values) in film.chunks(size).enumerate() {
            let y = (row as f32 + 0.5) * pixel;
            for (column, value) in values.iter().enumerate() {
                let x = (column as f32 + 0.5) * pixel;
                let grain = bell(rng);
                let open = x > field.left && x < field.right && y > field.top && y < field.bottom;
                let gray = if open {
                    let at = (value * RESPONSE_STEPS).min(response.len() as f32 - 2.0);
                    let (index, rest) = (at as usize, at.fract());
                    response[index] + rest * (response[index + 1] - response[index])
                } else {
                    0.0
                };
                // Dense parts let the fewest quanta through, but there the film is nearly white.
                let grain = grain * self.grain * (0.35 + gray * (260.0 - gray) / 16900.0);
                pixels.push((gray + grain + 0.5) as u8);
            }
        }
        pixels
    }

    /// Returns the gray value of every attenuation up to 3, in steps of `1 / RESPONSE_STEPS`.
    fn response(&self) -> Vec<f32> {
        let steps = (3.0 * RESPONSE_STEPS) as usize;
        let gray = |step: usize| {
            let ratio = (step as f32 / RESPONSE_STEPS / self.middle).powf(self.contrast);
            self.white * ratio / (1.0 + ratio)
        };
        (0..=steps).map(gray).collect()
    }
}

/// Entries of the response table per unit of attenuation.
const RESPONSE_STEPS: f32 = 256.0;

/// Returns a roughly normal random number of mean 0 and deviation 1: the sum of four bytes.
fn bell(rng: &mut ChaCha8Rng) -> f32 {
    // Four times 255 / 2, and the square root of 4 * (256 * 256 - 1) / 12.
    const MEAN: f32 = 510.0;
    const DEVIATION: f32 = 147.8;
    let sum: u32 = rng.next_u32().to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - MEAN) / DEVIATION
}

/// Blurs a square plane with a Gaussian of `sigma` pixels.
fn blur(values: &mut [f32], size: usize, sigma: f32) {
    let radius = (2.5 * sigma).ceil() as usize;
    if sigma < 0.2 {
        return;
    }
    let weights: Vec<f32> =
        (0..=radius).map(|step| (-0.5 * (step as f32 / sigma).powi(2)).exp()).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let weights: Vec<f32> = weights.into_iter().map(|weight| weight / sum).collect();
    let mut padded = vec![0.0; size + 2 * radius];
    for row in values.chunks_mut(size) {
        smooth(row, &weights, &mut padded);
    }
    // Rows are added to rows, which reads memory in order, unlike a walk down the columns.
    let source = values.to_vec();
    let row = |index: usize| &source[index * size..(index + 1) * size];
    for (index, target) in values.chunks_mut(size).enumerate() {
        for (value, center) in target.iter_mut().zip(row(index)) {
            *value = weights[0] * center;
        }
        for (step, weight) in weights.iter().enumerate().skip(1) {
            let above = row(index.saturating_sub(step));
            let below = row((index + step).min(size - 1));
            for ((value, a), b) in target.iter_mut().zip(above).zip(below) {
                *value += weight * (a + b);
            }
        }
    }
}

/// Blurs one row; `padded` is scratch space for the row and its repeated ends.
fn smooth(row: &mut [f32], weights: &[f32], padded: &mut [f32]) {
    let radius = weights.len() - 1;
    let last = row.len() - 1;
    for (index, value) in padded.iter_mut().enumerate() {
        *value = row[index.saturating_sub(radius).min(last)];
    }
    for (index, value) in row.iter_mut().enumerate() {
        let center = index + radius;
        let sides = weights.iter().enumerate().skip(1);
        *value = weights[0] * padded[center]
            + sides
                .map(|(step, w)| w * (padded[center - step] + padded[center + step]))
                .sum::<f32>();
    }
}

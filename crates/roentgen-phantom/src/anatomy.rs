//! The shape of a patient's chest, and how age, sex, view and breath change it.
//!
//! Lengths are fractions of the film's width. Sides are the patient's: the right lung is on the
//! left of the film. Distances from the midline are positive on both sides.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::brush::ease;
use super::canvas::Point;
use super::patient::{Sex, View};
use super::side::BodySide;

/// The measures of a chest.
#[derive(Clone, Debug)]
pub(super) struct Anatomy {
    /// The midline.
    pub(super) middle: f32,
    /// Top of the lungs.
    pub(super) apex: f32,
    /// Half the inner width of the rib cage.
    pub(super) half_width: f32,
    /// Tops of the diaphragm: right, left.
    pub(super) domes: [f32; 2],
    /// How far the diaphragm falls from its top to the outer angle: right, left.
    pub(super) falls: [f32; 2],
    /// The heart's reach to the patient's right and left.
    pub(super) heart: [f32; 2],
    /// Radius of the aortic knob.
    pub(super) knob: f32,
    /// Half width of the upper mediastinum.
    pub(super) mediastinum: f32,
    /// Half width of the trunk at the foot of the film.
    pub(super) trunk: f32,
    /// Soft tissue in the beam.
    pub(super) thickness: f32,
    /// Density of bone.
    pub(super) bone: f32,
    /// How steeply the ribs run down to the front.
    pub(super) rib_slant: f32,
    /// Sideways bend of the spine.
    pub(super) bend: f32,
    /// Height of the shoulders.
    pub(super) shoulder: f32,
    /// The direction of the arms: outward length per length downward.
    pub(super) arm: f32,
    /// Radius of the breasts; zero for none.
    pub(super) breast: f32,
    /// Gas in the stomach: radii, and whether there is a fluid level.
    pub(super) stomach: Option<(f32, f32, bool)>,
    /// Air in the lungs: 1 is usual; larger is darker.
    pub(super) aeration: f32,
    /// Density of the vessels.
    pub(super) vessels: f32,
}

impl Anatomy {
    /// Draws a random chest of the given sex and age.
    pub(super) fn random(sex: Sex, age: u32, rng: &mut ChaCha8Rng) -> Self {
        let mut within = |from: f32, to: f32| rng.random_range(from..to);
        // `grown`: 0 in a newborn, 1 in an adult. `old`: 0 up to the age of fifty, 1 at ninety.
        let grown = ease(age as f32 / 16.0);
        let old = ((age as f32 - 50.0) / 40.0).clamp(0.0, 1.0);
        let half_width = within(0.325, 0.375) - 0.02 * (1.0 - grown);
        let apex = within(0.07, 0.12) + 0.05 * (1.0 - grown);
        let dome = within(0.70, 0.77) - 0.08 * (1.0 - grown);
        let fall = within(0.085, 0.125);
        // Cardiothoracic ratio of a normal chest on a PA film.
        let ratio = within(0.40, 0.475) + 0.015 * old + 0.02 * (1.0 - grown);
        let right = within(0.29, 0.35);
        let heart = [2.0 * half_width * ratio * right, 2.0 * half_width * ratio * (1.0 - right)];
        let weight = within(0.0, 1.0);
        let female = sex == Sex::Female && age >= 13;
        let breast = within(0.115, 0.15) * (0.85 + 0.25 * weight);
        let stomach = (within(0.05, 0.09), within(0.025, 0.05), within(0.0, 1.0) < 0.6);
        let has_gas = within(0.0, 1.0) < 0.55;
        Self {
            middle: 0.5,
            apex,
            half_width,
            domes: [dome, dome + within(0.005, 0.035)],
            falls: [fall, fall * within(0.85, 1.05)],
            heart,
            knob: within(0.026, 0.034) + 0.012 * old,
            mediastinum: within(0.048, 0.06) + 0.01 * (1.0 - grown),
            trunk: half_width + within(0.03, 0.06) + 0.1 * weight * grown,
            thickness: 0.88 + 0.2 * weight * grown - 0.06 * (1.0 - grown),
            bone: (within(0.85, 1.2) + if sex == Sex::Male { 0.1 } else { 0.0 })
                * (0.7 + 0.3 * grown)
                * (1.0 - 0.2 * old),
            rib_slant: within(0.19, 0.27) + 0.02 * old - 0.10 * (1.0 - grown),
            bend: within(-1.0, 1.0) * (0.008 + 0.014 * old),
            shoulder: within(0.07, 0.14),
            arm: within(0.12, 0.5),
            breast: if female { breast } else { 0.0 },
            stomach: has_gas.then_some(stomach),
            aeration: within(0.94, 1.06),
            vessels: within(0.8, 1.2),
        }
    }

    /// Applies the breath and the posture of one film.
    pub(super) fn pose(&mut self, view: View, rng: &mut ChaCha8Rng) {
        let mut breath = rng.random_range(-0.02..0.015);
        if view == View::Ap {
            // The patient lies down: the diaphragm is high, and the heart, far from the film, is
            // magnified.
            breath -= rng.random_range(0.02..0.055);
            self.heart = self.heart.map(|reach| reach * 1.07);
            self.mediastinum *= 1.12;
            self.shoulder -= 0.02;
            self.arm *= 0.5;
        }
        self.domes = self.domes.map(|dome| dome + breath);
    }

    /// Returns the top of the diaphragm on a side.
    pub(super) fn dome(&self, side: BodySide) -> f32 {
        self.domes[side as usize]
    }

    /// Returns the height of the outer angle between ribs and diaphragm.
    pub(super) fn angle(&self, side: BodySide) -> f32 {
        self.domes[side as usize] + self.falls[side as usize]
    }

    /// Returns the heart's share of the inner width of the chest.
    pub(super) fn cardiothoracic_ratio(&self) -> f32 {
        (self.heart[0] + self.heart[1]) / (2.0 * self.half_width)
    }

    /// Returns the position of the midline at a height.
    pub(super) fn spine(&self, y: f32) -> f32 {
        self.middle + self.bend * (5.0 * y - 0.6).sin()
    }

    /// Returns the distance of the inner chest wall from the midline at a height.
    pub(super) fn wall(&self, side: BodySide, y: f32) -> f32 {
        let t = ((y - self.apex) / (self.angle(side) - self.apex)).clamp(0.0, 1.3);
        let u = (t / 0.72).min(1.0);
        let waist = (t - 0.82).max(0.0);
        self.half_width
            * (0.46 + 0.54 * (1.0 - (1.0 - u).powf(2.3)).powf(0.66) - 0.5 * waist * waist)
    }

    /// Returns the distance of the lung's inner border from the midline at a height, behind the
    /// heart.
    pub(super) fn inner(&self, side: BodySide, y: f32) -> f32 {
        let height = self.angle(side) - self.apex;
        let v = ((y - self.apex) / (0.2 * height)).clamp(0.0, 1.0);
        let top = 0.43 * self.half_width;
        let inner = 0.032;
        top - (top - inner) * (1.0 - (1.0 - v) * (1.0 - v)).sqrt()
    }

    /// Returns the depth below the ribs and the top of the lung, approximately along the shortest
    /// path.
    pub(super) fn depth(&self, side: BodySide, distance: f32, y: f32) -> f32 {
        let step = 0.004;
        let (wall, inner) = (self.wall(side, y), self.inner(side, y));
        let slope = (self.wall(side, y + step) - wall) / step;
        let outer = (wall - distance) / (1.0 + slope * slope).sqrt();
        // Next to the midline there are no ribs except over the top.
        let slope = (self.inner(side, y + step) - inner) / step;
        if slope > -0.4 {
            return outer;
        }
        outer.min((distance - inner) / (1.0 + slope * slope).sqrt())
    }

    /// Returns the height of the diaphragm at a distance from the midline.
    pub(super) fn diaphragm(&self, side: BodySide, distance: f32) -> f32 {
        let crest = 0.46 * self.half_width;
        let (dome, fall) = (self.dome(side), self.falls[side as usize]);
        if distance > crest {
            let u = ((distance - crest) / (self.half_width - crest)).min(1.2);
            dome + fall * u.powf(2.3)
        } else {
            let u = (crest - distance) / crest;
            dome + 0.35 * fall * u * u
        }
    }

    /// Returns a point in a lung: `across` runs from its inner border to the ribs, `down` from its
    /// top to the diaphragm, both from 0 to 1.
    pub(super) fn place(&self, side: BodySide, across: f32, down: f32) -> Point {
        let guess = self.apex + down * (self.dome(side) - self.apex);
        let (inner, wall) = (self.inner(side, guess).max(self.mediastinum), self.wall(side, guess));
        let distance = inner + across * (wall - inner);
        let y = self.apex + down * (self.diaphragm(side, distance) - self.apex);
        [self.spine(y) + side.sign() * distance, y]
    }

    /// Returns the root of a lung.
    pub(super) fn hilum(&self, side: BodySide) -> Point {
        let lift = match side {
            BodySide::Right => 0.44,
            BodySide::Left => 0.40,
        };
        let y = self.apex + lift * (self.dome(side) - self.apex);
        [self.spine(y) + side.sign() * (self.mediastinum + 0.022), y]
    }

    /// Returns the distances of the heart's and great vessels' borders from the midline at a
    /// height: right, left; zero above and below them.
    pub(super) fn heart_borders(&self, y: f32) -> [f32; 2] {
        let top = self.apex + 0.04;
        let bottom = self.dome(BodySide::Left) + 0.05;
        let t = (y - top) / (bottom - top);
        let m = self.mediastinum;
        let [right, left] = self.heart;
        let knob = m + 0.72 * self.knob;
        let right = [
            0.70 * m,
            0.74 * m,
            0.88 * m,
            1.04 * m,
            1.10 * m,
            m + 0.40 * (right - m),
            m + 0.85 * (right - m),
            right,
            0.94 * right,
        ];
        let left = [
            0.60 * m,
            0.72 * m,
            knob,
            m + 0.38 * self.knob,
            m + 0.42 * (left - m).max(0.03),
            m + 0.62 * (left - m),
            m + 0.86 * (left - m),
            left,
            0.92 * left,
        ];
        [curve(&right, t), curve(&left, t)]
    }

    /// Returns the heights between which the heart itself is, without the great vessels.
    pub(super) fn heart_heights(&self) -> [f32; 2] {
        let top = self.apex + 0.04;
        let bottom = self.dome(BodySide::Left) + 0.05;
        [top + 0.45 * (bottom - top), bottom - 0.01]
    }
}

/// Evaluates a smooth curve through evenly spaced values; beyond them, the value at the end.
fn curve(values: &[f32], t: f32) -> f32 {
    let last = values.len() - 1;
    let u = (t * last as f32).clamp(0.0, last as f32 - 1e-4);
    let (index, s) = (u as usize, u.fract());
    let at = |i: usize| values[i.min(last)];
    let (a, b) = (at(index.saturating_sub(1)), at(index));
    let (c, d) = (at(index + 1), at(index + 2));
    b + 0.5 * s * (c - a + s * (2.0 * a - 5.0 * b + 4.0 * c - d + s * (3.0 * (b - c) + d - a)))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_normal_heart_is_less_than_half_of_the_chest() {
        for seed in 0..200 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut anatomy = Anatomy::random(Sex::Female, 20 + seed as u32 % 70, &mut rng);
            anatomy.pose(View::Ap, &mut rng);
            assert!(anatomy.cardiothoracic_ratio() < 0.53);
        }
    }

    #[test]
    fn a_curve_passes_through_its_values() {
        let values = [1.0, 3.0, 2.0];

        assert!((curve(&values, 0.5) - 3.0).abs() < 1e-3);
        assert!((curve(&values, 2.0) - 2.0).abs() < 1e-3);
    }
}

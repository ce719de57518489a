//! The two sides of the patient.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A side of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodySide {
    /// The patient's right, on the left of the film.
    Right,
    /// The patient's left, on the right of the film.
    Left,
}

impl BodySide {
    /// Both sides.
    pub(super) const BOTH: [BodySide; 2] = [BodySide::Right, BodySide::Left];

    /// Picks either side at random.
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_bool(0.5) { BodySide::Right } else { BodySide::Left }
    }

    /// Returns the direction of the side on the film.
    pub(super) fn sign(self) -> f32 {
        match self {
            BodySide::Right => -1.0,
            BodySide::Left => 1.0,
        }
    }

    /// Returns the opposite side.
    pub(super) fn opposite(self) -> Self {
        match self {
            BodySide::Right => BodySide::Left,
            BodySide::Left => BodySide::Right,
        }
    }

    /// Picks one side, or both with the chance `both`.
    pub(super) fn some(both: f64, rng: &mut ChaCha8Rng) -> Vec<Self> {
        let first = Self::random(rng);
        if rng.random_bool(both) { vec![first, first.opposite()] } else { vec![first] }
    }
}

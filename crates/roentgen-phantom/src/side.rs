//! The two sides of the patient.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A side of the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The patient's right, on the left of the film.
    Right,
    /// The patient's left, on the right of the film.
    Left,
}

impl Side {
    /// Both sides.
    pub(super) const BOTH: [Side; 2] = [Side::Right, Side::Left];

    /// Picks either side at random.
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_bool(0.5) { Side::Right } else { Side::Left }
    }

    /// Returns the direction of the side on the film.
    pub(super) fn sign(self) -> f32 {
        match self {
            Side::Right => -1.0,
            Side::Left => 1.0,
        }
    }

    /// Returns the opposite side.
    pub(super) fn other(self) -> Self {
        match self {
            Side::Right => Side::Left,
            Side::Left => Side::Right,
        }
    }

    /// Picks one side, or both with the chance `both`.
    pub(super) fn some(both: f64, rng: &mut ChaCha8Rng) -> Vec<Self> {
        let first = Self::random(rng);
        if rng.random_bool(both) { vec![first, first.other()] } else { vec![first] }
    }
}

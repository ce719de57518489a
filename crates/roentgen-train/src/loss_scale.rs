//! The loss scale of f16, by the rule of PyTorch's `GradScaler`, from [Mixed Precision
//! Training][paper].
//!
//! Most gradients of activations are too small for f16, so the loss is multiplied by a scale before
//! the backward pass, and the gradients of the weights, which are in single precision, are divided
//! by it afterwards. The scale is a power of two, so neither rounds. It is found by trial: it doubles
//! from time to time and is halved when a gradient is not a finite number.
//!
//! [paper]: https://arxiv.org/abs/1710.03740

use roentgen_models::Precision;
use serde::{Deserialize, Serialize};

/// The scale of a run's first step.
const FIRST: u32 = 1 << 16;
/// The largest scale.
const LARGEST: u32 = 1 << 24;
/// Steps in a row with finite gradients after which the scale doubles.
const GOOD_STEPS: u32 = 2000;

/// The loss scale and what it depends on; `[loss_scale]` of `state.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossScale {
    /// The factor of the loss of the next step, a power of two.
    pub scale: u32,
    /// Steps in a row with finite gradients since the scale changed.
    pub good_steps: u32,
}

/// What became of an optimizer step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// The weights have changed.
    Taken,
    /// A gradient was not a finite number, so the weights are as before and the scale is halved.
    Skipped,
    /// A gradient was not a finite number although the scale was 1. Nothing has changed.
    Impossible,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { scale: FIRST, good_steps: 0 }
    }
}

impl LossScale {
    /// Returns the loss scale of the first step; `None` for a precision that needs none.
    pub fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 | Precision::Bf16 => None,
            Precision::F16 => Some(Self::default()),
        }
    }

    /// Returns the factor of the loss.
    pub(crate) fn factor(self) -> f32 {
        self.scale as f32
    }

    /// Whether a run can have this loss scale.
    pub(crate) fn is_possible(self) -> bool {
        let Self { scale, good_steps } = self;
        scale.is_power_of_two() && scale <= LARGEST && good_steps < GOOD_STEPS
    }

    /// Counts a step with finite gradients.
    pub(crate) fn finite_step(&mut self) -> StepOutcome {
        self.good_steps += 1;
        if self.good_steps == GOOD_STEPS {
            *self = Self { scale: (2 * self.scale).min(LARGEST), good_steps: 0 };
        }
        StepOutcome::Taken
    }

    /// Counts a step with a gradient that is not a finite number.
    pub(crate) fn infinite_step(&mut self) -> StepOutcome {
        if self.scale == 1 {
            return StepOutcome::Impossible;
        }
        *self = Self { scale: self.scale / 2, good_steps: 0 };
        StepOutcome::Skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_f16_needs_a_scale_and_begins_with_65536() {
        assert_eq!(LossScale::of(Precision::F32), None);
        assert_eq!(LossScale::of(Precision::Bf16), None);
        assert_eq!(LossScale::of(Precision::F16), Some(LossScale { scale: 65536, good_steps: 0 }));
    }

    #[test]
    fn the_scale_doubles_after_2000_good_steps_in_a_row() {
        let mut scale = LossScale::default();
        for good_steps in 1..2000 {
            assert_eq!(scale.finite_step(), StepOutcome::Taken);
            assert_eq!(scale, LossScale { scale: 65536, good_steps });
        }

        assert_eq!(scale.finite_step(), StepOutcome::Taken);
        assert_eq!(scale, LossScale { scale: 131_072, good_steps: 0 });
    }

    #[test]
    fn a_step_that_is_not_finite_halves_the_scale_and_counts_from_zero() {
        let mut scale = LossScale { scale: 65536, good_steps: 1999 };

        assert_eq!(scale.infinite_step(), StepOutcome::Skipped);
        assert_eq!(scale, LossScale { scale: 32768, good_steps: 0 });
        assert_eq!(scale.finite_step(), StepOutcome::Taken);
        assert_eq!(scale, LossScale { scale: 32768, good_steps: 1 });
    }

    #[test]
    fn the_scale_stays_between_1_and_2_to_the_24() {
        let mut largest = LossScale { scale: 1 << 24, good_steps: 1999 };
        let mut smallest = LossScale { scale: 2, good_steps: 0 };

        assert_eq!(largest.finite_step(), StepOutcome::Taken);
        assert_eq!(largest, LossScale { scale: 1 << 24, good_steps: 0 });
        assert_eq!(smallest.infinite_step(), StepOutcome::Skipped);
        assert_eq!(smallest.infinite_step(), StepOutcome::Impossible);
        assert_eq!(smallest, LossScale { scale: 1, good_steps: 0 });
    }

    #[test]
    fn every_scale_that_the_rule_reaches_is_possible_and_others_are_not() {
        let is_possible = |scale, good_steps| LossScale { scale, good_steps }.is_possible();

        assert!((0..=24).all(|power| is_possible(1 << power, 1999)));
        for (scale, good_steps) in [(0, 0), (3, 0), (65535, 0), (1 << 25, 0), (2, 2000)] {
            assert!(!is_possible(scale, good_steps), "{scale} {good_steps}");
        }
    }
}

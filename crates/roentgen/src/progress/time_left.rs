//! The time that a run still takes, from the steps so far.

use std::cell::Cell;

/// Steps that are measured before an estimate is given.
const STEPS_TO_TELL: usize = 20;
/// Time of a film in validation as a share of its time in training: one pass in place of three.
const VALIDATION: f64 = 1.0 / 3.0;

/// Measures the steps of a run.
#[derive(Default)]
pub(super) struct TimeLeft {
    /// When the measurement began, and the steps done by then.
    first: Cell<Option<(f64, usize)>>,
    /// Whether the time of the steps includes that of validation.
    has_validated: Cell<bool>,
}

/// The steps of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) done: usize,
    pub(super) all: usize,
    /// Films of validation for each film of training.
    pub(super) validation: f64,
}

/// What is expected of a run, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) per_step: f64,
    pub(super) left: f64,
}

impl TimeLeft {
    /// Notes that a validation has passed.
    pub(super) fn validated(&self) {
        self.has_validated.set(true);
    }

    /// Starts over, because later steps take a different time.
    pub(super) fn restart(&self) {
        self.first.set(None);
    }

    /// Returns what is expected at the time `now`; `None` while too few steps were measured.
    pub(super) fn expected(&self, now: f64, steps: Steps) -> Option<Expected> {
        let Some((began, first)) = self.first.get() else {
            self.first.set(Some((now, steps.done)));
            return None;
        };
        let measured = steps.done.saturating_sub(first);
        if measured < STEPS_TO_TELL {
            return None;
        }
        let per_step = (now - began) / measured as f64;
        let with_validation =
            if self.has_validated.get() { 1.0 } else { 1.0 + VALIDATION * steps.validation };
        let left = steps.all.saturating_sub(steps.done) as f64 * per_step * with_validation;
        Some(Expected { per_step, left })
    }
}

/// Formats a time for people: `40 s`, `12 min`, `3.5 h`.
pub(super) fn format_time(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 90.0 * 60.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_steps_and_includes_validation() {
        let left = TimeLeft::default();
        let steps = |done| Steps { done, all: 200, validation: 0.3 };

        assert_eq!(left.expected(100.0, steps(1)), None);
        assert_eq!(left.expected(109.0, steps(10)), None);
        let expected = left.expected(120.0, steps(21)).unwrap();
        assert!((expected.per_step - 1.0).abs() < 1e-9);
        assert!((expected.left - 179.0 * 1.1).abs() < 1e-9, "{expected:?}");
        left.validated();
        let expected = left.expected(210.0, steps(101)).unwrap();
        assert!(
            (expected.left - 99.0 * 1.1).abs() < 1e-9,
            "validation is in the time: {expected:?}"
        );
    }

    #[test]
    fn times_are_shown_in_the_unit_that_fits() {
        let times = [3.2, 89.0, 125.0, 5_000.0, 12_600.0].map(format_time);

        assert_eq!(times, ["3 s", "89 s", "2 min", "83 min", "3.5 h"]);
    }
}

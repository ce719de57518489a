//! Confidence intervals from resampled values.
//!
//! Percentiles are interpolated linearly, as numpy does by default; other rules differ in the third
//! decimal at a thousand resamples.

use serde::{Deserialize, Serialize};

/// The 2.5th and the 97.5th percentile; `[low, high]` in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.low, interval.high]
    }
}

impl From<[f64; 2]> for Interval {
    fn from([low, high]: [f64; 2]) -> Self {
        Self { low, high }
    }
}

impl Interval {
    /// Computes the percentiles with linear interpolation, as numpy does; returns `None` without
    /// values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |share: f64| percentile(&values, share * last as f64);
        Some(Self { low: at(0.025), high: at(0.975) })
    }
}

/// Interpolates between the neighbours of a position in sorted values, counted from 0.
pub(crate) fn percentile(sorted: &[f64], position: f64) -> f64 {
    let last = sorted.len() - 1;
    let below = (position as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    low + (high - low) * (position - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let interval = Interval::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();

        assert!((interval.low - 1.075).abs() < 1e-12 && (interval.high - 3.925).abs() < 1e-12);
        assert_eq!(Interval::of(vec![2.0]), Some(Interval { low: 2.0, high: 2.0 }));
        assert_eq!(Interval::of(Vec::new()), None);
    }
}

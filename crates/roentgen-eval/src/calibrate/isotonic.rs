//! Isotonic regression: the rising function with the smallest squared error.
//!
//! It needs no form of the error, but more films than Platt scaling, and films of different
//! probability may get the same one, so it can change AUROC. Between the points the function is
//! linear and outside it is constant, as in scikit-learn.

use serde::{Deserialize, Serialize};

/// A rising function through points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    /// Probabilities of the model, rising.
    pub probabilities: Vec<f64>,
    /// The calibrated probability of each, which never falls.
    pub calibrated: Vec<f64>,
}

/// Films of neighbouring probabilities with one calibrated probability.
struct Block {
    low: f64,
    high: f64,
    films: f64,
    positives: f64,
}

impl Isotonic {
    /// Fits the function to the films; `None` if there are none.
    ///
    /// ```
    /// use roentgen_eval::Isotonic;
    ///
    /// let labels = [false, true, false, true];
    /// let isotonic = Isotonic::fit(&[0.1, 0.4, 0.5, 0.8], &labels).unwrap();
    /// assert_eq!(isotonic.probabilities, [0.1, 0.4, 0.5, 0.8]);
    /// assert_eq!(isotonic.calibrated, [0.0, 0.5, 0.5, 1.0]);
    /// assert!((isotonic.apply(0.25) - 0.25).abs() < 1e-12);
    /// ```
    pub fn fit(probabilities: &[f64], labels: &[bool]) -> Option<Self> {
        let mut films: Vec<(f64, bool)> =
            probabilities.iter().copied().zip(labels.iter().copied()).collect();
        films.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut blocks: Vec<Block> = Vec::new();
        for group in films.chunk_by(|a, b| a.0 == b.0) {
            let positives = group.iter().filter(|(_, label)| *label).count() as f64;
            let p = group[0].0;
            blocks.push(Block { low: p, high: p, films: group.len() as f64, positives });
            // Counts are whole numbers, so the comparison of shares is exact.
            while let [.., one, two] = blocks.as_mut_slice()
                && one.positives * two.films >= two.positives * one.films
            {
                one.high = two.high;
                one.films += two.films;
                one.positives += two.positives;
                blocks.pop();
            }
        }
        let mut isotonic = Self { probabilities: Vec::new(), calibrated: Vec::new() };
        for Block { low, high, films, positives } in &blocks {
            isotonic.push(*low, positives / films);
            if high > low {
                isotonic.push(*high, positives / films);
            }
        }
        (!blocks.is_empty()).then_some(isotonic)
    }

    fn push(&mut self, probability: f64, calibrated: f64) {
        self.probabilities.push(probability);
        self.calibrated.push(calibrated);
    }

    /// Calibrates a probability.
    pub fn apply(&self, p: f64) -> f64 {
        let above = self.probabilities.partition_point(|&point| point < p);
        let at =
            |point: usize| Some((*self.probabilities.get(point)?, *self.calibrated.get(point)?));
        match (above.checked_sub(1).and_then(at), at(above)) {
            (Some((x, y)), Some((next, to))) => (y + (to - y) * (p - x) / (next - x)).clamp(y, to),
            (None, Some((_, edge))) | (Some((_, edge)), None) => edge,
            (None, None) => p,
        }
    }

    /// Whether the points make a function that rises within 0..1.
    pub fn is_valid(&self) -> bool {
        let within = |values: &[f64]| values.iter().all(|value| (0.0..=1.0).contains(value));
        self.probabilities.len() == self.calibrated.len()
            && !self.probabilities.is_empty()
            && within(&self.probabilities)
            && within(&self.calibrated)
            && self.probabilities.windows(2).all(|pair| pair[0] < pair[1])
            && self.calibrated.windows(2).all(|pair| pair[0] <= pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_of_equal_probability_are_one_point() {
        let isotonic = Isotonic::fit(&[0.5, 0.2, 0.5, 0.5], &[true, false, false, false]).unwrap();

        assert_eq!(isotonic.probabilities, [0.2, 0.5]);
        assert_eq!(isotonic.calibrated, [0.0, 1.0 / 3.0]);
    }

    #[test]
    fn the_function_is_constant_outside_and_linear_between() {
        let isotonic =
            Isotonic { probabilities: vec![0.2, 0.4, 0.6], calibrated: vec![0.1, 0.3, 0.3] };

        let calibrated = [0.0, 0.2, 0.3, 0.5, 1.0].map(|p| isotonic.apply(p));
        for (calibrated, by_hand) in calibrated.into_iter().zip([0.1, 0.1, 0.2, 0.3, 0.3]) {
            assert!((calibrated - by_hand).abs() < 1e-12);
        }
    }

    #[test]
    fn a_falling_relation_becomes_the_prevalence() {
        let labels = [true, true, false, false, false];
        let isotonic = Isotonic::fit(&[0.1, 0.2, 0.3, 0.4, 0.5], &labels).unwrap();

        assert_eq!(isotonic.probabilities, [0.1, 0.5]);
        assert_eq!(isotonic.calibrated, [0.4, 0.4]);
        assert_eq!(Isotonic::fit(&[], &[]), None);
    }

    #[test]
    fn points_that_fall_are_not_valid() {
        let valid = |probabilities: &[f64], calibrated: &[f64]| {
            Isotonic { probabilities: probabilities.into(), calibrated: calibrated.into() }
                .is_valid()
        };

        assert!(valid(&[0.1, 0.2], &[0.3, 0.3]));
        assert!(!valid(&[0.2, 0.1], &[0.3, 0.3]) && !valid(&[0.1, 0.2], &[0.3, 0.2]));
        assert!(!valid(&[], &[]) && !valid(&[0.1], &[1.5]) && !valid(&[0.1, 0.2], &[0.3]));
    }
}

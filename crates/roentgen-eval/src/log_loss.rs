//! The cross entropy of a table: the loss that training minimizes, computed again from
//! probabilities.
//!
//! It makes runs trained with different losses comparable, and resampling patients gives it an
//! interval, which a loss in a log does not have.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::{Error, Interval, Options, Scores, cohort::draw, ensemble::align};

/// Lower limit of the probability of the truth, so that one film cannot make a loss infinite; as in
/// Keras.
const LEAST: f64 = 1e-7;

/// A value, with its interval by resampling patients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The value on all films.
    pub value: f64,
    /// The 95 % interval; `None` for fewer than two patients.
    pub interval: Option<Interval>,
}

/// Computes the mean of `-ln p` of the truth over all pairs of film and finding of known truth;
/// returns `None` if there are none.
pub fn log_loss(scores: &Scores, options: &Options) -> Option<Measured> {
    let sums = Sums::of(scores, &mut Patients::default());
    Some(Measured { value: sums.mean(None)?, interval: interval(options, &sums, |w| sums.mean(w)) })
}

/// Computes the loss of the second table minus that of the first, on the same films and the same
/// draws of patients; returns `None` if no truth is known.
///
/// # Errors
///
/// Returns an error if the tables do not have the same films, findings and truths.
pub fn paired_log_loss(
    first: &Scores,
    second: &Scores,
    options: &Options,
) -> Result<Option<Measured>, Error> {
    let second = align(first, second)?;
    let mut patients = Patients::default();
    let [first, second] = [first, &second].map(|scores| Sums::of(scores, &mut patients));
    let minus = |weights: Option<&[u32]>| Some(second.mean(weights)? - first.mean(weights)?);
    Ok(minus(None).map(|value| Measured { value, interval: interval(options, &first, minus) }))
}

/// Patients by number, in order of appearance.
#[derive(Default)]
struct Patients<'a>(HashMap<&'a str, usize>);

/// Sum and number of the terms of a table, by patient.
struct Sums(Vec<(f64, u32)>);

impl Sums {
    fn of<'a>(scores: &'a Scores, patients: &mut Patients<'a>) -> Self {
        let mut sums = Vec::new();
        let numbers: Vec<usize> = scores
            .patients()
            .iter()
            .map(|patient| {
                let next = patients.0.len();
                *patients.0.entry(patient).or_insert(next)
            })
            .collect();
        sums.resize(patients.0.len(), (0.0, 0));
        for finding in scores.findings() {
            for (row, p, truth) in finding.known() {
                let right = if truth { p } else { 1.0 - p };
                let (sum, count) = &mut sums[numbers[row]];
                *sum -= right.clamp(LEAST, 1.0 - LEAST).ln();
                *count += 1;
            }
        }
        Self(sums)
    }

    /// Returns the mean with each patient counted `weights` times, or once without weights.
    fn mean(&self, weights: Option<&[u32]>) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0_u64);
        for (patient, &(of_patient, terms)) in self.0.iter().enumerate() {
            let weight = weights.map_or(1, |weights| weights[patient]);
            sum += f64::from(weight) * of_patient;
            count += u64::from(weight) * u64::from(terms);
        }
        (count > 0).then(|| sum / count as f64)
    }
}

fn interval(
    options: &Options,
    sums: &Sums,
    mean: impl Fn(Option<&[u32]>) -> Option<f64> + Sync,
) -> Option<Interval> {
    let patients = sums.0.len();
    if patients < 2 {
        return None;
    }
    let resample = |weights: &mut Vec<u32>, stream: usize| {
        draw(weights, options.seed, stream as u64);
        mean(Some(weights))
    };
    let resamples = (0..options.resamples).into_par_iter();
    let drawn: Vec<Option<f64>> = resamples.map_init(|| vec![0; patients], resample).collect();
    Interval::of(drawn.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Finding;

    fn table(probabilities: &[f64], order: &[usize]) -> Scores {
        let truths = [Some(true), Some(false), None, Some(true)];
        let finding = Finding {
            name: "A".into(),
            probabilities: order.iter().map(|&row| probabilities[row]).collect(),
            truths: order.iter().map(|&row| truths[row]).collect(),
        };
        let images = order.iter().map(|row| row.to_string()).collect();
        let patients = order.iter().map(|row| (row / 2).to_string()).collect();
        Scores::new(images, patients, vec![finding]).unwrap()
    }

    const OPTIONS: Options = Options { resamples: 50, seed: 1 };

    #[test]
    fn the_loss_of_three_known_films_by_hand() {
        let loss = log_loss(&table(&[0.5, 0.2, 0.9, 0.0], &[0, 1, 2, 3]), &OPTIONS).unwrap();
        let expected = -(0.5_f64.ln() + 0.8_f64.ln() + 1e-7_f64.ln()) / 3.0;

        assert!((loss.value - expected).abs() < 1e-12, "{loss:?}");
        let interval = loss.interval.unwrap();
        assert!(interval.low <= loss.value && loss.value <= interval.high);
    }

    #[test]
    fn a_difference_is_the_second_minus_the_first_whatever_the_order_of_films() {
        let first = table(&[0.5, 0.2, 0.9, 0.6], &[0, 1, 2, 3]);
        let second = table(&[0.7, 0.1, 0.1, 0.4], &[3, 1, 0, 2]);
        let value = |scores: &Scores| log_loss(scores, &OPTIONS).unwrap().value;
        let difference = paired_log_loss(&first, &second, &OPTIONS).unwrap().unwrap();

        assert!((difference.value - (value(&second) - value(&first))).abs() < 1e-12);
        let none = paired_log_loss(&first, &first, &OPTIONS).unwrap().unwrap();
        assert_eq!(none.interval, Some(Interval { low: 0.0, high: 0.0 }));
    }
}

//! The cross entropy of a table: the loss that training minimizes, computed again from
//! probabilities.
//!
//! It makes runs trained with different losses comparable, and resampling patients gives it an
//! interval, which a loss in a log does not have.

use crate::{
    BootstrapOptions, Error, Interval, Scores,
    cohort::{number, resample},
    ensemble::align,
};

/// Lower limit of the probability of the label, so that one film cannot make a loss infinite; as in
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

/// Computes the mean of `-ln p` of the label over all pairs of film and finding of known label;
/// returns `None` if there are none.
pub fn log_loss(scores: &Scores, options: &BootstrapOptions) -> Option<Measured> {
    let sums = Sums::of(scores);
    Some(Measured { value: sums.mean(None)?, interval: interval(options, &sums, |w| sums.mean(w)) })
}

/// Computes the loss of the second table minus that of the first, on the same films and the same
/// draws of patients; returns `None` if no label is known.
///
/// # Errors
///
/// Returns an error if the tables do not have the same films, findings and labels.
pub fn paired_log_loss(
    first: &Scores,
    second: &Scores,
    options: &BootstrapOptions,
) -> Result<Option<Measured>, Error> {
    let second = align(first, second)?;
    // Aligned tables have the same patients in the same order, and so the same numbers.
    let [first, second] = [first, &second].map(Sums::of);
    let minus = |weights: Option<&[u32]>| Some(second.mean(weights)? - first.mean(weights)?);
    Ok(minus(None).map(|value| Measured { value, interval: interval(options, &first, minus) }))
}

/// Sum and number of the terms of a table, by patient.
struct Sums(Vec<(f64, u32)>);

impl Sums {
    fn of(scores: &Scores) -> Self {
        let (numbers, patients) = number(scores.patients().iter().map(String::as_str));
        let mut sums = vec![(0.0, 0); patients];
        for finding in scores.findings() {
            for (row, p, label) in finding.labeled_films() {
                let right = if label { p } else { 1.0 - p };
                let (sum, count) = &mut sums[numbers[row] as usize];
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
    options: &BootstrapOptions,
    sums: &Sums,
    mean: impl Fn(Option<&[u32]>) -> Option<f64> + Sync,
) -> Option<Interval> {
    let drawn = resample(sums.0.len(), options, |weights| mean(Some(weights)));
    Interval::of(drawn.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    fn table(probabilities: &[f64], order: &[usize]) -> Scores {
        let labels = [Some(true), Some(false), None, Some(true)];
        let finding = ScoredFinding {
            name: "A".into(),
            probabilities: order.iter().map(|&row| probabilities[row]).collect(),
            labels: order.iter().map(|&row| labels[row]).collect(),
        };
        let images = order.iter().map(|row| row.to_string()).collect();
        let patients = order.iter().map(|row| (row / 2).to_string()).collect();
        Scores::new(images, patients, vec![finding]).unwrap()
    }

    const OPTIONS: BootstrapOptions = BootstrapOptions { resamples: 50, seed: 1 };

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

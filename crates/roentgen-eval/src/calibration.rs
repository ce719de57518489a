//! Calibration: whether findings with a probability of 0.3 occur three times in ten.
//!
//! Guo's calibration error uses the confidence in the chosen class, and its reference code drops a
//! probability of zero. A finding is present or absent, so here the probability of the finding is
//! compared with its frequency, in 15 equal bins `(low, high]`; zero is in the first bin.

/// Number of equal bins.
const BINS: usize = 15;

/// The films in one bin of probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Number of films.
    pub count: usize,
    /// Their mean probability.
    pub mean_probability: f64,
    /// The fraction of them with the finding.
    pub observed: f64,
}

/// Computes the Brier score: the mean of `(p - y)²`.
///
/// Returns `None` if there are no films.
///
/// ```
/// assert_eq!(roentgen_eval::brier(&[0.5, 1.0], &[false, true]), Some(0.125));
/// ```
pub fn brier(probabilities: &[f64], truths: &[bool]) -> Option<f64> {
    let squares =
        probabilities.iter().zip(truths).map(|(p, &y)| (p - f64::from(u8::from(y))).powi(2));
    let count = probabilities.len().min(truths.len());
    (count > 0).then(|| squares.sum::<f64>() / count as f64)
}

/// Computes the expected calibration error: over 15 equal bins, the distance between the mean
/// probability and the fraction of films with the finding, weighted by the number of films.
///
/// Returns `None` if there are no films.
///
/// ```
/// use roentgen_eval::expected_calibration_error;
///
/// let error = expected_calibration_error(&[0.2, 0.2, 0.2, 0.9], &[true, false, false, true]);
/// assert!((error.unwrap() - (0.75 * (1.0 / 3.0 - 0.2) + 0.25 * 0.1)).abs() < 1e-12);
/// ```
pub fn expected_calibration_error(probabilities: &[f64], truths: &[bool]) -> Option<f64> {
    let count = probabilities.len().min(truths.len());
    let distance = |bin: &Bin| bin.count as f64 * (bin.observed - bin.mean_probability).abs();
    let sum: f64 = reliability(probabilities, truths).iter().map(distance).sum();
    (count > 0).then(|| sum / count as f64)
}

/// Returns those of the 15 bins that contain films, from the lowest probability up.
pub fn reliability(probabilities: &[f64], truths: &[bool]) -> Vec<Bin> {
    let highs: [f64; BINS] = std::array::from_fn(|bin| (bin + 1) as f64 / BINS as f64);
    let mut sums = [(0_usize, 0.0, 0_usize); BINS];
    for (&p, &truth) in probabilities.iter().zip(truths) {
        let bin = highs.partition_point(|&high| high < p).min(BINS - 1);
        sums[bin].0 += 1;
        sums[bin].1 += p;
        sums[bin].2 += usize::from(truth);
    }
    let full = sums.iter().filter(|(count, ..)| *count > 0);
    full.map(|&(count, sum, positives)| Bin {
        count,
        mean_probability: sum / count as f64,
        observed: positives as f64 / count as f64,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_holds_its_upper_edge_and_the_first_one_zero() {
        let third = 1.0 / 15.0;
        let bins = reliability(&[0.0, third, third + 1e-9, 1.0], &[false; 4]);

        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn probabilities_that_come_true_have_no_error() {
        let p = [0.25, 0.25, 0.25, 0.25, 1.0];

        let error = expected_calibration_error(&p, &[true, false, false, false, true]);
        assert!(error.unwrap() < 1e-15);
    }

    #[test]
    fn without_films_there_is_no_figure() {
        assert_eq!(brier(&[], &[]), None);
        assert_eq!(expected_calibration_error(&[], &[]), None);
        assert!(reliability(&[], &[]).is_empty());
    }
}

//! Calibration: whether findings with a probability of 0.3 occur three times in ten.
//!
//! Guo's calibration error uses the confidence in the chosen class, and its reference code drops a
//! probability of zero. A finding is present or absent, so here the probability of the finding is
//! compared with its frequency, in 15 equal bins `(low, high]`; zero is in the first bin.

use serde::Serialize;

use crate::interval::percentile;

/// Number of bins.
pub(crate) const BINS: usize = 15;

/// The films in one bin of probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
pub fn brier(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    let squares =
        probabilities.iter().zip(labels).map(|(p, &y)| (p - f64::from(u8::from(y))).powi(2));
    let count = probabilities.len().min(labels.len());
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
pub fn expected_calibration_error(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    let count = probabilities.len().min(labels.len());
    (count > 0).then(|| error(&reliability(probabilities, labels), count))
}

/// Computes the expected calibration error over 15 bins of about equally many films, with edges at
/// the quantiles of the probabilities (`numpy.percentile`, linear). Films of equal probability are
/// in the same bin, so that there may be fewer.
///
/// Equal widths put nearly all films of a rare finding into the first bin; equal masses do not.
/// Returns `None` if there are no films.
pub fn calibration_error_by_mass(probabilities: &[f64], labels: &[bool]) -> Option<f64> {
    let mut sorted = probabilities.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let edge = |bin: usize| percentile(&sorted, ((bin + 1) * last) as f64 / BINS as f64);
    let highs: [f64; BINS] = std::array::from_fn(edge);
    Some(error(&count_in_bins(&highs, probabilities, labels), probabilities.len()))
}

/// Returns the mean distance of mean probability and share of positives, weighted by films.
fn error(bins: &[Bin], films: usize) -> f64 {
    let distance = |bin: &Bin| bin.count as f64 * (bin.observed - bin.mean_probability).abs();
    bins.iter().map(distance).sum::<f64>() / films as f64
}

/// The parts of a Brier score, by the 15 equal bins of [`reliability`]: `reliability - resolution +
/// uncertainty + within_bins` is the score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BrierParts {
    /// Murphy's reliability: how far the mean probability of a bin is from its share of positives;
    /// 0 is ideal.
    pub reliability: f64,
    /// How far the shares of positives in the bins are from the prevalence; higher is better.
    pub resolution: f64,
    /// The score of always predicting the prevalence.
    pub uncertainty: f64,
    /// What is left because the probabilities in a bin are not equal.
    pub within_bins: f64,
}

/// Divides the Brier score by Murphy's decomposition; returns `None` if there are no films.
pub fn brier_parts(probabilities: &[f64], labels: &[bool]) -> Option<BrierParts> {
    let score = brier(probabilities, labels)?;
    let films = labels.len().min(probabilities.len()) as f64;
    let bins = reliability(probabilities, labels);
    let prevalence = bins.iter().map(|bin| bin.count as f64 * bin.observed).sum::<f64>() / films;
    let mean = |of: &dyn Fn(&Bin) -> f64| {
        bins.iter().map(|bin| bin.count as f64 * of(bin).powi(2)).sum::<f64>() / films
    };
    let reliability = mean(&|bin| bin.mean_probability - bin.observed);
    let resolution = mean(&|bin| bin.observed - prevalence);
    let uncertainty = prevalence * (1.0 - prevalence);
    let within_bins = score - (reliability - resolution + uncertainty);
    Some(BrierParts { reliability, resolution, uncertainty, within_bins })
}

/// Returns those of the 15 bins that contain films, from the lowest probability up.
pub fn reliability(probabilities: &[f64], labels: &[bool]) -> Vec<Bin> {
    count_in_bins(&equal_highs(), probabilities, labels)
}

/// Returns which of 15 equal bins a probability is in.
pub(crate) fn equal_bin(p: f64) -> usize {
    bin_of(&equal_highs(), p)
}

fn equal_highs() -> [f64; BINS] {
    std::array::from_fn(|bin| (bin + 1) as f64 / BINS as f64)
}

fn bin_of(highs: &[f64; BINS], p: f64) -> usize {
    highs.partition_point(|&high| high < p).min(BINS - 1)
}

fn count_in_bins(highs: &[f64; BINS], probabilities: &[f64], labels: &[bool]) -> Vec<Bin> {
    let mut sums = [(0_usize, 0.0, 0_usize); BINS];
    for (&p, &label) in probabilities.iter().zip(labels) {
        let bin = bin_of(highs, p);
        sums[bin].0 += 1;
        sums[bin].1 += p;
        sums[bin].2 += usize::from(label);
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
    fn the_parts_of_a_brier_score_add_up_to_it() {
        let p: Vec<f64> = (0..90).map(|i| f64::from(i * 29 % 83) / 83.0).collect();
        let y: Vec<bool> = (0..90).map(|i| i * 7 % 11 > 6).collect();

        let parts = brier_parts(&p, &y).unwrap();
        let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins;
        assert!((sum - brier(&p, &y).unwrap()).abs() < 1e-15);
        // One probability a bin leaves nothing within bins.
        let parts = brier_parts(&[0.1, 0.1, 0.5, 0.5], &[false, true, true, true]).unwrap();
        assert!(parts.within_bins.abs() < 1e-15, "{parts:?}");
        assert!((parts.resolution - 0.0625).abs() < 1e-15, "{parts:?}");
    }

    #[test]
    fn bins_of_equal_mass_keep_equal_probabilities_together() {
        let mut p = vec![0.01; 40];
        p.extend((0..20).map(|i| 0.5 + f64::from(i) / 50.0));
        let y: Vec<bool> = (0..60).map(|i| i % 4 == 0).collect();

        let constant = calibration_error_by_mass(&[0.3; 8], &[true; 8]);
        assert!((constant.unwrap() - 0.7).abs() < 1e-12);
        let error = calibration_error_by_mass(&p, &y).unwrap();
        // Forty films of one probability weigh two thirds: |10/40 - 0.01| each.
        assert!(error > 2.0 / 3.0 * 0.24, "{error}");
        assert_eq!(calibration_error_by_mass(&[], &[]), None);
    }

    #[test]
    fn without_films_there_is_no_figure() {
        assert_eq!(brier(&[], &[]), None);
        assert_eq!(expected_calibration_error(&[], &[]), None);
        assert!(reliability(&[], &[]).is_empty());
        assert_eq!(brier_parts(&[], &[]), None);
    }
}

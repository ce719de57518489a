//! DeLong's variance of the AUROC and the paired test of two models.
//!
//! Computed from mid-ranks, as by [Sun and Xu][paper] (2014), so that ties count half. The trap:
//! DeLong takes films for independent, and films of one patient are not, so its intervals are too
//! narrow where patients have several films. The intervals by patient of
//! [`bootstrap`](crate::bootstrap()) are the ones to report; these are for comparison with other
//! works. The interval is computed on the logit scale, where it stays within 0..1.
//!
//! [paper]: https://doi.org/10.1109/LSP.2014.2337313

use crate::{Interval, normal};

/// The AUROC with DeLong's variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeLong {
    /// The AUROC.
    pub auroc: f64,
    /// Its variance.
    pub variance: f64,
    /// Its 95 % interval, on the logit scale; `None` for an AUROC of 0 or 1.
    pub interval: Option<Interval>,
}

/// The AUROC of the second of two models minus that of the first, with DeLong's test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeLongTest {
    /// The difference.
    pub difference: f64,
    /// Its variance.
    pub variance: f64,
    /// The two-sided p-value of no difference; `None` if the variance is 0.
    pub p: Option<f64>,
}

/// Computes DeLong's variance and interval of the AUROC.
///
/// Returns `None` for fewer than two positives or negatives, where the variance has no meaning.
///
/// ```
/// use roentgen_eval::delong;
///
/// let labels = [false, false, true, true, true];
/// let delong = delong(&[0.1, 0.4, 0.35, 0.8, 0.6], &labels).unwrap();
/// assert!((delong.auroc - 5.0 / 6.0).abs() < 1e-12);
/// assert!((delong.variance - 1.0 / 36.0 - 1.0 / 36.0).abs() < 1e-12);
/// ```
pub fn delong(scores: &[f64], labels: &[bool]) -> Option<DeLong> {
    let parts = Components::of(scores, labels)?;
    let variance = covariance(&parts, &parts);
    let auroc = parts.auroc;
    let interval = (auroc > 0.0 && auroc < 1.0).then(|| {
        let logit = (auroc / (1.0 - auroc)).ln();
        let half = normal::Z975 * variance.sqrt() / (auroc * (1.0 - auroc));
        let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        Interval { low: back(logit - half), high: back(logit + half) }
    });
    Some(DeLong { auroc, variance, interval })
}

/// Tests whether two models have the same AUROC on the same films.
///
/// Returns `None` for fewer than two positives or negatives.
pub fn delong_test(first: &[f64], second: &[f64], labels: &[bool]) -> Option<DeLongTest> {
    let (one, two) = (Components::of(first, labels)?, Components::of(second, labels)?);
    let variance = covariance(&one, &one) + covariance(&two, &two) - 2.0 * covariance(&one, &two);
    let difference = two.auroc - one.auroc;
    // Equal rankings leave a variance of rounding errors, below zero or above.
    let p = (variance > 1e-15).then(|| normal::two_sided_p(difference / variance.sqrt()));
    Some(DeLongTest { difference, variance: variance.max(0.0), p })
}

/// The share of pairs that each film wins against the films of the other class.
struct Components {
    auroc: f64,
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Components {
    fn of(scores: &[f64], labels: &[bool]) -> Option<Self> {
        let of = |class: bool| -> Vec<f64> {
            let films = scores.iter().zip(labels).filter(|&(_, &label)| label == class);
            films.map(|(&score, _)| score).collect()
        };
        let (positives, negatives) = (of(true), of(false));
        let (m, n) = (positives.len() as f64, negatives.len() as f64);
        if positives.len() < 2 || negatives.len() < 2 {
            return None;
        }
        let all: Vec<f64> = positives.iter().chain(&negatives).copied().collect();
        let all = mid_ranks(&all);
        let (of_positives, of_negatives) = all.split_at(positives.len());
        let won = |all: &[f64], own: Vec<f64>, others: f64| -> Vec<f64> {
            all.iter().zip(own).map(|(all, own)| (all - own) / others).collect()
        };
        let positives = won(of_positives, mid_ranks(&positives), n);
        let lost = won(of_negatives, mid_ranks(&negatives), m);
        Some(Self {
            auroc: positives.iter().sum::<f64>() / m,
            positives,
            negatives: lost.into_iter().map(|share| 1.0 - share).collect(),
        })
    }
}

/// Returns the rank of each value from 1, the mean rank for equal values.
pub(crate) fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = start as f64 + (group.len() as f64 + 1.0) / 2.0;
        group.iter().for_each(|&film| ranks[film] = rank);
        start += group.len();
    }
    ranks
}

/// Returns the covariance of the AUROC of two models of the same films.
fn covariance(one: &Components, two: &Components) -> f64 {
    let of = |one: &[f64], two: &[f64]| {
        let count = one.len() as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let (first, second) = (mean(one), mean(two));
        let products = one.iter().zip(two).map(|(a, b)| (a - first) * (b - second));
        products.sum::<f64>() / (count - 1.0) / count
    };
    of(&one.positives, &two.positives) + of(&one.negatives, &two.negatives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(mid_ranks(&[0.5, 0.1, 0.5, 0.9, 0.5]), [3.0, 1.0, 3.0, 5.0, 3.0]);
    }

    #[test]
    fn one_film_of_a_class_has_no_variance() {
        assert_eq!(delong(&[0.1, 0.2, 0.3], &[false, false, true]), None);
        assert_eq!(delong(&[0.1, 0.2], &[true, true]), None);
    }

    #[test]
    fn a_perfect_ranking_has_no_interval_on_the_logit_scale() {
        let delong = delong(&[0.1, 0.2, 0.8, 0.9], &[false, false, true, true]).unwrap();

        assert_eq!((delong.auroc, delong.variance, delong.interval), (1.0, 0.0, None));
    }

    #[test]
    fn a_model_does_not_differ_from_its_squares() {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.3, 0.6];
        let labels = [false, false, true, true, true, false];
        let squares = scores.map(|score| score * score);

        let test = delong_test(&scores, &squares, &labels).unwrap();
        assert_eq!((test.difference, test.p), (0.0, None));
    }
}

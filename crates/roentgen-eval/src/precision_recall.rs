//! Precision, recall and average precision.
//!
//! Average precision is the step-wise sum of scikit-learn, not the trapezoid, which is too
//! optimistic. A random classifier gets the prevalence, not one half: never show it without the
//! prevalence.

use crate::{
    CurvePoint,
    ranking::Ranking,
    roc::{precision_recall_points, steps, without_thresholds},
};

/// Computes the average precision: the sum, over distinct scores from the highest down, of the gain
/// in recall times the precision there.
///
/// Returns `None` if there are no positives or no negatives, where it has no meaning.
///
/// ```
/// use roentgen_eval::average_precision;
///
/// let average = average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
/// assert!((average.unwrap() - 5.0 / 6.0).abs() < 1e-12);
/// assert_eq!(average_precision(&[0.1, 0.4], &[false, false]), None);
/// ```
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Option<f64> {
    Ranking::of(scores, labels).areas_of_all().map(|areas| areas.average_precision)
}

/// Computes the curve of recall and precision, by falling score, with at most `most` points.
///
/// For drawing; see [`roc_curve`](crate::roc_curve) for the points that are left out. It starts at
/// recall zero with the precision of the highest score. Returns `None` if there are no positives or
/// no negatives.
///
/// ```
/// use roentgen_eval::precision_recall_curve;
///
/// let curve = precision_recall_curve(&[0.9, 0.5, 0.1], &[true, true, false], 400);
/// assert_eq!(curve, Some(vec![[0.0, 1.0], [1.0, 1.0], [1.0, 2.0 / 3.0]]));
/// ```
pub fn precision_recall_curve(
    scores: &[f64],
    labels: &[bool],
    most: usize,
) -> Option<Vec<CurvePoint>> {
    precision_recall_points(&steps(scores, labels), most).map(without_thresholds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_of_equal_score_are_one_step() {
        let average = average_precision(&[0.5, 0.5, 0.5, 0.1], &[true, false, false, true]);

        // Recall 1/2 at precision 1/3, then recall 1 at precision 2/4.
        assert!((average.unwrap() - (0.5 / 3.0 + 0.5 * 0.5)).abs() < 1e-12);
    }

    #[test]
    fn a_constant_score_has_the_prevalence() {
        let labels = [true, false, false, false, false];

        assert_eq!(average_precision(&[0.3; 5], &labels), Some(0.2));
        assert_eq!(
            precision_recall_curve(&[0.3; 5], &labels, 9),
            Some(vec![[0.0, 0.2], [1.0, 0.2]])
        );
    }

    #[test]
    fn a_long_curve_is_thinned() {
        let scores: Vec<f64> = (0..9000).map(|i| f64::from(i * 7919 % 9001) / 9001.0).collect();
        let labels: Vec<bool> = (0..9000).map(|i| i % 3 == 0).collect();

        assert!(precision_recall_curve(&scores, &labels, 200).unwrap().len() <= 200);
    }
}

//! The receiver operating characteristic and the area under it.
//!
//! Ties are the trap: a saturated sigmoid or a vote gives many equal scores, and an area computed
//! film by film then depends on the order of the file. Here films of equal score are one step,
//! which is equivalent to mid-ranks.

use crate::ranking::Ranking;

/// A point of a curve: `[x, y]`, both in 0..1.
pub type CurvePoint = [f64; 2];

/// Computes the area under the ROC curve, by the Mann-Whitney U statistic with ties counted half.
///
/// Returns `None` if there are no positives or no negatives, where the area has no meaning. Scores
/// and labels are paired; surplus elements of the longer slice are ignored.
///
/// ```
/// use roentgen_eval::auroc;
///
/// assert_eq!(auroc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
/// assert_eq!(auroc(&[0.5, 0.5, 0.5], &[false, true, false]), Some(0.5));
/// assert_eq!(auroc(&[0.1, 0.4], &[true, true]), None);
/// ```
pub fn auroc(scores: &[f64], labels: &[bool]) -> Option<f64> {
    Ranking::of(scores, labels).areas_of_all().map(|areas| areas.auroc)
}

/// Computes the ROC curve as false positive rate and sensitivity, from `[0, 0]` to `[1, 1]`.
///
/// For drawing: points on a straight line are left out, and if more than `most` remain, so are
/// those closest to their predecessor. Compute the area with [`auroc`], never from these points.
/// Returns `None` if there are no positives or no negatives.
///
/// ```
/// use roentgen_eval::roc_curve;
///
/// let curve = roc_curve(&[0.9, 0.8, 0.3, 0.1], &[true, true, false, false], 400);
/// assert_eq!(curve, Some(vec![[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]));
/// ```
pub fn roc_curve(scores: &[f64], labels: &[bool], most: usize) -> Option<Vec<CurvePoint>> {
    roc_points(&steps(scores, labels), most).map(without_thresholds)
}

/// Films with a score of at least a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// The threshold, one of the scores.
    pub(crate) threshold: f64,
    /// Positive films among them.
    pub(crate) true_positives: usize,
    /// Negative films among them.
    pub(crate) false_positives: usize,
}

/// Computes the points of the ROC curve with their thresholds; the first point has none.
pub(crate) fn roc_points(steps: &[Step], most: usize) -> Option<Vec<(Option<f64>, CurvePoint)>> {
    let [positives, negatives] = both_classes(steps)?;
    let point = |step: &Step| {
        let rate = step.false_positives as f64 / negatives;
        (Some(step.threshold), [rate, step.true_positives as f64 / positives])
    };
    Some(thin([(None, [0.0, 0.0])].into_iter().chain(steps.iter().map(point)).collect(), most))
}

/// Computes the points of recall and precision with their thresholds; the first point, at recall
/// zero, has none.
pub(crate) fn precision_recall_points(
    steps: &[Step],
    most: usize,
) -> Option<Vec<(Option<f64>, CurvePoint)>> {
    let [positives, _] = both_classes(steps)?;
    let point = |step: &Step| {
        let called = (step.true_positives + step.false_positives) as f64;
        let precision = step.true_positives as f64 / called;
        (Some(step.threshold), [step.true_positives as f64 / positives, precision])
    };
    let points: Vec<(Option<f64>, CurvePoint)> = steps.iter().map(point).collect();
    let start = (None, [0.0, points[0].1[1]]);
    Some(thin([start].into_iter().chain(points).collect(), most))
}

/// Returns the number of positives and of negatives, if there are both.
fn both_classes(steps: &[Step]) -> Option<[f64; 2]> {
    let last = steps.last()?;
    let both = [last.true_positives, last.false_positives];
    (both[0] > 0 && both[1] > 0).then(|| both.map(|count| count as f64))
}

/// Returns the points alone.
pub(crate) fn without_thresholds(points: Vec<(Option<f64>, CurvePoint)>) -> Vec<CurvePoint> {
    points.into_iter().map(|(_, point)| point).collect()
}

/// Counts true and false positives at each distinct score, from the highest down.
pub(crate) fn steps(scores: &[f64], labels: &[bool]) -> Vec<Step> {
    let mut films: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    films.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));

    let (mut tp, mut fp) = (0, 0);
    let mut steps = Vec::new();
    for (index, &(score, label)) in films.iter().enumerate() {
        if label {
            tp += 1
        } else {
            fp += 1
        }
        if films.get(index + 1).is_none_or(|next| next.0 != score) {
            steps.push(Step { threshold: score, true_positives: tp, false_positives: fp });
        }
    }
    steps
}

/// Leaves out points that a drawing does not show; the first and the last point stay.
fn thin(points: Vec<(Option<f64>, CurvePoint)>, most: usize) -> Vec<(Option<f64>, CurvePoint)> {
    let mut kept: Vec<(Option<f64>, CurvePoint)> = Vec::with_capacity(points.len());
    for point in points {
        if let [.., (_, a), (_, b)] = kept[..]
            && is_straight(a, b, point.1)
        {
            kept.pop();
        }
        kept.push(point);
    }
    if kept.len() <= most.max(3) {
        return kept;
    }

    let far = |a: CurvePoint, b: CurvePoint| (b[0] - a[0]).abs() + (b[1] - a[1]).abs();
    let length: f64 = kept.windows(2).map(|pair| far(pair[0].1, pair[1].1)).sum();
    let stride = length / (most.max(3) - 2) as f64;
    let last = kept.len() - 1;
    let mut thinned = vec![kept[0]];
    let mut walked = 0.0;
    for index in 1..last {
        walked += far(kept[index - 1].1, kept[index].1);
        if walked >= stride {
            thinned.push(kept[index]);
            walked = 0.0;
        }
    }
    thinned.push(kept[last]);
    thinned
}

/// Whether `b` is on the straight line from `a` to `c`.
fn is_straight(a: CurvePoint, b: CurvePoint, c: CurvePoint) -> bool {
    let cross = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]);
    let along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]);
    cross.abs() < 1e-12 && along >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes the fraction of pairs in which the positive has the higher score.
    fn by_pairs(scores: &[f64], labels: &[bool]) -> f64 {
        let of = |class: bool| scores.iter().zip(labels).filter(move |(_, label)| **label == class);
        let (mut won, mut pairs) = (0.0, 0.0);
        for (p, _) in of(true) {
            for (n, _) in of(false) {
                won += if p > n {
                    1.0
                } else if p == n {
                    0.5
                } else {
                    0.0
                };
                pairs += 1.0;
            }
        }
        won / pairs
    }

    #[test]
    fn ties_count_half_as_in_the_count_of_pairs() {
        let scores: Vec<f64> = (0..97).map(|i| f64::from(i * 37 % 11) / 10.0).collect();
        let labels: Vec<bool> = (0..97).map(|i| i * i % 7 == 2).collect();

        let difference = auroc(&scores, &labels).unwrap() - by_pairs(&scores, &labels);
        assert!(difference.abs() < 1e-12);
    }

    #[test]
    fn the_order_of_the_file_does_not_matter() {
        let forth = auroc(&[0.5, 0.5, 0.5, 0.2], &[true, false, false, true]);
        let back = auroc(&[0.2, 0.5, 0.5, 0.5], &[true, false, false, true]);

        assert_eq!(forth, Some(0.25));
        assert_eq!(back, Some(0.25));
    }

    #[test]
    fn nothing_has_no_area() {
        assert_eq!(auroc(&[], &[]), None);
        assert_eq!(roc_curve(&[0.5, 0.1], &[false, false], 9), None);
        assert_eq!(roc_curve(&[], &[], 9), None);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let scores: Vec<f64> = (0..9000).map(|i| f64::from(i * 7919 % 9001) / 9001.0).collect();
        let labels: Vec<bool> = (0..9000).map(|i| i % 3 == 0).collect();

        let curve = roc_curve(&scores, &labels, 200).unwrap();
        assert!(curve.len() <= 200 && curve.len() > 100, "{}", curve.len());
        assert_eq!((curve[0], *curve.last().unwrap()), ([0.0, 0.0], [1.0, 1.0]));
        assert!(curve.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][1] <= pair[1][1]));
    }
}

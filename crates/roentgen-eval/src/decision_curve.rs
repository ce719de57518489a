//! Decision curves: what calls are worth to someone who weighs a missed finding against a false
//! alarm ([Vickers and Elkin][paper], 2006).
//!
//! Acting at a probability of `t` means accepting `(1 - t) / t` false alarms for one finding. The net
//! benefit counts true positives per film and subtracts false positives at that rate. A model is of
//! use at `t` only if it is above both ways of doing without: acting on every film and on none.
//! The probabilities are taken at their word, so a model that is not calibrated loses.
//!
//! [paper]: https://doi.org/10.1177/0272989X06295361

use serde::Serialize;

use crate::roc::steps;

/// Net benefit at one threshold, per film. That of acting on no film is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NetBenefit {
    /// The threshold: films with p >= threshold are acted on.
    pub threshold: f64,
    /// Net benefit of the model.
    pub model: f64,
    /// Net benefit of acting on every film.
    pub treat_all: f64,
}

/// Computes the net benefit at thresholds above 0 and below 1; others are left out. Returns an
/// empty curve if there are no films.
///
/// ```
/// use roentgen_eval::decision_curve;
///
/// let curve = decision_curve(&[0.9, 0.6, 0.2, 0.1], &[true, false, true, false], &[0.5]);
/// assert_eq!(curve[0].model, 1.0 / 4.0 - 1.0 / 4.0);
/// assert_eq!(curve[0].treat_all, 2.0 / 4.0 - 2.0 / 4.0);
/// ```
pub fn decision_curve(
    probabilities: &[f64],
    labels: &[bool],
    thresholds: &[f64],
) -> Vec<NetBenefit> {
    let steps = steps(probabilities, labels);
    let Some(last) = steps.last() else { return Vec::new() };
    let films = (last.true_positives + last.false_positives) as f64;
    let net = |true_positives: usize, false_positives: usize, threshold: f64| {
        let odds = threshold / (1.0 - threshold);
        true_positives as f64 / films - false_positives as f64 / films * odds
    };
    let inside = thresholds.iter().filter(|&&threshold| 0.0 < threshold && threshold < 1.0);
    let point = |&threshold: &f64| {
        let reached = steps.partition_point(|step| step.threshold >= threshold);
        let called = reached.checked_sub(1).map(|step| steps[step]);
        NetBenefit {
            threshold,
            model: called
                .map_or(0.0, |step| net(step.true_positives, step.false_positives, threshold)),
            treat_all: net(last.true_positives, last.false_positives, threshold),
        }
    };
    inside.map(point).collect()
}

/// Returns thresholds from 0.001 to 0.99, closer together below 0.01, for findings that are rare.
pub(crate) fn grid() -> Vec<f64> {
    let below = (1..10).map(|i| f64::from(i) / 1000.0);
    below.chain((1..100).map(|i| f64::from(i) / 100.0)).collect()
}

/// Returns the lowest and the highest threshold at which the model is above acting on all films and
/// on none.
pub(crate) fn useful_range(curve: &[NetBenefit]) -> Option<[f64; 2]> {
    let is_above = |point: &&NetBenefit| point.model > point.treat_all.max(0.0) + 1e-12;
    let first = curve.iter().find(is_above)?;
    let last = curve.iter().rfind(is_above)?;
    Some([first.threshold, last.threshold])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confusion;

    #[test]
    fn the_curve_is_the_count_at_each_threshold() {
        let p: Vec<f64> = (0..70).map(|i| f64::from(i * 29 % 67) / 67.0).collect();
        let y: Vec<bool> = (0..70).map(|i| i * 7 % 11 > 6).collect();
        let thresholds: Vec<f64> = (0..=20).map(|i| f64::from(i) / 20.0).collect();

        let curve = decision_curve(&p, &y, &thresholds);
        assert_eq!(curve.len(), 19);
        for point in curve {
            let table = Confusion::count_at(point.threshold, &p, &y);
            let odds = point.threshold / (1.0 - point.threshold);
            let direct = table.true_positives as f64 - table.false_positives as f64 * odds;
            assert!((point.model - direct / 70.0).abs() < 1e-15, "{point:?}");
        }
    }

    #[test]
    fn the_useful_range_is_above_both_alternatives() {
        let grid = grid();
        assert!(grid.windows(2).all(|pair| pair[0] < pair[1]) && grid.len() == 108);

        let certain = decision_curve(&[0.9, 0.8, 0.1, 0.2], &[true, true, false, false], &grid);
        assert_eq!(useful_range(&certain), Some([0.11, 0.9]));
        let wrong = decision_curve(&[0.1, 0.2, 0.9, 0.8], &[true, true, false, false], &grid);
        assert_eq!(useful_range(&wrong), None);
    }

    #[test]
    fn a_threshold_above_all_probabilities_acts_on_none() {
        let curve = decision_curve(&[0.1, 0.2], &[true, false], &[0.3]);

        assert_eq!(curve[0].model, 0.0);
        assert!(decision_curve(&[], &[], &[0.3]).is_empty());
    }
}

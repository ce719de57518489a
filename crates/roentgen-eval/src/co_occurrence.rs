//! How often two findings are on one film, by the labels and by the calls of the model.
//!
//! A model that calls two findings together far more often than they occur together has learned one
//! sign for both.

use serde::Serialize;

use crate::{Scores, operating_point::Threshold};

/// Numbers of films with two findings, in table order; the diagonal counts films with one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoOccurrence {
    /// Name of the operating point of the calls.
    pub operating_point: String,
    /// Number of films, which are those whose labels are all known.
    pub films: usize,
    /// Films whose labels are positive for both.
    pub labels: Vec<Vec<usize>>,
    /// Films that are called positive for both; `None` if either has no such threshold.
    pub calls: Vec<Vec<Option<usize>>>,
}

/// Counts films with two findings; calls are at the thresholds named `point`.
pub(crate) fn co_occurrence(
    scores: &Scores,
    thresholds: &[Vec<Threshold>],
    point: &str,
) -> CoOccurrence {
    let findings = scores.findings();
    let rows = (0..scores.len())
        .filter(|&row| findings.iter().all(|finding| finding.labels[row].is_some()));
    let rows: Vec<usize> = rows.collect();
    let at = |finding: usize| {
        let named = thresholds[finding].iter().find(|(name, _)| name == point);
        named.map(|(_, threshold)| *threshold)
    };
    let at: Vec<Option<f64>> = (0..findings.len()).map(at).collect();
    let mut labels = vec![vec![0; findings.len()]; findings.len()];
    let mut calls = labels.clone();
    for &row in &rows {
        let shown = |of: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..findings.len()).filter(|&finding| of(finding)).collect()
        };
        let positive = shown(&|finding| findings[finding].labels[row] == Some(true));
        let is_called = |finding: usize| {
            at[finding].is_some_and(|threshold| findings[finding].probabilities[row] >= threshold)
        };
        for (counts, shown) in [(&mut labels, positive), (&mut calls, shown(&is_called))] {
            for &one in &shown {
                shown.iter().for_each(|&other| counts[one][other] += 1);
            }
        }
    }
    let known = |one: usize, other: usize| at[one].is_some() && at[other].is_some();
    let calls = calls.into_iter().enumerate().map(|(one, counts)| {
        let counts = counts.into_iter().enumerate();
        counts.map(|(other, count)| known(one, other).then_some(count)).collect()
    });
    CoOccurrence {
        operating_point: point.to_owned(),
        films: rows.len(),
        labels,
        calls: calls.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    #[test]
    fn pairs_are_counted_by_label_and_by_call() {
        let finding = |name: &str, p: [f64; 4], labels: [u8; 4]| ScoredFinding {
            name: name.into(),
            probabilities: p.into(),
            labels: labels.map(|label| (label < 2).then_some(label == 1)).into(),
        };
        let findings = vec![
            finding("A", [0.9, 0.8, 0.1, 0.9], [1, 1, 0, 1]),
            finding("B", [0.7, 0.2, 0.6, 0.9], [1, 0, 0, 2]),
            finding("C", [0.1, 0.1, 0.1, 0.9], [0, 1, 0, 0]),
        ];
        let names: Vec<String> = "abcd".chars().map(String::from).collect();
        let scores = Scores::new(names.clone(), names, findings).unwrap();
        let half = |name: &str| vec![(name.to_owned(), 0.5)];

        let counts = co_occurrence(&scores, &[half("0.5"), half("0.5"), half("other")], "0.5");
        // The last film has an unknown label.
        assert_eq!(counts.films, 3);
        assert_eq!(counts.labels, [[2, 1, 1], [1, 1, 0], [1, 0, 1]]);
        let calls = [[Some(2), Some(1), None], [Some(1), Some(2), None], [None, None, None]];
        assert_eq!(counts.calls, calls);
    }
}

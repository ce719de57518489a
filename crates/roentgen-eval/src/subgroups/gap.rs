//! The difference between the best and the worst group of a column.

use serde::Serialize;

use super::Group;
use crate::Interval;

/// The difference in mean AUROC between the best and the worst group, over the findings that count
/// in all groups.
///
/// Both groups are chosen on these films, so the difference is somewhat too large; the interval is
/// of the difference between these two groups, on the same resamples of patients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The group with the highest mean.
    pub best: String,
    /// The group with the lowest mean.
    pub worst: String,
    /// The difference of their means.
    pub auroc: f64,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Number of findings in these means.
    pub findings: usize,
}

/// Computes the gap between named groups; `None` for fewer than two groups with figures, or if no
/// finding counts in all of them.
pub(super) fn gap(groups: &[(&str, &Group)]) -> Option<Gap> {
    let counts = |group: &Group| group.rankings.iter().any(Option::is_some);
    let groups: Vec<_> = groups.iter().filter(|(_, group)| counts(group)).collect();
    let findings = groups.first()?.1.rankings.len();
    let common: Vec<usize> = (0..findings)
        .filter(|&finding| groups.iter().all(|(_, group)| group.rankings[finding].is_some()))
        .collect();
    if groups.len() < 2 || common.is_empty() {
        return None;
    }
    let mean = |areas: &[Option<f64>]| -> Option<f64> {
        let all: Option<Vec<f64>> = common.iter().map(|&finding| areas[finding]).collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    };
    let mut ranked: Vec<(f64, &str, &Group)> = groups
        .iter()
        .filter_map(|(name, group)| Some((mean(&group.areas)?, *name, *group)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(low, worst, worst_group), .., (high, best, best_group)] = ranked[..] else { return None };
    let draws = best_group.draws.iter().zip(&worst_group.draws);
    let drawn = draws.filter_map(|(best, worst)| Some(mean(best)? - mean(worst)?));
    Some(Gap {
        best: best.to_owned(),
        worst: worst.to_owned(),
        auroc: high - low,
        auroc_ci95: Interval::of(drawn.collect()),
        findings: common.len(),
    })
}

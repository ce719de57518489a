//! The same metrics for groups of films: by sex, view, age, source and number of findings.
//!
//! A mean that hides a group with worse results is the usual way harm goes unnoticed; a metric of
//! four positives is the usual false alarm. A finding therefore counts in a group only with at
//! least 10 positives and 10 negatives, and the number of such findings is given. Two groups with
//! different findings in their mean are not comparable. Ages above 120, which occur in the NIH
//! label file, are ignored.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    BootstrapOptions, Interval, ScoredFinding, Scores,
    cohort::{mean, numbers, resample},
    ranking::{Areas, Ranking},
};

/// Films of each class that a finding needs to count in a group.
const LEAST: usize = 10;

/// Resamples of the groups; fewer than for the table, because there are a dozen groups.
const RESAMPLES: usize = 200;

/// The highest age that is not regarded as a typing error.
const OLDEST: f64 = 120.0;

/// The number of sources from which on they are not groups but, for example, files.
const SOURCES: usize = 12;

/// Groups by column, then by value.
pub(crate) type Subgroups = BTreeMap<&'static str, BTreeMap<String, Subgroup>>;

/// The difference between the best and the worst group, by column.
pub(crate) type Gaps = BTreeMap<&'static str, Gap>;

/// The figures of one group of films.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subgroup {
    /// Number of films in the group.
    pub images: usize,
    /// Number of patients in the group.
    pub patients: usize,
    /// Mean AUROC over the findings with 10 positives and 10 negatives in the group.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Number of findings in that mean.
    pub findings: usize,
}

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

/// Computes the metrics by sex, view, age band, source and number of findings, if the table has
/// them, and the gap of each.
pub(crate) fn subgroups(scores: &Scores, options: &BootstrapOptions) -> (Subgroups, Gaps) {
    let options = BootstrapOptions { resamples: options.resamples.min(RESAMPLES), ..*options };
    let (numbers, patients) = numbers(scores);
    let mut groups: Vec<(&'static str, String, Group)> = Vec::new();
    for by in ["age", "sex", "source", "number_of_findings", "view"] {
        for (name, rows) in divide(scores, by) {
            groups.push((by, name, Group::of(scores, &rows, &numbers, patients)));
        }
    }
    let draws: Vec<Vec<Vec<Option<Areas>>>> = resample(patients, &options, |weights| {
        groups.iter().map(|(.., group)| group.areas(Some(weights))).collect()
    });

    let (mut subgroups, mut gaps) = (Subgroups::new(), Gaps::new());
    for (index, (by, name, group)) in groups.iter().enumerate() {
        let drawn = draws.iter().filter_map(|draw| Some(mean(&draw[index])?.auroc)).collect();
        let figures = Subgroup {
            images: group.images,
            patients: group.patients,
            auroc: mean(&group.areas(None)).map(|areas| areas.auroc),
            auroc_ci95: Interval::of(drawn),
            findings: group.findings.iter().flatten().count(),
        };
        subgroups.entry(by).or_default().insert(name.clone(), figures);
    }
    for &by in subgroups.keys() {
        let of_column = groups.iter().enumerate().filter(|(_, (column, ..))| *column == by);
        let members: Vec<(usize, &str, &Group)> =
            of_column.map(|(index, (_, name, group))| (index, name.as_str(), group)).collect();
        if let Some(gap) = gap(&members, &draws) {
            gaps.insert(by, gap);
        }
    }
    (subgroups, gaps)
}

/// Returns the rows of each group of a column; a film without a value is in no group.
fn divide(scores: &Scores, by: &str) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let cells = scores.column(by);
    for row in 0..scores.len() {
        let cell = cells.map_or("", |cells| cells[row].trim());
        let group = match by {
            "age" => band(cell),
            "number_of_findings" => number_of_findings(scores, row),
            _ => Some(cell),
        };
        if let Some(group) = group.filter(|group| !group.is_empty()) {
            groups.entry(group.to_owned()).or_default().push(row);
        }
    }
    if by == "source" && !(2..=SOURCES).contains(&groups.len()) {
        groups.clear();
    }
    groups
}

/// Returns how many of the findings a film shows, if all of its labels are known.
fn number_of_findings(scores: &Scores, row: usize) -> Option<&'static str> {
    let labels = scores.findings().iter().map(|finding| finding.labels[row]);
    let labels: Option<Vec<bool>> = labels.collect();
    Some(match labels?.into_iter().filter(|&label| label).count() {
        0 => "0",
        1 => "1",
        2 => "2",
        _ => "3+",
    })
}

/// The films of one group, prepared for resampling.
struct Group {
    images: usize,
    patients: usize,
    /// Findings that count in the group.
    findings: Vec<Option<Ranking>>,
}

impl Group {
    fn of(scores: &Scores, rows: &[usize], numbers: &[u32], patients: usize) -> Self {
        let mut is_in = vec![false; scores.len()];
        let mut is_there = vec![false; patients];
        for &row in rows {
            is_in[row] = true;
            is_there[numbers[row] as usize] = true;
        }
        let ranking = |finding: &ScoredFinding| {
            let known = finding.labeled_films().filter(|&(row, ..)| is_in[row]);
            let films: Vec<_> = known.map(|(row, p, label)| (p, label, numbers[row])).collect();
            let positives = films.iter().filter(|(_, label, _)| *label).count();
            let is_counted = positives >= LEAST && films.len() - positives >= LEAST;
            is_counted.then(|| Ranking::new(films))
        };
        Self {
            images: rows.len(),
            patients: is_there.into_iter().filter(|&is_there| is_there).count(),
            findings: scores.findings().iter().map(ranking).collect(),
        }
    }

    /// Returns both areas of each finding that counts, on a draw of patients or on all films.
    fn areas(&self, weights: Option<&[u32]>) -> Vec<Option<Areas>> {
        let areas = |ranking: &Ranking| match weights {
            Some(weights) => ranking.areas(weights),
            None => ranking.areas_of_all(),
        };
        self.findings.iter().map(|ranking| ranking.as_ref().and_then(areas)).collect()
    }
}

/// Computes the gap between groups given by their place in the draws; `None` for fewer than two
/// groups with figures, or if no finding counts in all of them.
fn gap(groups: &[(usize, &str, &Group)], draws: &[Vec<Vec<Option<Areas>>>]) -> Option<Gap> {
    let counts = |group: &Group| group.findings.iter().any(Option::is_some);
    let groups: Vec<_> = groups.iter().filter(|(.., group)| counts(group)).collect();
    let findings = groups.first()?.2.findings.len();
    let common: Vec<usize> = (0..findings)
        .filter(|&finding| groups.iter().all(|(.., group)| group.findings[finding].is_some()))
        .collect();
    if groups.len() < 2 || common.is_empty() {
        return None;
    }
    let mean = |areas: &[Option<Areas>]| -> Option<f64> {
        let all: Option<Vec<f64>> =
            common.iter().map(|&finding| Some(areas[finding]?.auroc)).collect();
        all.map(|all| all.iter().sum::<f64>() / all.len() as f64)
    };
    let mut ranked: Vec<(f64, usize, &str)> = groups
        .iter()
        .filter_map(|(index, name, group)| Some((mean(&group.areas(None))?, *index, *name)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(low, worst, worst_name), .., (high, best, best_name)] = ranked[..] else { return None };
    let drawn = draws.iter().filter_map(|draw| Some(mean(&draw[best])? - mean(&draw[worst])?));
    Some(Gap {
        best: best_name.to_owned(),
        worst: worst_name.to_owned(),
        auroc: high - low,
        auroc_ci95: Interval::of(drawn.collect()),
        findings: common.len(),
    })
}

/// Returns the age band of an age in years, or in the form `058Y` of the first NIH label file.
fn band(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let years: f64 = match text.strip_suffix(['M', 'W', 'D']) {
        // Months, weeks and days are used for infants only.
        Some(number) => number.parse().map(|_: f64| 0.0).ok()?,
        None => text.strip_suffix('Y').unwrap_or(text).parse().ok()?,
    };
    match years {
        0.0..18.0 => Some("0-17"),
        18.0..40.0 => Some("18-39"),
        40.0..65.0 => Some("40-64"),
        65.0..=OLDEST => Some("65+"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! The same metrics for groups of films: by sex, view, age, source and number of findings.
//!
//! A mean that hides a group with worse results is the usual way harm goes unnoticed; a metric of
//! four positives is the usual false alarm. A finding therefore counts in a group only with at
//! least 10 positives and 10 negatives, and the number of such findings is given. Two groups with
//! different findings in their mean are not comparable.

mod divide;
mod gap;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{
    BootstrapOptions, Interval, ScoredFinding, Scores,
    cohort::{draw_areas, numbers},
    mean::mean,
    ranking::Ranking,
};
use divide::{COLUMNS, divide};
pub use gap::Gap;

/// Films of each class that a finding needs to count in a group.
const LEAST: usize = 10;

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
    /// The figures of each finding, in table order.
    #[serde(serialize_with = "by_name")]
    pub by_finding: Vec<SubgroupFinding>,
}

/// The figures of one finding in a group of films.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubgroupFinding {
    /// Name of the finding, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Number of films in the group with the finding.
    pub positives: usize,
    /// Number of films in the group without it.
    pub negatives: usize,
    /// AUROC; `None` with fewer than 10 positives or 10 negatives.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
}

/// Computes the metrics by sex, view, age band, source and number of findings, if the table has
/// them, and the gap of each.
pub(crate) fn subgroups(scores: &Scores, options: &BootstrapOptions) -> (Subgroups, Gaps) {
    let (numbers, patients) = numbers(scores);
    let mut groups: Vec<(&'static str, String, Group)> = Vec::new();
    for by in COLUMNS {
        for (name, rows) in divide(scores, by) {
            groups.push((by, name, Group::of(scores, &rows, &numbers, patients)));
        }
    }
    let rankings = groups.iter().flat_map(|(.., group)| group.rankings.iter().flatten());
    let rankings: Vec<&Ranking> = rankings.collect();
    for draw in draw_areas(patients, options, &rankings) {
        let mut areas = draw.into_iter();
        for (.., group) in &mut groups {
            let next = |ranking: &Option<Ranking>| {
                ranking.as_ref().and_then(|_| areas.next()?).map(|areas| areas.auroc)
            };
            group.draws.push(group.rankings.iter().map(next).collect());
        }
    }

    let (mut subgroups, mut gaps) = (Subgroups::new(), Gaps::new());
    for by in COLUMNS {
        let of_column = groups.iter().filter(|(column, ..)| *column == by);
        let members: Vec<(&str, &Group)> =
            of_column.map(|(_, name, group)| (name.as_str(), group)).collect();
        for (name, group) in &members {
            let figures = group.figures(scores.findings());
            subgroups.entry(by).or_default().insert((*name).to_owned(), figures);
        }
        gaps.extend(gap::gap(&members).map(|gap| (by, gap)));
    }
    (subgroups, gaps)
}

/// The films of one group, prepared for resampling.
struct Group {
    images: usize,
    patients: usize,
    /// Positives and negatives of each finding.
    counts: Vec<[usize; 2]>,
    /// Findings that count in the group.
    rankings: Vec<Option<Ranking>>,
    /// AUROC of each of these findings.
    areas: Vec<Option<f64>>,
    /// The same on each resample.
    draws: Vec<Vec<Option<f64>>>,
}

impl Group {
    fn of(scores: &Scores, rows: &[usize], numbers: &[u32], patients: usize) -> Self {
        let mut is_in = vec![false; scores.len()];
        let mut is_there = vec![false; patients];
        for &row in rows {
            is_in[row] = true;
            is_there[numbers[row] as usize] = true;
        }
        let ranked = |finding: &ScoredFinding| {
            let known = finding.labeled_films().filter(|&(row, ..)| is_in[row]);
            let films: Vec<_> = known.map(|(row, p, label)| (p, label, numbers[row])).collect();
            let positives = films.iter().filter(|(_, label, _)| *label).count();
            let counts = [positives, films.len() - positives];
            let is_counted = counts.iter().all(|&count| count >= LEAST);
            (counts, is_counted.then(|| Ranking::new(films)))
        };
        let (counts, rankings): (_, Vec<Option<Ranking>>) =
            scores.findings().iter().map(ranked).unzip();
        let area = |ranking: &Option<Ranking>| Some(ranking.as_ref()?.areas_of_all()?.auroc);
        Self {
            images: rows.len(),
            patients: is_there.into_iter().filter(|&is_there| is_there).count(),
            counts,
            areas: rankings.iter().map(area).collect(),
            rankings,
            draws: Vec::new(),
        }
    }

    fn figures(&self, findings: &[ScoredFinding]) -> Subgroup {
        let finding = |(index, finding): (usize, &ScoredFinding)| SubgroupFinding {
            name: finding.name.clone(),
            positives: self.counts[index][0],
            negatives: self.counts[index][1],
            auroc: self.areas[index],
            auroc_ci95: Interval::of(self.draws.iter().filter_map(|draw| draw[index]).collect()),
        };
        Subgroup {
            images: self.images,
            patients: self.patients,
            auroc: mean(self.areas.iter().copied()),
            auroc_ci95: Interval::of(
                self.draws.iter().filter_map(|draw| mean(draw.iter().copied())).collect(),
            ),
            findings: self.rankings.iter().flatten().count(),
            by_finding: findings.iter().enumerate().map(finding).collect(),
        }
    }
}

fn by_name<S: Serializer>(findings: &[SubgroupFinding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|finding| (&finding.name, finding)))
}

#[cfg(test)]
mod tests;

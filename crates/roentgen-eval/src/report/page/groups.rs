//! Figures by group of films, for the templates.

use serde::Serialize;

use super::super::whisker;
use super::{format_interval, readable};
use crate::format::{count, figure, interval};
use crate::{Evaluation, Gap, SubgroupFinding};

/// The groups of one column.
#[derive(Debug, Serialize)]
pub(super) struct Groups {
    by: String,
    /// The difference between the best and the worst group.
    gap: Option<String>,
    rows: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    name: String,
    images: String,
    patients: String,
    findings: usize,
    auroc: String,
    auroc_ci: String,
    whisker: String,
    /// AUROC of each finding and its interval, empty if there is none.
    by_finding: Vec<[String; 2]>,
}

/// Returns the groups of each column.
pub(super) fn subgroups(evaluation: &Evaluation, low: f64) -> Vec<Groups> {
    let groups = evaluation.subgroups.iter().map(|(by, groups)| Groups {
        by: readable(by),
        gap: evaluation.subgroup_gaps.get(by).map(gap),
        rows: groups
            .iter()
            .map(|(name, group)| Group {
                name: name.clone(),
                images: count(group.images),
                patients: count(group.patients),
                findings: group.findings,
                auroc: figure(group.auroc),
                auroc_ci: interval(group.auroc_ci95),
                whisker: whisker::whisker(group.auroc, group.auroc_ci95, low),
                by_finding: group.by_finding.iter().map(of_finding).collect(),
            })
            .collect(),
    });
    groups.collect()
}

fn of_finding(of: &SubgroupFinding) -> [String; 2] {
    let ends = of.auroc_ci95.map_or_else(String::new, |ends| interval(Some(ends)));
    [figure(of.auroc), ends]
}

fn gap(gap: &Gap) -> String {
    format!(
        "{} minus {}: {} ({}), over {} finding{} that count in all groups",
        gap.best,
        gap.worst,
        figure(Some(gap.auroc)),
        format_interval(gap.auroc_ci95),
        gap.findings,
        if gap.findings == 1 { "" } else { "s" }
    )
}

//! The tables of groups of films: by patient, and by protocol.

use super::{cell, csv, high, low};
use crate::{Error, protocols::Protocols, report::Report};

/// Returns `subgroups.csv`: one row for each group, and one for the difference between the best and
/// the worst group, which has the latter in the column `minus`.
pub(in crate::report) fn subgroups(report: &Report) -> Result<String, Error> {
    let header = ["by", "group", "minus", "images", "patients", "findings", "auroc", "low", "high"];
    let mut rows = vec![header.map(str::to_owned)];
    for (&by, groups) in &report.evaluation.subgroups {
        for (name, group) in groups {
            rows.push([
                by.to_owned(),
                name.clone(),
                String::new(),
                group.images.to_string(),
                group.patients.to_string(),
                group.findings.to_string(),
                cell(group.auroc),
                low(group.auroc_ci95),
                high(group.auroc_ci95),
            ]);
        }
        if let Some(gap) = report.evaluation.subgroup_gaps.get(by) {
            rows.push([
                by.to_owned(),
                gap.best.clone(),
                gap.worst.clone(),
                String::new(),
                String::new(),
                gap.findings.to_string(),
                cell(Some(gap.auroc)),
                low(gap.auroc_ci95),
                high(gap.auroc_ci95),
            ]);
        }
    }
    csv("subgroups.csv", rows)
}

/// Returns `subgroup-findings.csv`: one row for each group and finding.
pub(in crate::report) fn subgroup_findings(report: &Report) -> Result<String, Error> {
    let header =
        ["by", "group", "finding", "positives", "negatives", "auroc", "auroc_low", "auroc_high"];
    let mut rows = vec![header.map(str::to_owned)];
    for (&by, groups) in &report.evaluation.subgroups {
        for (name, group) in groups {
            for finding in &group.by_finding {
                rows.push([
                    by.to_owned(),
                    name.clone(),
                    finding.name.clone(),
                    finding.positives.to_string(),
                    finding.negatives.to_string(),
                    cell(finding.auroc),
                    low(finding.auroc_ci95),
                    high(finding.auroc_ci95),
                ]);
            }
        }
    }
    csv("subgroup-findings.csv", rows)
}

/// Returns `protocols.csv`: one row for the study's protocol, and one for each choice in which the
/// official one differs, in the order of the changes.
pub(in crate::report) fn protocols(protocols: &Protocols) -> Result<String, Error> {
    let header = [
        "changed",
        "images",
        "patients",
        "findings",
        "auroc",
        "auroc_low",
        "auroc_high",
        "effect",
        "effect_low",
        "effect_high",
        "effect_least",
        "effect_most",
        "unknown",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    let steps = protocols.effects.iter().map(|effect| (Some(effect.choice), Some(effect)));
    for (choice, effect) in [(None, None)].into_iter().chain(steps) {
        let row = protocols.rows.iter().find(|row| row.changed == choice);
        let ends = effect.and_then(|effect| effect.over_orders);
        rows.push([
            choice.map_or("none", |choice| choice.name()).to_owned(),
            row.map_or_else(String::new, |row| row.images.to_string()),
            row.map_or_else(String::new, |row| row.patients.to_string()),
            row.map_or_else(String::new, |row| row.findings.to_string()),
            cell(row.and_then(|row| row.auroc)),
            low(row.and_then(|row| row.auroc_ci95)),
            high(row.and_then(|row| row.auroc_ci95)),
            cell(effect.and_then(|effect| effect.auroc)),
            low(effect.and_then(|effect| effect.auroc_ci95)),
            high(effect.and_then(|effect| effect.auroc_ci95)),
            cell(ends.map(|[least, _]| least)),
            cell(ends.map(|[_, most]| most)),
            effect.and_then(|effect| effect.unknown.clone()).unwrap_or_default(),
        ]);
    }
    csv("protocols.csv", rows)
}

//! Our row next to the published ones.
//!
//! Columns are the findings of the table that others have measured. Every row shows its split, and
//! the rows of our split come first.

use serde::Serialize;

use crate::format::{figure, figure_or_dash};
use crate::{Evaluation, NIH_FINDINGS, published::PUBLISHED};

/// The table of published rows.
#[derive(Debug, Serialize)]
pub(super) struct PublishedComparison {
    /// Names of the columns.
    findings: Vec<String>,
    rows: Vec<PublishedRow>,
    /// Whether any row was measured on our split.
    any_comparable: bool,
}

#[derive(Debug, Serialize)]
struct PublishedRow {
    work: &'static str,
    split: String,
    values: Vec<String>,
    mean: String,
    ours: bool,
    comparable: bool,
}

impl PublishedComparison {
    /// Compares an evaluation with the published rows. Returns `None` for synthetic films and for
    /// tables without any of the NIH findings.
    pub(super) fn of(evaluation: &Evaluation) -> Option<Self> {
        let known = evaluation.findings.iter().filter(|f| NIH_FINDINGS.contains(&f.name.as_str()));
        let known: Vec<_> = known.collect();
        if known.is_empty() || evaluation.is_phantom() {
            return None;
        }

        let mut rows = vec![PublishedRow {
            work: "this report",
            split: format!(
                "{}, {} films",
                evaluation.split.as_deref().unwrap_or("not recorded"),
                evaluation.images
            ),
            values: known.iter().map(|finding| figure(finding.auroc)).collect(),
            mean: figure(evaluation.mean.auroc),
            ours: true,
            comparable: true,
        }];
        rows.extend(
            PUBLISHED.iter().map(|published| PublishedRow {
                work: published.work,
                split: published.split.to_owned(),
                values: known
                    .iter()
                    .map(|finding| figure_or_dash(published.auroc(&finding.name)))
                    .collect(),
                mean: figure_or_dash(published.mean),
                ours: false,
                comparable: published
                    .is_comparable_with(evaluation.split.as_deref(), evaluation.images),
            }),
        );
        let any_comparable = rows.iter().any(|row| row.comparable && !row.ours);
        let findings = known.iter().map(|finding| finding.name.replace('_', " ")).collect();
        Some(Self { findings, rows, any_comparable })
    }
}

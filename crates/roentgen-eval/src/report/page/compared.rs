//! The difference from another table, for the templates.

use serde::Serialize;

use super::super::Compared;
use super::{format_interval, readable};
use crate::Difference;

/// A table compared with another one, finding by finding.
#[derive(Debug, Serialize)]
pub(super) struct Differences {
    against: String,
    rows: Vec<Row>,
    mean: Row,
    /// Findings whose difference is significant after the correction.
    significant: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    auroc: String,
    auroc_ci: String,
    p: String,
    p_holm: String,
}

impl Differences {
    pub(super) fn of(compared: &Compared) -> Self {
        let is_clear = |of: &Difference| of.p_holm.is_some_and(|p| p < 0.05);
        let clear = compared.findings.iter().filter(|(_, of)| is_clear(of));
        Self {
            against: compared.against.clone(),
            rows: compared.findings.iter().map(|(name, of)| Row::of(readable(name), of)).collect(),
            mean: Row::of("Mean".to_owned(), &compared.mean),
            significant: clear.map(|(name, _)| readable(name)).collect(),
        }
    }
}

impl Row {
    fn of(name: String, of: &Difference) -> Self {
        let p = |p: Option<f64>| match p {
            Some(p) if p < 0.0005 => "<0.001".to_owned(),
            Some(p) => format!("{p:.3}"),
            None => "n/a".to_owned(),
        };
        Self {
            name,
            auroc: of.value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:+.3}")),
            auroc_ci: format_interval(of.interval),
            p: p(of.p),
            p_holm: p(of.p_holm),
        }
    }
}

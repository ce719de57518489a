//! Findings that are on one film together, for the templates.

use serde::Serialize;

use super::{calls, readable};
use crate::format::count;
use crate::{CoOccurrence, Evaluation};

/// Films with two findings.
#[derive(Debug, Serialize)]
pub(super) struct Together {
    films: String,
    /// The operating point of the calls.
    point: &'static str,
    names: Vec<String>,
    /// The name of each row, and by column the films by label and by call.
    rows: Vec<(String, Vec<[String; 2]>)>,
}

impl Together {
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        let CoOccurrence { operating_point, films, labels, calls } = &evaluation.co_occurrence;
        let names: Vec<String> =
            evaluation.findings.iter().map(|finding| readable(&finding.name)).collect();
        let cell = |(&labels, calls): (&usize, &Option<usize>)| {
            [count(labels), calls.map_or_else(|| "n/a".to_owned(), count)]
        };
        let row = |(name, (labels, calls)): (&String, (&Vec<usize>, &Vec<Option<usize>>))| {
            (name.clone(), labels.iter().zip(calls).map(cell).collect())
        };
        Self {
            films: count(*films),
            point: calls::title(operating_point),
            rows: names.iter().zip(labels.iter().zip(calls)).map(row).collect(),
            names,
        }
    }
}

//! The figures by the study's and the official protocol, for the templates.

use serde::Serialize;

use super::{format_interval, readable};
use crate::format::{count, figure, interval};
use crate::protocols::{Choice, Effect, Row};

/// Both protocols, as a table and a paragraph.
#[derive(Debug, Serialize)]
pub(super) struct Protocols {
    paragraph: String,
    rows: Vec<Line>,
    /// Findings that are in no row, and why.
    left_out: Vec<String>,
    undetermined: Option<String>,
    training_films: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    images: String,
    patients: String,
    findings: String,
    auroc: String,
    auroc_ci: String,
    effect: String,
    effect_ci: String,
    orders: String,
    /// Why the figure is missing.
    unknown: Option<String>,
}

impl Protocols {
    pub(super) fn of(protocols: &crate::protocols::Protocols) -> Self {
        let row = |choice: Option<Choice>| protocols.rows.iter().find(|row| row.changed == choice);
        let first = Line::of(None, row(None), None);
        let changed = protocols.effects.iter();
        let changed = changed.map(|of| Line::of(Some(of.choice), row(Some(of.choice)), Some(of)));
        let nonzero = |films: usize| (films > 0).then(|| count(films));
        Self {
            paragraph: protocols.paragraph(),
            rows: [first].into_iter().chain(changed).collect(),
            left_out: protocols.left_out.iter().map(|name| readable(name)).collect(),
            undetermined: nonzero(protocols.undetermined),
            training_films: nonzero(protocols.training_films),
        }
    }
}

impl Line {
    fn of(choice: Option<Choice>, row: Option<&Row>, effect: Option<&Effect>) -> Self {
        let of = |value: Option<String>| value.unwrap_or_default();
        Self {
            name: match choice {
                None => {
                    "As the 2019 study: with films of patients in training, without films that \
                     have no finding, 13 findings"
                }
                Some(Choice::LeakedPatients) => "Without films of patients in training",
                Some(Choice::NormalFilms) => "With films that have no finding",
                Some(Choice::Findings) => "With Hernia, 14 findings: the official protocol",
            },
            images: of(row.map(|row| count(row.images))),
            patients: of(row.map(|row| count(row.patients))),
            findings: of(row.map(|row| row.findings.to_string())),
            auroc: of(row.map(|row| figure(row.auroc))),
            auroc_ci: of(row.map(|row| interval(row.auroc_ci95))),
            effect: of(effect.and_then(|effect| effect.auroc).map(|value| format!("{value:.3}"))),
            effect_ci: of(effect
                .and_then(|effect| effect.auroc)
                .and(effect)
                .map(|effect| format_interval(effect.auroc_ci95))),
            orders: of(effect
                .and_then(|effect| effect.over_orders)
                .map(|[least, most]| format!("{least:.3} to {most:.3}"))),
            unknown: effect.and_then(|effect| effect.unknown.clone()),
        }
    }
}

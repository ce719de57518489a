//! Film cards, for the templates.

use serde::Serialize;

use super::super::Report;
use crate::Scores;
use crate::films::{Agreement, FilmCard, boxes, data};
use crate::format::{probability, readable};

#[derive(Debug, Serialize)]
pub(super) struct FilmCards {
    title: &'static str,
    cards: Vec<CardFilm>,
}

#[derive(Debug, Serialize)]
struct CardFilm {
    image: String,
    source: Option<String>,
    /// The boxes as an SVG over the picture.
    boxes: Option<String>,
    /// The findings that have a box.
    boxed: Vec<String>,
    finding: String,
    probability: String,
    labels: String,
    text: String,
}

/// Returns the cards of a report by verdict.
pub(super) fn films(report: &Report) -> Vec<FilmCards> {
    let titles = [
        (Agreement::Found, "Highest probability, label positive"),
        (Agreement::FalseAlarm, "Highest probability, label negative"),
        (Agreement::Missed, "Lowest probability, label positive"),
    ];
    let groups = titles.into_iter().map(|(verdict, title)| {
        let cards = report.films.iter().filter(|card| card.choice.verdict == verdict);
        let cards = cards.map(|card| CardFilm {
            image: card.choice.image.clone(),
            source: (!card.png.is_empty()).then(|| data("image/png", &card.png)),
            boxes: (!card.boxes.is_empty()).then(|| boxes(card)),
            boxed: name_boxed_findings(card),
            finding: readable(&card.choice.finding),
            probability: probability(card.choice.probability),
            labels: labels(report.scores, card.choice.row),
            text: card.text.clone(),
        });
        FilmCards { title, cards: cards.collect() }
    });
    groups.filter(|group| !group.cards.is_empty()).collect()
}

/// Names each finding that has a box once.
fn name_boxed_findings(card: &FilmCard) -> Vec<String> {
    let mut names: Vec<String> = card.boxes.iter().map(|one| readable(&one.finding)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Lists the findings that the label file says of a film.
fn labels(scores: &Scores, row: usize) -> String {
    let label = |finding: &crate::ScoredFinding| finding.labels.get(row).copied().flatten();
    let positive = scores.findings().iter().filter(|finding| label(finding) == Some(true));
    let names: Vec<String> = positive.map(|finding| readable(&finding.name)).collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    let all_known = scores.findings().iter().all(|finding| label(finding).is_some());
    if all_known { "none of these findings" } else { "unknown" }.to_owned()
}

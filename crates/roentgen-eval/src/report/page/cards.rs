//! Film cards, for the templates.

use base64::{Engine, engine::general_purpose::STANDARD};
use roentgen_figures::{Said, Svg};
use serde::Serialize;

use super::super::{Agreement, FilmBox, FilmCard, Report, format::probability};
use super::readable;
use crate::Scores;

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

/// Draws the boxes of a film; that of the finding in question stands out.
pub(crate) fn boxes(card: &FilmCard) -> String {
    let mut svg = Svg::new();
    for FilmBox { finding, corner, size } in &card.boxes {
        let own = if *finding == card.choice.finding { "box own" } else { "box" };
        svg.rect(own, corner.map(|share| 100.0 * share), size.map(|share| 100.0 * share));
    }
    svg.element("boxes", [100.0, 100.0], Said::Nothing)
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

pub(crate) fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

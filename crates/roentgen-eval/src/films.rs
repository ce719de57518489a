//! Films to look at: those on which the model was most confident, right or wrong.
//!
//! Sorted by probability alone, one frequent finding would fill the page. So findings take turns:
//! the most confident film of each first, then the second of each. Each film is shown once.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roentgen_figures::{Said, Svg};

use crate::{ScoredFinding, Scores};

/// How the probability of a film agrees with its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Agreement {
    /// A high probability and a positive label.
    Found,
    /// A high probability and a negative label.
    FalseAlarm,
    /// A low probability and a positive label.
    Missed,
}

/// A film to show, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenFilm {
    /// Its row in the table.
    pub row: usize,
    /// The name of its image.
    pub image: String,
    /// The finding in question.
    pub finding: String,
    /// The probability of that finding.
    pub probability: f64,
    /// Whether the label is positive.
    pub label: bool,
    /// How the probability agrees with the label.
    pub verdict: Agreement,
}

/// A film and its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmCard {
    /// Which film, and why.
    pub choice: ChosenFilm,
    /// Its picture as PNG, or empty for a card without a picture.
    pub png: Vec<u8>,
    /// Boxes that radiologists drew on the film.
    pub boxes: Vec<FilmBox>,
    /// A line of text below it.
    pub text: String,
}

/// A box on a film, in shares of its height and width.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmBox {
    /// The finding in it.
    pub finding: String,
    /// Its upper left corner, `[x, y]` in 0..1.
    pub corner: [f64; 2],
    /// Its `[height, width]` in 0..1.
    pub size: [f64; 2],
}

/// Chooses up to `n` films of each verdict: found, false alarm, missed.
///
/// "High" and "low" mean the highest and lowest probabilities of the table, whatever the threshold.
pub fn confident_films(scores: &Scores, n: usize) -> Vec<ChosenFilm> {
    let mut shown = HashSet::new();
    let mut choices = Vec::new();
    for verdict in [Agreement::Found, Agreement::FalseAlarm, Agreement::Missed] {
        let mut turns: Vec<(usize, ChosenFilm)> = Vec::new();
        for finding in scores.findings() {
            // Other findings may already show the first films, so more than `n` are ranked.
            let ranked =
                rank_by_certainty(scores, finding, verdict).into_iter().take(4 * n).enumerate();
            turns.extend(ranked);
        }
        turns.sort_by(|(turn, a), (other, b)| {
            turn.cmp(other).then(compare_certainty(verdict, a.probability, b.probability))
        });
        let fresh = turns.into_iter().filter(|(_, choice)| shown.insert(choice.row)).take(n);
        choices.extend(fresh.map(|(_, choice)| choice));
    }
    choices
}

fn rank_by_certainty(
    scores: &Scores,
    finding: &ScoredFinding,
    verdict: Agreement,
) -> Vec<ChosenFilm> {
    let wanted = verdict != Agreement::FalseAlarm;
    let films = finding.labeled_films().filter(|(.., label)| *label == wanted);
    let choice = |(row, probability, label): (usize, f64, bool)| ChosenFilm {
        row,
        image: scores.images()[row].clone(),
        finding: finding.name.clone(),
        probability,
        label,
        verdict,
    };
    let mut films: Vec<(usize, f64, bool)> = films.collect();
    films.sort_by(|a, b| compare_certainty(verdict, a.1, b.1));
    films.into_iter().map(choice).collect()
}

fn compare_certainty(verdict: Agreement, a: f64, b: f64) -> std::cmp::Ordering {
    match verdict {
        Agreement::Found | Agreement::FalseAlarm => b.total_cmp(&a),
        Agreement::Missed => a.total_cmp(&b),
    }
}

/// Draws the boxes of a film; the box of the finding in question has another colour.
pub(crate) fn boxes(card: &FilmCard) -> String {
    let mut svg = Svg::new();
    for FilmBox { finding, corner, size } in &card.boxes {
        let own = if *finding == card.choice.finding { "box own" } else { "box" };
        svg.rect(own, corner.map(|share| 100.0 * share), size.map(|share| 100.0 * share));
    }
    svg.element("boxes", [100.0, 100.0], Said::Nothing)
}

/// Puts the bytes of a picture into a page.
pub(crate) fn data(kind: &str, bytes: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Scores {
        let finding = |name: &str, probabilities: [f64; 6], labels: [u8; 6]| ScoredFinding {
            name: name.into(),
            probabilities: probabilities.into(),
            labels: labels.map(|label| (label < 2).then_some(label == 1)).into(),
        };
        let names: Vec<String> = "abcdef".chars().map(String::from).collect();
        Scores::new(
            names.clone(),
            names,
            vec![
                finding("A", [0.9, 0.8, 0.7, 0.6, 0.1, 0.99], [1, 1, 1, 0, 1, 2]),
                finding("B", [0.2, 0.1, 0.3, 0.4, 0.5, 0.9], [0, 0, 1, 1, 0, 2]),
            ],
        )
        .unwrap()
    }

    fn films(verdict: Agreement, n: usize) -> Vec<(String, String)> {
        let choices = confident_films(&table(), n).into_iter();
        let of = choices.filter(|choice| choice.verdict == verdict);
        of.map(|choice| (choice.image, choice.finding)).collect()
    }

    #[test]
    fn findings_take_turns() {
        let found = films(Agreement::Found, 2);

        assert_eq!(found, [("a".into(), "A".into()), ("d".into(), "B".into())]);
    }

    #[test]
    fn a_film_is_shown_once_and_never_without_a_label() {
        let mut images: Vec<_> =
            confident_films(&table(), 6).into_iter().map(|c| c.image).collect();
        images.sort();

        assert!(images.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(!images.contains(&"f".into()));
    }

    #[test]
    fn the_missed_are_the_least_likely() {
        assert_eq!(films(Agreement::Missed, 1), [("e".into(), "A".into())]);
    }

    #[test]
    fn false_alarms_are_the_likeliest_without_the_finding() {
        assert_eq!(films(Agreement::FalseAlarm, 1), [("d".into(), "A".into())]);
    }
}

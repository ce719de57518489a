//! The answer of `predict` on the terminal: the probabilities of each film, highest first.

use roentgen_eval::Scores;
use serde_json::{Map, Value, json};

use crate::output::thousands;

/// Number of films to print; a table has room for more.
const MOST: usize = 20;
/// Length of a bar of probability one, in characters.
const BAR: usize = 30;

/// Lists the films with the probability of each finding.
pub(super) fn json(scores: &Scores) -> Value {
    let film = |row: usize| {
        let findings: Map<String, Value> = scores
            .findings()
            .iter()
            .map(|finding| {
                (finding.name.clone(), json!({ "probability": finding.probabilities[row] }))
            })
            .collect();
        json!({
            "image": scores.images()[row],
            "patient": scores.patients()[row],
            "findings": findings,
        })
    };
    (0..scores.len()).map(film).collect()
}

/// Draws the probabilities of the first films as bars.
pub(super) fn text(scores: &Scores) -> String {
    let mut blocks: Vec<String> =
        (0..scores.len().min(MOST)).map(|row| block(scores, row)).collect();
    if scores.len() > MOST {
        blocks.push(format!(
            "and {} more films; `--out scores.csv` writes all of them to a table",
            thousands(scores.len() - MOST)
        ));
    }
    blocks.push("not for diagnostic use".to_owned());
    blocks.join("\n\n")
}

fn block(scores: &Scores, row: usize) -> String {
    let mut findings: Vec<(&str, f64)> = scores
        .findings()
        .iter()
        .map(|finding| (finding.name.as_str(), finding.probabilities[row]))
        .collect();
    findings.sort_by(|a, b| b.1.total_cmp(&a.1));
    let width = findings.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut lines = vec![scores.images()[row].clone()];
    lines.extend(findings.iter().map(|&(name, probability)| {
        let line =
            format!("  {:<width$}  {probability:.3}  {}", name.replace('_', " "), bar(probability));
        line.trim_end().to_owned()
    }));
    lines.join("\n")
}

/// Draws a probability as a bar, to an eighth of a character.
fn bar(probability: f64) -> String {
    let eighths = (probability * (BAR * 8) as f64).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    "█".repeat(eighths / 8) + part
}

#[cfg(test)]
mod tests {
    use roentgen_eval::Finding;

    use super::*;

    fn scores(films: usize) -> Scores {
        let names: Vec<String> = (0..films).map(|film| format!("{film}.png")).collect();
        let finding = |name, probability| {
            Finding::from_f32(name, &vec![probability; films], vec![None; films])
        };
        let findings = vec![finding("Mass", 0.25), finding("Pleural_Thickening", 0.5)];
        Scores::new(names.clone(), names, findings).unwrap()
    }

    #[test]
    fn the_highest_probability_comes_first_with_a_bar_of_its_length() {
        let text = text(&scores(1));

        let expected = format!(
            "0.png\n  Pleural Thickening  0.500  {}\n  Mass                0.250  {}▌",
            "█".repeat(15),
            "█".repeat(7)
        );
        assert!(text.starts_with(&expected), "{text}");
    }

    #[test]
    fn all_films_are_in_the_document_and_the_rest_is_counted_in_the_text() {
        let scores = scores(23);

        assert!(text(&scores).contains("and 3 more films"));
        assert_eq!(json(&scores).as_array().unwrap().len(), 23);
        assert_eq!(json(&scores)[22]["findings"]["Mass"]["probability"], 0.25);
    }
}

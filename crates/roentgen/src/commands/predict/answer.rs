//! The answer of `predict` on the terminal: the probabilities of each film, highest first.

use roentgen_eval::{ScoredFinding, Scores};
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
            .map(|finding| (finding.name.clone(), answer(scores, finding, row)))
            .collect();
        json!({
            "image": scores.images()[row],
            "patient": scores.patients()[row],
            "findings": findings,
        })
    };
    (0..scores.len()).map(film).collect()
}

/// Returns what is known of a finding on a film.
fn answer(scores: &Scores, finding: &ScoredFinding, row: usize) -> Value {
    let cell = |suffix: &str| {
        let column = scores.column(&format!("{}.{suffix}", finding.name))?;
        Some(column[row].as_str()).filter(|cell| !cell.is_empty())
    };
    let mut answer = json!({ "probability": finding.probabilities[row] });
    if let Some(calibrated) = cell("calibrated").and_then(|cell| cell.parse::<f64>().ok()) {
        answer["calibrated"] = json!(calibrated);
    }
    if let Some(call) = cell("call") {
        answer["call"] = json!(call == "1");
    }
    answer
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
    let mut findings: Vec<&ScoredFinding> = scores.findings().iter().collect();
    findings.sort_by(|a, b| b.probabilities[row].total_cmp(&a.probabilities[row]));
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut lines = vec![scores.images()[row].clone()];
    lines.extend(findings.iter().map(|finding| {
        let probability = finding.probabilities[row];
        let is_called = answer(scores, finding, row)["call"] == json!(true);
        let line = format!(
            "  {:<width$}  {probability:.3}  {}{}",
            finding.name.replace('_', " "),
            bar(probability),
            if is_called { "  at or above its threshold" } else { "" }
        );
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
    use super::*;

    fn scores(films: usize) -> Scores {
        let names: Vec<String> = (0..films).map(|film| format!("{film}.png")).collect();
        let finding = |name, probability| {
            ScoredFinding::from_f32(name, &vec![probability; films], vec![None; films])
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
    fn calls_are_said_where_there_are_thresholds() {
        let scores = scores(1)
            .with_column("Mass.calibrated", vec!["0.125".to_owned()])
            .and_then(|scores| scores.with_column("Mass.call", vec!["1".to_owned()]))
            .unwrap();

        let mass = &json(&scores)[0]["findings"]["Mass"];
        assert_eq!(*mass, json!({ "probability": 0.25, "calibrated": 0.125, "call": true }));
        assert_eq!(text(&scores).matches("at or above its threshold").count(), 1);
    }

    #[test]
    fn all_films_are_in_the_document_and_the_rest_is_counted_in_the_text() {
        let scores = scores(23);

        assert!(text(&scores).contains("and 3 more films"));
        assert_eq!(json(&scores).as_array().unwrap().len(), 23);
        assert_eq!(json(&scores)[22]["findings"]["Mass"]["probability"], 0.25);
    }
}

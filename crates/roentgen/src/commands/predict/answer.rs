//! The answer of `predict` on the terminal: the probabilities of each film, highest first.

use std::collections::BTreeMap;

use roentgen_eval::{OperatingRule, ScoredFinding, Scores};
use roentgen_tasks::predict::PredictedTable;
use serde_json::{Map, Value, json};

use crate::output::thousands;

/// Number of films to print; a table has room for more.
const MOST: usize = 20;
/// Length of a bar of probability one, in characters.
const BAR: usize = 30;

/// Lists the films with the probability of each finding.
pub(super) fn json(table: &PredictedTable) -> Value {
    Answer::of(table).json()
}

/// Draws the probabilities of the first films as bars.
pub(super) fn text(table: &PredictedTable) -> String {
    Answer::of(table).text()
}

/// The predictions of some films, with the thresholds of their calls.
struct Answer<'a> {
    scores: &'a Scores,
    thresholds: &'a BTreeMap<String, f64>,
    operating_point: OperatingRule,
}

impl<'a> Answer<'a> {
    fn of(table: &'a PredictedTable) -> Self {
        let PredictedTable { scores, thresholds, operating_point, .. } = table;
        Self { scores, thresholds, operating_point: *operating_point }
    }

    fn json(&self) -> Value {
        let film = |row: usize| {
            let findings: Map<String, Value> = self
                .scores
                .findings()
                .iter()
                .map(|finding| (finding.name.clone(), self.finding(finding, row)))
                .collect();
            json!({
                "image": self.scores.images()[row],
                "patient": self.scores.patients()[row],
                "findings": findings,
            })
        };
        (0..self.scores.len()).map(film).collect()
    }

    /// Returns what is known of a finding on a film.
    fn finding(&self, finding: &ScoredFinding, row: usize) -> Value {
        let cell = |suffix: &str| {
            let column = self.scores.column(&format!("{}.{suffix}", finding.name))?;
            Some(column[row].as_str()).filter(|cell| !cell.is_empty())
        };
        let mut answer = json!({ "probability": finding.probabilities[row] });
        if let Some(calibrated) = cell("calibrated").and_then(|cell| cell.parse::<f64>().ok()) {
            answer["calibrated"] = json!(calibrated);
        }
        if let Some(threshold) = self.thresholds.get(&finding.name) {
            answer["threshold"] = json!(threshold);
        }
        if let Some(call) = cell("call") {
            answer["call"] = json!(call == "1");
        }
        answer
    }

    fn text(&self) -> String {
        let films = self.scores.len();
        let mut blocks: Vec<String> = (0..films.min(MOST)).map(|row| self.block(row)).collect();
        if films > MOST {
            blocks.push(format!(
                "and {} more films; `--out scores.csv` writes all of them to a table",
                thousands(films - MOST)
            ));
        }
        let thresholds = if self.thresholds.is_empty() {
            "the model has no thresholds, so findings are not called positive or negative"
                .to_owned()
        } else {
            format!("thresholds: {} (`--operating-point`)", self.operating_point.name())
        };
        blocks.push(format!("{thresholds}\nnot for diagnostic use"));
        blocks.join("\n\n")
    }

    fn block(&self, row: usize) -> String {
        let mut findings: Vec<&ScoredFinding> = self.scores.findings().iter().collect();
        findings.sort_by(|a, b| b.probabilities[row].total_cmp(&a.probabilities[row]));
        let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
        let mut lines = vec![self.scores.images()[row].clone()];
        lines.extend(findings.iter().map(|finding| {
            let probability = finding.probabilities[row];
            let threshold = self.thresholds.get(&finding.name).map_or_else(String::new, |least| {
                let call = if probability >= *least { ", positive" } else { "" };
                format!("threshold {least:.3}{call}")
            });
            let (name, bar) = (finding.name.replace('_', " "), bar(probability));
            let line = format!("  {name:<width$}  {probability:.3}  {bar:<BAR$}  {threshold}");
            line.trim_end().to_owned()
        }));
        lines.join("\n")
    }
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

    fn answer<'a>(scores: &'a Scores, thresholds: &'a BTreeMap<String, f64>) -> Answer<'a> {
        Answer { scores, thresholds, operating_point: OperatingRule::Youden }
    }

    #[test]
    fn the_highest_probability_comes_first_with_a_bar_of_its_length() {
        let text = answer(&scores(1), &BTreeMap::new()).text();

        let expected = format!(
            "0.png\n  Pleural Thickening  0.500  {}\n  Mass                0.250  {}▌",
            "█".repeat(15),
            "█".repeat(7)
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("has no thresholds"), "{text}");
    }

    #[test]
    fn thresholds_and_calls_are_said_where_there_are_some() {
        let scores = scores(1)
            .with_column("Mass.calibrated", vec!["0.125".to_owned()])
            .and_then(|scores| scores.with_column("Mass.call", vec!["1".to_owned()]))
            .unwrap();
        let thresholds = BTreeMap::from([("Mass".to_owned(), 0.25)]);
        let answer = answer(&scores, &thresholds);

        let mass = &answer.json()[0]["findings"]["Mass"];
        let expected =
            json!({ "probability": 0.25, "calibrated": 0.125, "threshold": 0.25, "call": true });
        assert_eq!(*mass, expected);
        let text = answer.text();
        assert_eq!(text.matches("threshold 0.250, positive").count(), 1, "{text}");
        assert!(text.contains("thresholds: youden"), "{text}");
    }

    #[test]
    fn all_films_are_in_the_document_and_the_rest_is_counted_in_the_text() {
        let (scores, thresholds) = (scores(23), BTreeMap::new());
        let answer = answer(&scores, &thresholds);

        assert!(answer.text().contains("and 3 more films"));
        assert_eq!(answer.json().as_array().unwrap().len(), 23);
        assert_eq!(answer.json()[22]["findings"]["Mass"]["probability"], 0.25);
    }
}

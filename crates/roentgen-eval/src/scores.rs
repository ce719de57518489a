//! The score table: one row per film, one probability and one label per finding.
//!
//! Probabilities are kept as the decimal number in the file, in `f64`: converting to `f32` and back
//! would change digits, and with them ties. A label may be missing; such a row is left out for that
//! finding only.

mod cells;
mod check;
mod join;
mod read;
mod write;

pub(crate) use cells::parse_flag;

use std::path::{Path, PathBuf};

use crate::Error;

/// The 14 findings of the NIH ChestX-ray14 data set, by name.
pub const NIH_FINDINGS: [&str; 14] = [
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
];

/// Suffix of the name of a label column.
const TRUTH: &str = ".truth";

/// Columns that are never findings, whatever other columns there are.
const RESERVED: [&str; 11] = [
    "image",
    "patient",
    "view",
    "age",
    "sex",
    "source",
    "dataset",
    "dataset_id",
    "model",
    "split",
    "patient_in_training",
];

/// One finding of a table, with one value per film.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredFinding {
    /// Name of the finding and of its column.
    pub name: String,
    /// Probabilities in 0..1.
    pub probabilities: Vec<f64>,
    /// Truths; `None` if unknown.
    pub labels: Vec<Option<bool>>,
}

impl ScoredFinding {
    /// Converts the probabilities of a model that computes in `f32`.
    ///
    /// Each becomes its [decimal].
    pub fn from_f32(
        name: impl Into<String>,
        probabilities: &[f32],
        labels: Vec<Option<bool>>,
    ) -> Self {
        Self {
            name: name.into(),
            probabilities: probabilities.iter().copied().map(decimal).collect(),
            labels,
        }
    }

    /// Iterates over the films of known label: row, probability, label.
    pub fn labeled_films(&self) -> impl Iterator<Item = (usize, f64, bool)> + '_ {
        let pairs = self.probabilities.iter().zip(&self.labels).enumerate();
        pairs.filter_map(|(row, (&p, &label))| label.map(|label| (row, p, label)))
    }

    /// Returns the probabilities and labels of the films of known label.
    pub fn known_pairs(&self) -> (Vec<f64>, Vec<bool>) {
        self.labeled_films().map(|(_, p, label)| (p, label)).unzip()
    }
}

/// Returns the shortest decimal that reads back as the same `f32`, which score tables have for a
/// probability: `0.1` and not `0.10000000149011612`.
pub fn decimal(probability: f32) -> f64 {
    probability.to_string().parse().unwrap_or(f64::from(probability))
}

/// A column other than the image, the patient and the findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// One text per film, empty if unknown.
    pub values: Vec<String>,
}

/// A score table.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    origin: PathBuf,
    images: Vec<String>,
    patients: Vec<String>,
    columns: Vec<Column>,
    findings: Vec<ScoredFinding>,
}

impl Scores {
    /// Builds a table from the predictions of a model.
    ///
    /// # Errors
    ///
    /// Returns an error under the same conditions as reading the table back, see [`Scores::read`].
    pub fn new(
        images: Vec<String>,
        patients: Vec<String>,
        findings: Vec<ScoredFinding>,
    ) -> Result<Self, Error> {
        let origin = PathBuf::from("(in memory)");
        let scores = Self { origin, images, patients, columns: Vec::new(), findings };
        scores.check(|row| row as u64 + 2)?;
        Ok(scores)
    }

    /// Adds a column: one of `view`, `age`, `sex`, `source`, `dataset`, `dataset_id`, `model`,
    /// `split`, `patient_in_training`, or any other name.
    ///
    /// # Errors
    ///
    /// Returns an error if the name is taken, or if the number of values is not the number of
    /// films.
    pub fn with_column(
        mut self,
        name: impl Into<String>,
        values: Vec<String>,
    ) -> Result<Self, Error> {
        let column = Column { name: name.into(), values };
        self.columns.push(column);
        self.check(|row| row as u64 + 2)?;
        Ok(self)
    }

    /// Returns the path of the file it was read from, or `(in memory)`.
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// Returns the number of films.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are no films, which is false for every table that was read or built.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Returns the images, in table order; each occurs once.
    pub fn images(&self) -> &[String] {
        &self.images
    }

    /// Returns the patient of each image.
    pub fn patients(&self) -> &[String] {
        &self.patients
    }

    /// Returns the findings, in table order.
    pub fn findings(&self) -> &[ScoredFinding] {
        &self.findings
    }

    /// Returns the finding of that name.
    pub fn finding(&self, name: &str) -> Option<&ScoredFinding> {
        self.findings.iter().find(|finding| finding.name == name)
    }

    /// Returns the other columns, in table order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the texts of another column by name, one per film.
    pub fn column(&self, name: &str) -> Option<&[String]> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        Some(&column.values)
    }

    /// Returns the split of all films, or `mixed: a, b` if they come from several.
    pub fn split(&self) -> Option<String> {
        self.single_value("split")
    }

    /// Returns the data set of all films, or `mixed: a, b` if they come from several.
    pub fn dataset(&self) -> Option<String> {
        self.single_value("dataset")
    }

    fn single_value(&self, name: &str) -> Option<String> {
        let mut distinct: Vec<&str> = Vec::new();
        for value in self.column(name)?.iter().map(|value| value.trim()) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        match distinct.as_slice() {
            [""] => None,
            [one] => Some((*one).to_owned()),
            several => {
                let names =
                    several.iter().map(|&name| if name.is_empty() { "(none)" } else { name });
                Some(format!("mixed: {}", names.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    pub(crate) fn with_findings(&self, findings: Vec<ScoredFinding>) -> Self {
        Self { findings, ..self.clone() }
    }

    /// Reorders the rows, with findings that are already in this order.
    pub(crate) fn reorder(&self, order: &[usize], findings: Vec<ScoredFinding>) -> Self {
        let pick = |texts: &[String]| order.iter().map(|&row| texts[row].clone()).collect();
        let column =
            |column: &Column| Column { name: column.name.clone(), values: pick(&column.values) };
        Self {
            origin: self.origin.clone(),
            images: pick(&self.images),
            patients: pick(&self.patients),
            columns: self.columns.iter().map(column).collect(),
            findings,
        }
    }

    pub(crate) fn set_column(&mut self, name: &str, values: Vec<String>) {
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => column.values = values,
            None => self.columns.push(Column { name: name.to_owned(), values }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(p: [f64; 3]) -> Result<Scores, Error> {
        let finding = ScoredFinding {
            name: "Mass".into(),
            probabilities: p.into(),
            labels: vec![Some(true), None, Some(false)],
        };
        let texts = |texts: [&str; 3]| texts.map(String::from).to_vec();
        Scores::new(texts(["a", "b", "c"]), texts(["1", "1", "2"]), vec![finding])
    }

    #[test]
    fn a_film_without_a_label_is_left_out_for_that_finding() {
        let scores = three([0.5, 0.25, 0.0]).unwrap();

        let known: Vec<_> = scores.findings()[0].labeled_films().collect();
        assert_eq!(known, [(0, 0.5, true), (2, 0.0, false)]);
    }

    #[test]
    fn a_logit_is_refused_with_the_line_it_would_stand_on() {
        let error = three([0.5, 2.25, 0.0]).unwrap_err().to_string();

        assert!(error.contains("line 3: `Mass` is 2.25"), "{error}");
        assert!(error.contains("was this a logit?"), "{error}");
    }

    #[test]
    fn a_model_in_f32_keeps_its_short_decimals() {
        let finding = ScoredFinding::from_f32("Mass", &[0.1, 1.0, 1e-9], vec![None; 3]);

        assert_eq!(finding.probabilities, [0.1, 1.0, 1e-9]);
    }

    #[test]
    fn several_splits_are_named_together() {
        let with = |texts: [&str; 3]| {
            let scores = three([0.5; 3]).unwrap();
            scores.with_column("split", texts.map(String::from).to_vec()).unwrap().split()
        };

        assert_eq!(with(["test", "test", "test"]).as_deref(), Some("test"));
        assert_eq!(with(["test", "", "valid"]).as_deref(), Some("mixed: test, (none), valid"));
        assert_eq!(with(["", "", ""]), None);
    }

    #[test]
    fn a_column_of_the_wrong_length_or_a_taken_name_is_refused() {
        let scores = three([0.5; 3]).unwrap();

        let error = scores.clone().with_column("age", vec!["1".into()]).unwrap_err().to_string();
        assert!(error.contains("`age` has 1 values for 3 images"), "{error}");
        let error = scores.with_column("Mass", vec![String::new(); 3]).unwrap_err().to_string();
        assert!(error.contains("`Mass` would be read as a finding"), "{error}");
    }
}

//! The films that a model's calibration and thresholds were fitted on, compared with those of a table.
//!
//! The column `split` of a table says which of its films are validation films, but a table can lose
//! the column, and films in files have none. A caller that knows the films lists
//! them here.

use std::collections::{HashMap, HashSet};

use crate::{Error, Scores, leakage};

/// Films that calibration and thresholds were fitted on, by name and patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FittedFilms {
    /// The data set in which patient numbers mean these patients.
    dataset: String,
    /// The patient of each film.
    films: HashMap<String, String>,
    patients: HashSet<String>,
}

impl FittedFilms {
    /// Lists films of a data set, each a name and a patient.
    pub fn new(
        dataset: impl Into<String>,
        films: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let films: HashMap<String, String> = films.into_iter().collect();
        let patients = films.values().cloned().collect();
        Self { dataset: dataset.into(), films, patients }
    }

    /// Refuses a table with any of these films or patients.
    ///
    /// A film with the name and the patient of one of these is that film, whatever its data set is
    /// called. A patient may be on both sides if the split of the row says `leaky`, and is another
    /// patient if the row names another data set.
    pub(super) fn refuse(&self, scores: &Scores) -> Result<(), Error> {
        let datasets = scores.column("dataset");
        let is_other = |row: usize| {
            let name = datasets.map_or("", |names| names[row].trim());
            !name.is_empty() && name != self.dataset
        };
        let (images, patients) = (scores.images(), scores.patients());
        let films = |row: &usize| self.films.get(&images[*row]) == Some(&patients[*row]);
        let of_patients = |row: &usize| {
            self.patients.contains(&patients[*row])
                && !is_other(*row)
                && !leakage::is_leaky(scores, *row)
        };
        let rows = |of: &dyn Fn(&usize) -> bool| (0..scores.len()).filter(of).collect::<Vec<_>>();
        let found = [("", rows(&films)), ("of patients of ", rows(&of_patients))];
        let Some((what, rows)) = found.into_iter().find(|(_, rows)| !rows.is_empty()) else {
            return Ok(());
        };
        Err(Error::FittedFilms {
            path: scores.origin().to_owned(),
            count: rows.len(),
            what,
            first: rows.into_iter().take(3).map(|row| images[row].clone()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    /// Three films of patients 1 and 2.
    fn table(dataset: &str, split: &str) -> Scores {
        let finding = ScoredFinding {
            name: "Mass".into(),
            probabilities: vec![0.2, 0.4, 0.6],
            labels: vec![Some(false), Some(true), None],
        };
        let images = ["1_0.png", "1_1.png", "2_0.png"].map(String::from).to_vec();
        let patients = ["1", "1", "2"].map(String::from).to_vec();
        Scores::new(images, patients, vec![finding])
            .and_then(|scores| scores.with_column("dataset", vec![dataset.into(); 3]))
            .and_then(|scores| scores.with_column("split", vec![split.into(); 3]))
            .unwrap()
    }

    fn refusal(films: &[(&str, &str)], dataset: &str, split: &str) -> Option<String> {
        let films = films.iter().map(|(film, patient)| ((*film).into(), (*patient).into()));
        let refused = FittedFilms::new("NIH", films).refuse(&table(dataset, split));
        refused.err().map(|error| error.to_string())
    }

    #[test]
    fn a_film_is_refused_whatever_its_data_set_and_split_are_called() {
        for (dataset, split) in [("NIH", ""), ("files", "test"), ("NIH", "by-image test, leaky")] {
            let refused = refusal(&[("1_1.png", "1"), ("9_0.png", "9")], dataset, split).unwrap();
            assert!(refused.contains("1 of its films are those that"), "{refused}");
            assert!(refused.contains("`1_1.png`"), "{refused}");
        }
        assert_eq!(refusal(&[("1_1.png", "7")], "NIH", ""), None, "another patient's film");
    }

    #[test]
    fn a_patient_is_refused_in_the_same_data_set_unless_the_split_is_leaky() {
        for dataset in ["NIH", ""] {
            let refused = refusal(&[("1_9.png", "1")], dataset, "official test").unwrap();
            assert!(refused.contains("2 of its films are of patients of those that"), "{refused}");
        }
        assert_eq!(refusal(&[("1_9.png", "1")], "NIH", "by-image test, leaky"), None);
        assert_eq!(refusal(&[("1_9.png", "1")], "MIMIC", "test"), None);
        assert_eq!(refusal(&[("8_0.png", "8")], "NIH", "test"), None);
    }
}

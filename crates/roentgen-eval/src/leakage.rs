//! Finds patients that a model was trained on in the table used to evaluate it.
//!
//! One patient on both sides raises AUROC by some hundredths without a trace in any metric. Such a
//! table is therefore refused, row by row, unless the split of the row says `leaky`; another split
//! in the same file that says so does not excuse the row. A film whose split is the training split
//! is refused in the same way, whether or not its patient is marked: the model may have come without
//! the list of its patients.

use std::collections::HashSet;

use serde::Serialize;

use crate::{
    Error, Scores,
    scores::parse_flag,
    split::{self, Split, rows_in, says_leaky},
};

/// The column that marks films of patients in the training split, 0 or 1.
const COLUMN: &str = "patient_in_training";

/// What the rows of a table say of the patients that the model was trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TrainingMarks {
    /// Number of films whose mark says whether their patient was trained on.
    pub known: usize,
    /// Number of films without a mark.
    pub unknown: usize,
    /// Number of patients marked as trained on.
    pub patients: usize,
}

impl TrainingMarks {
    /// Returns the number of patients that were trained on; `None` if any film has no mark.
    pub fn patients_in_training(&self) -> Option<usize> {
        (self.unknown == 0).then_some(self.patients)
    }
}

/// Refuses a table with films that a model was trained on, as `evaluate` does; returns what its rows
/// say of them.
///
/// # Errors
///
/// Returns an error if a film of training, or of a patient trained on, is not in a split that says
/// `leaky`, or if a mark is not 0, 1 or empty.
pub fn refuse_training(scores: &Scores) -> Result<TrainingMarks, Error> {
    let marks = training_marks(scores)?;
    films_in_training(scores)?;
    Ok(marks)
}

/// Counts the marks of the table and the patients that were trained on. A row without a mark is
/// unknown, whatever other rows say.
///
/// # Errors
///
/// Returns an error if a film of such a patient is not in a split that says `leaky`, or if a mark
/// is not 0 or 1.
pub(crate) fn training_marks(scores: &Scores) -> Result<TrainingMarks, Error> {
    let Some(marks) = scores.column(COLUMN) else {
        return Ok(TrainingMarks { unknown: scores.len(), ..TrainingMarks::default() });
    };
    let (mut unknown, mut trained, mut hidden) = (0, HashSet::new(), Vec::new());
    for (row, mark) in marks.iter().enumerate() {
        let patient = &scores.patients()[row];
        match read(scores, row, mark)? {
            None => unknown += 1,
            Some(false) => {}
            Some(true) => {
                trained.insert(patient);
                if !is_leaky(scores, row) && !hidden.contains(patient) {
                    hidden.push(patient.clone());
                }
            }
        }
    }
    if hidden.is_empty() {
        let known = scores.len() - unknown;
        return Ok(TrainingMarks { known, unknown, patients: trained.len() });
    }
    let count = hidden.len();
    hidden.truncate(3);
    Err(Error::Leak { path: scores.origin().to_owned(), count, first: hidden })
}

/// Reads the mark of a row.
fn read(scores: &Scores, row: usize, mark: &str) -> Result<Option<bool>, Error> {
    parse_flag(mark).ok_or_else(|| {
        let problem = format!("`{COLUMN}` is `{}`\nit must be 0, 1 or empty", mark.trim());
        Error::Row { path: scores.origin().to_owned(), line: row as u64 + 2, problem }
    })
}

/// Counts the films of the training split; returns `None` if the table names no split.
///
/// # Errors
///
/// Returns an error if such a film is not in a split that says `leaky`.
pub(crate) fn films_in_training(scores: &Scores) -> Result<Option<usize>, Error> {
    let Some(rows) = rows_in(scores, Split::Train) else { return Ok(None) };
    let text = |row: usize| scores.column(split::COLUMN).map_or("", |texts| texts[row].trim());
    let hidden: Vec<usize> = rows.iter().copied().filter(|&row| !says_leaky(text(row))).collect();
    match hidden.first() {
        None => Ok(Some(rows.len())),
        Some(&first) => Err(Error::TrainingFilms {
            path: scores.origin().to_owned(),
            count: hidden.len(),
            split: text(first).to_owned(),
            first: hidden.iter().take(3).map(|&row| scores.images()[row].clone()).collect(),
        }),
    }
}

/// Whether a row is marked as of a patient that was trained on; not if that is unknown.
pub(crate) fn is_leaked(scores: &Scores, row: usize) -> bool {
    scores.column(COLUMN).is_some_and(|marks| parse_flag(&marks[row]) == Some(Some(true)))
}

/// Whether a row has a mark that says whether its patient was trained on.
pub(crate) fn is_marked(scores: &Scores, row: usize) -> bool {
    scores.column(COLUMN).is_some_and(|marks| !marks[row].trim().is_empty())
}

/// Whether the split of a row says that it shares patients with training.
pub(crate) fn is_leaky(scores: &Scores, row: usize) -> bool {
    scores.column(split::COLUMN).is_some_and(|splits| says_leaky(&splits[row]))
}

/// Joins the marks of tables in the same order of films: 1 if any table says so, otherwise unknown
/// if any table does not know, otherwise 0.
///
/// # Errors
///
/// Returns an error if a mark is not 0, 1 or empty.
pub(crate) fn join(joined: &mut Scores, members: &[Scores]) -> Result<(), Error> {
    let tables: Vec<&Scores> = std::iter::once(&*joined).chain(members).collect();
    if tables.iter().all(|table| table.column(COLUMN).is_none()) {
        return Ok(());
    }
    let mut joint = Vec::with_capacity(joined.len());
    for row in 0..joined.len() {
        let marks: Vec<Option<bool>> = tables
            .iter()
            .map(|table| {
                let mark = table.column(COLUMN).map_or("", |marks| marks[row].as_str());
                read(table, row, mark)
            })
            .collect::<Result<_, _>>()?;
        let mark = if marks.contains(&Some(true)) {
            "1"
        } else if marks.contains(&None) {
            ""
        } else {
            "0"
        };
        joint.push(mark.to_owned());
    }
    joined.set_column(COLUMN, joint);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    fn table(marks: [&str; 4], splits: [&str; 4]) -> Scores {
        let texts = |texts: [&str; 4]| texts.map(String::from).to_vec();
        let finding = ScoredFinding {
            name: "A".into(),
            probabilities: vec![0.5; 4],
            labels: vec![Some(true); 4],
        };
        Scores::new(texts(["1", "2", "3", "4"]), texts(["p", "q", "r", "r"]), vec![finding])
            .and_then(|scores| scores.with_column(COLUMN, texts(marks)))
            .and_then(|scores| scores.with_column("split", texts(splits)))
            .unwrap()
    }

    #[test]
    fn patients_trained_on_are_refused_by_name() {
        let error = training_marks(&table(["1", "0", "1", "1"], ["test"; 4])).unwrap_err();

        let text = error.to_string();
        assert!(text.contains("2 of its patients were trained on (`p`, `r`)"), "{text}");
    }

    #[test]
    fn a_split_that_says_leaky_is_counted() {
        let leaky = table(["1", "0", "1", "1"], ["by-image test, Leaky"; 4]);

        assert_eq!(training_marks(&leaky).unwrap().patients_in_training(), Some(2));
    }

    #[test]
    fn marks_that_pandas_wrote_are_marks() {
        let error = training_marks(&table(["1.0", "0.0", "", "0.0"], ["test"; 4])).unwrap_err();
        assert!(error.to_string().contains("1 of its patients"), "{error}");

        let members = [["0.0", "1.0", "0.0", ""], ["0", "0", "0.0", "0"], ["0", "0.0", "", "1.0"]]
            .map(|marks| table(marks, ["by-image test, leaky"; 4]));
        let joined = crate::ensemble(&members, &crate::EnsembleRule::Mean).unwrap();
        assert_eq!(joined.column(COLUMN).unwrap(), ["0", "1", "", "1"]);
        let members = [["0"; 4], ["yes"; 4]].map(|marks| table(marks, ["test"; 4]));
        assert!(crate::ensemble(&members, &crate::EnsembleRule::Mean).is_err());
    }

    #[test]
    fn another_split_that_says_leaky_excuses_nothing() {
        let mixed = table(["0", "0", "1", "1"], ["leaky", "leaky", "test", "test"]);

        assert!(training_marks(&mixed).is_err());
    }

    #[test]
    fn one_mark_does_not_speak_for_the_other_rows() {
        for (marks, known, patients) in
            [(["0", "", "", ""], 1, 0), (["1", "0", " ", "1"], 3, 2), (["", "", "", "1"], 1, 1)]
        {
            let marks = training_marks(&table(marks, ["by-image test, leaky"; 4])).unwrap();
            assert_eq!(marks, TrainingMarks { known, unknown: 4 - known, patients });
            assert_eq!(marks.patients_in_training(), None);
        }
    }

    #[test]
    fn a_table_that_does_not_say_has_no_count() {
        let count = |marks| {
            training_marks(&table(marks, ["test"; 4])).map(|marks| marks.patients_in_training())
        };

        assert_eq!(count([""; 4]).unwrap(), None);
        assert_eq!(count(["0"; 4]).unwrap(), Some(0));
        assert!(count(["yes", "0", "0", "0"]).is_err());
    }

    /// The answer that a table must get, by what its rows say of split and patient.
    #[test]
    fn every_pair_of_split_and_mark_has_its_answer() {
        use crate::{BootstrapOptions, WeightScope, evaluate, fit};

        // Split, mark, whether `evaluate` accepts it, whether weights may be fitted to it.
        let matrix = [
            ("official train", "1", false, false),
            ("official train", "0", false, false),
            ("official train", "", false, false),
            ("by-image train, leaky", "1", true, false),
            ("by-image train, leaky", "", true, false),
            ("official valid", "1", false, false),
            ("official valid", "0", true, true),
            ("official valid", "", true, true),
            ("by-image valid, leaky", "1", true, true),
            ("official test", "1", false, false),
            ("official test", "0", true, true),
            ("official test", "", true, true),
            ("none", "1", false, false),
            ("none", "", true, true),
            ("", "1", false, false),
            ("", "0", true, true),
            ("", "", true, true),
        ];

        for (split, mark, is_evaluated, is_fitted) in matrix {
            let table = table([mark; 4], [split; 4]);
            let evaluated = evaluate(&table, &BootstrapOptions { resamples: 2, seed: 1 });
            assert_eq!(evaluated.is_ok(), is_evaluated, "evaluate: {split:?}, {mark:?}");
            let fitted = fit(&[table.clone(), table], WeightScope::Model);
            assert_eq!(fitted.is_ok(), is_fitted, "fit: {split:?}, {mark:?}");
        }
    }
}

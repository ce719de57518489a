//! Finds patients that a model was trained on in the table used to evaluate it.
//!
//! One patient on both sides raises AUROC by some hundredths without a trace in any metric. Such a
//! table is therefore refused, row by row, unless the split of the row says `leaky`; another split
//! in the same file that says so does not excuse the row. A film whose split is the training split
//! is refused in the same way, whether or not its patient is marked: the model may have come without
//! the list of its patients.

use std::collections::HashSet;

use crate::{
    Error, Scores,
    split::{self, Split, rows_in},
};

/// The column that marks films of patients in the training split, 0 or 1.
const COLUMN: &str = "patient_in_training";

/// Counts the patients of the table that were trained on; returns `None` if the table does not say.
///
/// # Errors
///
/// Returns an error if a film of such a patient is not in a split that says `leaky`, or if a mark
/// is not 0 or 1.
pub(crate) fn patients_in_training(scores: &Scores) -> Result<Option<usize>, Error> {
    let Some(marks) = scores.column(COLUMN) else {
        return Ok(None);
    };
    if marks.iter().all(|mark| mark.trim().is_empty()) {
        return Ok(None);
    }
    let splits = scores.column(split::COLUMN);

    let (mut trained, mut hidden) = (HashSet::new(), Vec::new());
    for (row, mark) in marks.iter().enumerate() {
        let patient = &scores.patients()[row];
        match mark.trim() {
            "" | "0" => continue,
            "1" => trained.insert(patient),
            other => {
                let problem = format!("`{COLUMN}` is `{other}`\nit must be 0, 1 or empty");
                let path = scores.origin().to_owned();
                return Err(Error::Row { path, line: row as u64 + 2, problem });
            }
        };
        let said = splits.is_some_and(|splits| says_leaky(&splits[row]));
        if !said && !hidden.contains(patient) {
            hidden.push(patient.clone());
        }
    }
    if hidden.is_empty() {
        return Ok(Some(trained.len()));
    }
    let count = hidden.len();
    hidden.truncate(3);
    Err(Error::Leak { path: scores.origin().to_owned(), count, first: hidden })
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

/// Whether the table says of any film whether its patient was trained on.
pub(crate) fn has_marks(scores: &Scores) -> bool {
    scores.column(COLUMN).is_some_and(|marks| marks.iter().any(|mark| !mark.trim().is_empty()))
}

/// Whether the name of a split says that it shares patients with training.
pub(crate) fn says_leaky(split: &str) -> bool {
    split.to_lowercase().contains("leaky")
}

/// Joins the marks of tables in the same order of films: 1 if any table says so, otherwise unknown
/// if any table does not know, otherwise 0.
pub(crate) fn join(joined: &mut Scores, members: &[Scores]) {
    let own = joined.column(COLUMN).map(<[String]>::to_vec);
    if own.is_none() && members.iter().all(|member| member.column(COLUMN).is_none()) {
        return;
    }
    let unknown = vec![String::new(); joined.len()];
    let mut all = vec![own.as_deref().unwrap_or(&unknown)];
    all.extend(members.iter().map(|member| member.column(COLUMN).unwrap_or(&unknown)));
    let marks = (0..joined.len()).map(|row| {
        let marks = || all.iter().map(|column| column[row].trim());
        let known = marks().all(|mark| !mark.is_empty());
        let highest = if marks().any(|mark| mark == "1") { "1" } else { "0" };
        if known || highest == "1" { highest.to_owned() } else { String::new() }
    });
    let marks = marks.collect();
    joined.set_column(COLUMN, marks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Finding;

    fn table(marks: [&str; 4], splits: [&str; 4]) -> Scores {
        let texts = |texts: [&str; 4]| texts.map(String::from).to_vec();
        let finding =
            Finding { name: "A".into(), probabilities: vec![0.5; 4], truths: vec![Some(true); 4] };
        Scores::new(texts(["1", "2", "3", "4"]), texts(["p", "q", "r", "r"]), vec![finding])
            .and_then(|scores| scores.with_column(COLUMN, texts(marks)))
            .and_then(|scores| scores.with_column("split", texts(splits)))
            .unwrap()
    }

    #[test]
    fn patients_trained_on_are_refused_by_name() {
        let error = patients_in_training(&table(["1", "0", "1", "1"], ["test"; 4])).unwrap_err();

        let text = error.to_string();
        assert!(text.contains("2 of its patients were trained on (`p`, `r`)"), "{text}");
    }

    #[test]
    fn a_split_that_says_leaky_is_counted() {
        let leaky = table(["1", "", "1", "1"], ["by-image test, Leaky"; 4]);

        assert_eq!(patients_in_training(&leaky).unwrap(), Some(2));
    }

    #[test]
    fn another_split_that_says_leaky_excuses_nothing() {
        let mixed = table(["0", "0", "1", "1"], ["leaky", "leaky", "test", "test"]);

        assert!(patients_in_training(&mixed).is_err());
    }

    #[test]
    fn a_table_that_does_not_say_has_no_count() {
        assert_eq!(patients_in_training(&table([""; 4], ["test"; 4])).unwrap(), None);
        assert_eq!(patients_in_training(&table(["0"; 4], ["test"; 4])).unwrap(), Some(0));
        assert!(patients_in_training(&table(["yes", "0", "0", "0"], ["test"; 4])).is_err());
    }

    /// The answer that a table must get, by what its rows say of split and patient.
    #[test]
    fn every_pair_of_split_and_mark_has_its_answer() {
        use crate::{Options, Per, evaluate, fit};

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
            let evaluated = evaluate(&table, &Options { resamples: 2, seed: 1 });
            assert_eq!(evaluated.is_ok(), is_evaluated, "evaluate: {split:?}, {mark:?}");
            let fitted = fit(&[table.clone(), table], Per::Model);
            assert_eq!(fitted.is_ok(), is_fitted, "fit: {split:?}, {mark:?}");
        }
    }
}

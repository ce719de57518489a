//! Checks that the tables to fit weights on and the tables to apply them to belong together.
//!
//! Weights say how much a model is worth, so each must be applied to the model that it was fitted
//! to, and none may be fitted on films that a member was trained on: such a member looks better
//! than it is.

use std::collections::{HashMap, HashSet};

use crate::{
    Error, Scores, leakage,
    split::{self, Split, rows_in},
};

/// Refuses tables that weights must not be fitted on or applied to, and returns a note for each
/// thing that the tables do not say.
///
/// # Errors
///
/// Returns an error if the two sides do not have the same models in the same order, if a film to
/// fit on was trained on, or under the conditions of [`refuse_shared_films`].
pub fn check_members(fitted: &[Scores], applied: &[Scores]) -> Result<Vec<String>, Error> {
    refuse_training_films(fitted)?;
    let mut notes = match_models(fitted, applied)?;
    refuse_shared_films(fitted, applied)?;
    for table in fitted {
        let unknown = (0..table.len()).filter(|&row| !says_of_training(table, row)).count();
        if unknown > 0 {
            notes.push(format!(
                "`{}` does not say whether its model was trained on {unknown} of its {} films: \
                 they have neither `split` nor `patient_in_training`",
                table.origin().display(),
                table.len()
            ));
        }
    }
    Ok(notes)
}

/// Whether a row says if the model was trained on its film, by its split or by its mark.
fn says_of_training(table: &Scores, row: usize) -> bool {
    let split = table.column(split::COLUMN).map_or("", |cells| cells[row].trim());
    Split::of(split).is_some() || split == "none" || leakage::is_marked(table, row)
}

/// Refuses tables with films that the model was trained on.
///
/// A film of the training split is refused even if the split is named as leaky: its patients may be
/// on both sides then, but the film itself is not one to choose weights by.
pub(crate) fn refuse_training_films(tables: &[Scores]) -> Result<(), Error> {
    for table in tables {
        if let Some(rows) = rows_in(table, Split::Train).filter(|rows| !rows.is_empty()) {
            let first = rows.iter().take(3).map(|&row| table.images()[row].clone()).collect();
            return Err(Error::FitOnTraining {
                path: table.origin().to_owned(),
                count: rows.len(),
                what: "films are of the training split",
                first,
            });
        }
        leakage::training_marks(table).map_err(|error| match error {
            Error::Leak { path, count, first } => {
                Error::FitOnTraining { path, count, what: "patients were trained on", first }
            }
            error => error,
        })?;
    }
    Ok(())
}

/// Refuses members that are not the same models on both sides, in the same order.
fn match_models(fitted: &[Scores], applied: &[Scores]) -> Result<Vec<String>, Error> {
    if fitted.len() != applied.len() {
        return Err(Error::Weights {
            problem: format!(
                "{} tables to fit on but {} to apply to\ngive one of each for each member, in the \
                 same order",
                fitted.len(),
                applied.len()
            ),
        });
    }
    let mut notes = Vec::new();
    for (number, (own, other)) in (1..).zip(fitted.iter().zip(applied)) {
        let (fit, apply) = (own.origin().display(), other.origin().display());
        match (own.model(), other.model()) {
            (Some(one), Some(two)) if one == two => {}
            (Some(one), Some(two)) => {
                return Err(Error::Join {
                    path: other.origin().to_owned(),
                    problem: format!(
                        "member {number} is model `{two}` here, but its weight is fitted to model \
                         `{one}` in `{fit}`\ngive both lists of tables in the same order of models"
                    ),
                });
            }
            (one, two) => {
                let unknown = match (one.is_none(), two.is_none()) {
                    (true, true) => format!("`{fit}` and `{apply}` do"),
                    (true, false) => format!("`{fit}` does"),
                    (false, _) => format!("`{apply}` does"),
                };
                notes.push(format!(
                    "{unknown} not say which model predicted it, so it was not checked that \
                     member {number} is the same in both"
                ));
            }
        }
    }
    Ok(notes)
}

/// Refuses tables for fitting and tables for evaluation that share films, or that share patients
/// unless the split of each film of such a patient says `leaky`.
///
/// # Errors
///
/// Returns an error that names the first film or patient on both sides.
pub fn refuse_shared_films(learned: &[Scores], measured: &[Scores]) -> Result<(), Error> {
    let films: HashSet<&String> = learned.iter().flat_map(|table| table.images()).collect();
    // Patients to fit on, and whether all of their films are of leaky splits.
    let mut patients: HashMap<&String, bool> = HashMap::new();
    for table in learned {
        for (row, patient) in table.patients().iter().enumerate() {
            *patients.entry(patient).or_insert(true) &= leakage::is_leaky(table, row);
        }
    }
    for table in measured {
        let shared = |what: &str, name: &str| Error::Join {
            path: table.origin().to_owned(),
            problem: format!(
                "{what} `{name}` is also in the tables that are fitted to\nfit to validation films, \
                 evaluate on test films"
            ),
        };
        if let Some(film) = table.images().iter().find(|film| films.contains(film)) {
            return Err(shared("film", film));
        }
        let is_shared = |row: usize| {
            let fitted = patients.get(&table.patients()[row]);
            fitted.is_some_and(|&all_leaky| !all_leaky || !leakage::is_leaky(table, row))
        };
        if let Some(row) = (0..table.len()).find(|&row| is_shared(row)) {
            return Err(shared("patient", &table.patients()[row]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    /// Three members that predicted these films, with these models; an empty model is unknown.
    fn members(films: &str, models: [&str; 3], split: &str) -> Vec<Scores> {
        let member = |model: &&str| {
            let texts = |of: &dyn Fn(usize) -> String| (0..4).map(of).collect::<Vec<_>>();
            let finding = ScoredFinding {
                name: "Mass".into(),
                probabilities: vec![0.2, 0.4, 0.6, 0.8],
                labels: vec![Some(false), Some(true), Some(false), Some(true)],
            };
            Scores::new(
                texts(&|i| format!("i{films}{i}")),
                texts(&|i| format!("p{films}{i}")),
                vec![finding],
            )
            .and_then(|scores| scores.with_column("model", texts(&|_| (*model).to_owned())))
            .and_then(|scores| scores.with_column("split", texts(&|_| split.to_owned())))
            .unwrap()
        };
        models.iter().map(member).collect()
    }

    const MODELS: [&str; 3] = ["a1", "b2", "c3"];

    fn check(models: [&str; 3], others: [&str; 3]) -> Result<Vec<String>, String> {
        let valid = members("v", models, "official valid");
        let test = members("t", others, "official test");
        check_members(&valid, &test).map_err(|error| error.to_string())
    }

    #[test]
    fn members_are_matched_by_model() {
        assert_eq!(check(MODELS, MODELS), Ok(vec![]));
        let error = check(MODELS, ["a1", "c3", "b2"]).unwrap_err();
        assert!(error.contains("member 2 is model `c3` here"), "{error}");
        assert!(error.contains("fitted to model `b2`"), "{error}");
        let error = check(MODELS, ["a1", "b2", "d4"]).unwrap_err();
        assert!(error.contains("member 3 is model `d4`"), "{error}");
    }

    #[test]
    fn an_unknown_model_is_accepted_with_a_note() {
        let notes = check(["a1", "", "c3"], MODELS).unwrap();

        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("member 2 is the same in both"), "{notes:?}");
        assert_eq!(check(["a1", "", ""], ["", "", "c3"]).unwrap().len(), 3);
    }

    #[test]
    fn lists_of_other_lengths_are_refused() {
        let (valid, test) = (members("v", MODELS, ""), members("t", MODELS, ""));

        let error = check_members(&valid, &test[..2]).unwrap_err().to_string();
        assert!(error.contains("3 tables to fit on but 2 to apply to"), "{error}");
    }

    #[test]
    fn tables_that_do_not_say_what_was_trained_on_have_a_note() {
        let notes =
            check_members(&members("v", MODELS, ""), &members("t", MODELS, "official test"));

        let notes = notes.unwrap();
        assert_eq!(notes.len(), 3);
        assert!(notes[0].contains("was trained on 4 of its 4 films"), "{notes:?}");
    }

    #[test]
    fn a_split_of_one_film_does_not_speak_for_the_others() {
        let mut valid = members("v", MODELS, "official valid");
        let cells = |cells: [&str; 4]| cells.map(String::from).to_vec();
        valid[0].set_column("split", cells(["official valid", "", "fold 3", "none"]));
        valid[1].set_column("split", cells(["", "", "valid", "valid"]));
        valid[1].set_column("patient_in_training", cells(["0", "", "", ""]));

        let notes = check_members(&valid, &members("t", MODELS, "official test")).unwrap();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("trained on 2 of its 4 films"), "{notes:?}");
        assert!(notes[1].contains("trained on 1 of its 4 films"), "{notes:?}");
    }

    #[test]
    fn a_shared_patient_needs_a_leaky_split_on_each_of_its_films() {
        let cells = |cells: [&str; 4]| cells.map(String::from).to_vec();
        // Films of the patients a, a, b, c to fit on, and of a, a, d, e to evaluate.
        let table = |films: &str, patients: [&str; 4], splits: [&str; 4]| {
            let table = &members(films, MODELS, "")[0];
            let images = table.images().to_vec();
            Scores::new(images, cells(patients), table.findings().to_vec())
                .and_then(|scores| scores.with_column("split", cells(splits)))
                .unwrap()
        };
        let check = |fitted: [&str; 4], measured: [&str; 4]| {
            let fitted = table("v", ["a", "a", "b", "c"], fitted);
            let measured = table("t", ["a", "a", "d", "e"], measured);
            refuse_shared_films(&[fitted], &[measured]).map_err(|error| error.to_string())
        };
        let leaky = "by-image valid, leaky";

        assert_eq!(check([leaky, leaky, "valid", ""], [leaky, leaky, "test", ""]), Ok(()));
        for (fitted, measured) in [
            ([leaky, "valid", leaky, leaky], [leaky; 4]),
            ([leaky; 4], [leaky, "test", leaky, leaky]),
            ([leaky, "", "", ""], ["test", "test", leaky, leaky]),
        ] {
            let error = check(fitted, measured).unwrap_err();
            assert!(error.contains("patient `a`"), "{error}");
        }
    }

    #[test]
    fn training_films_are_refused_for_fitting() {
        let train = members("v", MODELS, "official train");
        let test = members("t", MODELS, "official test");

        let error = check_members(&train, &test).unwrap_err().to_string();
        assert!(error.contains("could not fit to"), "{error}");
        assert!(error.contains("4 films are of the training split"), "{error}");
    }

    #[test]
    fn films_and_patients_on_both_sides_are_refused() {
        let (valid, test) = (members("v", MODELS, ""), members("t", MODELS, ""));

        assert!(refuse_shared_films(&valid, &test).is_ok());
        let error = refuse_shared_films(&valid, &valid[..1]).unwrap_err().to_string();
        assert!(error.contains("film `iv0` is also in the tables"), "{error}");
        let images = test[0].images().to_vec();
        let moved =
            Scores::new(images, valid[0].patients().to_vec(), test[0].findings().to_vec()).unwrap();
        let error = refuse_shared_films(&valid, &[moved]).unwrap_err().to_string();
        assert!(error.contains("patient `pv0`"), "{error}");
    }
}

//! Cross-validation: divides the patients of training and validation in folds.
//!
//! Validation is one fold and training is all the others. Test films are those of the split without
//! folds. Folds count from 0, as in scikit-learn and nnU-Net.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::{BY_PATIENT_TEST, Error, Split, SplitRule, cut_by_patient, official};
use crate::manifest::ManifestRow;

/// One fold of a cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Number of the fold that is for validation, from 0.
    pub number: usize,
    /// Number of folds.
    pub of: usize,
}

/// Splits films like [`divide`](super::divide), with one fold of the patients for validation.
///
/// Each patient, in an order by seed, goes to the fold that has the fewest films so far, so folds
/// differ in films by at most those of one patient.
///
/// # Errors
///
/// Returns an error if the rule divides films instead of patients, if there is no such fold or
/// there are fewer patients than folds, or if official lists are needed and absent.
pub(crate) fn divide_in_folds(
    rows: &[ManifestRow],
    rule: SplitRule,
    fold: Fold,
    seed: u64,
) -> Result<Vec<Option<Split>>, Error> {
    if fold.of < 2 || fold.number >= fold.of {
        return Err(Error::NoSuchFold { number: fold.number, of: fold.of });
    }
    let mut sides = match rule {
        SplitRule::Official => official(rows)?,
        SplitRule::ByPatient => {
            let all: Vec<usize> = (0..rows.len()).collect();
            let test = &cut_by_patient(rows, &all, &[BY_PATIENT_TEST], seed)[0];
            let mut sides = vec![Some(Split::Train); rows.len()];
            test.iter().for_each(|&index| sides[index] = Some(Split::Test));
            sides
        }
        SplitRule::ByImage => return Err(Error::FoldsByImage),
    };
    let is_divided = |side: Option<Split>| matches!(side, Some(Split::Train | Split::Valid));
    let mut films: BTreeMap<u32, usize> = BTreeMap::new();
    for (row, _) in rows.iter().zip(&sides).filter(|(_, side)| is_divided(**side)) {
        *films.entry(row.patient).or_default() += 1;
    }
    if films.len() < fold.of {
        return Err(Error::FewPatients { patients: films.len(), folds: fold.of });
    }
    let fold_of = folds(&films, fold.of, seed);
    for (row, side) in rows.iter().zip(&mut sides).filter(|(_, side)| is_divided(**side)) {
        let is_valid = fold_of[&row.patient] == fold.number;
        *side = Some(if is_valid { Split::Valid } else { Split::Train });
    }
    Ok(sides)
}

/// Returns the fold of each patient, given the number of films of each.
fn folds(films: &BTreeMap<u32, usize>, count: usize, seed: u64) -> BTreeMap<u32, usize> {
    let mut patients: Vec<u32> = films.keys().copied().collect();
    patients.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    // Fewest films first, then fewest patients, then the lowest number.
    let mut sizes = std::collections::BTreeSet::from_iter((0..count).map(|fold| (0, 0, fold)));
    let mut fold_of = BTreeMap::new();
    for patient in patients {
        let Some((of_films, of_patients, fold)) = sizes.pop_first() else { break };
        fold_of.insert(patient, fold);
        sizes.insert((of_films + films[&patient], of_patients + 1, fold));
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::finding::FilmFindings;
    use crate::manifest::List;
    use crate::split::{divide, patients_on_both_sides};

    /// Patients with one to four films each; every fourth patient is on the test list.
    fn rows(patients: u32) -> Vec<ManifestRow> {
        let films = (0..patients).flat_map(|patient| (0..=patient % 4).map(move |n| (patient, n)));
        films
            .map(|(patient, follow_up)| ManifestRow {
                image: format!("{patient}_{follow_up}.png"),
                patient,
                follow_up,
                age: None,
                sex: "F".into(),
                view: "PA".into(),
                findings: FilmFindings::parse("No Finding").unwrap(),
                list: Some(match patient % 4 {
                    0 => List::Test,
                    1 => List::Valid,
                    _ => List::TrainVal,
                }),
                file_size: [1024, 1024],
            })
            .collect()
    }

    fn with(rows: &[ManifestRow], rule: SplitRule, number: usize) -> Vec<Option<Split>> {
        divide_in_folds(rows, rule, Fold { number, of: 5 }, 3).unwrap()
    }

    #[test]
    fn each_film_is_validated_in_one_fold_and_test_films_stay_test_films() {
        let rows = rows(90);
        for rule in [SplitRule::Official, SplitRule::ByPatient] {
            let whole = divide(&rows, rule, 3).unwrap();
            let folds: Vec<_> = (0..5).map(|number| with(&rows, rule, number)).collect();
            for (film, side) in whole.iter().enumerate() {
                let valid = folds.iter().filter(|fold| fold[film] == Some(Split::Valid)).count();
                let test = folds.iter().filter(|fold| fold[film] == Some(Split::Test)).count();
                let expected = if *side == Some(Split::Test) { (0, 5) } else { (1, 0) };
                assert_eq!((valid, test), expected, "{rule:?}, film {film}");
            }
        }
    }

    #[test]
    fn folds_share_no_patient_and_differ_by_a_patients_films_at_most() {
        let rows = rows(90);
        let films = |number| {
            let sides = with(&rows, SplitRule::ByPatient, number);
            let patients = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
            assert_eq!(patients_on_both_sides(patients), BTreeSet::new());
            sides.iter().filter(|side| **side == Some(Split::Valid)).count()
        };
        let films: Vec<usize> = (0..5).map(films).collect();
        let [least, most] = [films.iter().min().unwrap(), films.iter().max().unwrap()];

        assert!(most - least <= 4, "{films:?}");
    }

    #[test]
    fn the_seed_decides_which_patients_are_in_a_fold() {
        let rows = rows(60);
        let fold = Fold { number: 1, of: 3 };
        let sides = |seed| divide_in_folds(&rows, SplitRule::Official, fold, seed).unwrap();

        assert_eq!(sides(1), sides(1));
        assert_ne!(sides(1), sides(2));
    }

    #[test]
    fn folds_that_cannot_be_are_refused() {
        let rows = rows(8);
        let refused = |rule, number, of| {
            divide_in_folds(&rows, rule, Fold { number, of }, 1).unwrap_err().to_string()
        };

        assert!(refused(SplitRule::Official, 5, 5).contains("fold 5 of 5"));
        assert!(refused(SplitRule::Official, 0, 1).contains("fold 0 of 1"));
        assert!(refused(SplitRule::Official, 0, 7).contains("6 patients"));
        assert!(refused(SplitRule::ByImage, 0, 5).contains("by-image"));
    }
}

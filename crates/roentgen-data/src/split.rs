//! Assigns films to training, validation and test.
//!
//! Films of one patient look alike, so a patient on both sides of a split makes a network look
//! better than it is: by 0.03 of mean AUROC, measured on NIH. NIH's official lists share no
//! patient; the 2019 study's split by film does, and its name says so.

mod folds;

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::manifest::{List, ManifestRow};

pub use folds::Fold;
pub(crate) use folds::divide_in_folds;

/// A split: the films for one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Films to train on.
    Train,
    /// Films that decide when to stop, which epoch is best, and where thresholds are.
    Valid,
    /// Films to evaluate on once.
    Test,
}

impl Split {
    /// Returns the name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Valid => "valid",
            Split::Test => "test",
        }
    }
}

/// How films are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitRule {
    /// The data set's own lists. NIH's have no validation list, so one is cut from them by patient.
    Official,
    /// Whole patients at random: test gets up to 20 % of the films, validation up to 10 %, and
    /// training the rest (Wang's proportions).
    ByPatient,
    /// The 2019 study's split: a quarter of the *films* is for validation, and patients are on both
    /// sides. There is no test set; the study reported results on its validation films.
    ByImage,
}

impl SplitRule {
    /// Returns the name used in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            SplitRule::Official => "official",
            SplitRule::ByPatient => "by-patient",
            SplitRule::ByImage => "by-image",
        }
    }
}

/// Share of the films in `train_val_list.txt` used for validation in [`SplitRule::Official`].
const OFFICIAL_VALID: f64 = 0.125;
/// Share of the films used for validation in [`SplitRule::ByPatient`].
const BY_PATIENT_VALID: f64 = 0.1;
/// Share of the films used for testing in [`SplitRule::ByPatient`].
const BY_PATIENT_TEST: f64 = 0.2;

/// Why films could not be split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data set has no official lists.
    #[error(
        "the data set has no official lists, so `split = \"official\"` is not possible; put \
         `train_val_list.txt` and `test_list.txt` into the folder of films and prepare it again, \
         or set `split = \"by-patient\"`"
    )]
    NoLists,
    /// Patients have films on both sides.
    #[error(
        "{count} patients are on both sides of the split (patient {names}), so its results would \
         be too optimistic; use the official lists or `split = \"by-patient\"`, or set \
         `leaky = true` in the experiment to accept this and have every table say so"
    )]
    Leaky {
        /// Number of patients.
        count: usize,
        /// The numbers of the first few.
        names: String,
    },
    /// The fold does not exist.
    #[error("fold {number} of {of} does not exist; use at least 2 folds, and count them from 0")]
    NoSuchFold {
        /// Number of the fold.
        number: usize,
        /// Number of folds.
        of: usize,
    },
    /// There are fewer patients than folds.
    #[error(
        "{patients} patients for training and validation cannot be divided in {folds} folds; use \
         fewer folds or more films"
    )]
    FewPatients {
        /// Number of patients.
        patients: usize,
        /// Number of folds.
        folds: usize,
    },
    /// Folds are of patients, but the rule divides films.
    #[error(
        "folds divide patients, but `split = \"by-image\"` divides films; use \
         `split = \"official\"` or `split = \"by-patient\"`"
    )]
    FoldsByImage,
}

/// Splits films: returns one entry per row, `None` for a film in no split.
///
/// The same rows, rule and seed give the same result.
///
/// # Errors
///
/// Returns an error if `rule` is [`SplitRule::Official`] and the data set has no official lists.
pub fn divide(
    rows: &[ManifestRow],
    rule: SplitRule,
    seed: u64,
) -> Result<Vec<Option<Split>>, Error> {
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut sides = vec![None; rows.len()];
    match rule {
        SplitRule::Official => {
            sides = official(rows)?;
            let uncut = |index: &usize| rows[*index].list == Some(List::TrainVal);
            let train_val: Vec<usize> = all.into_iter().filter(uncut).collect();
            let valid = cut_by_patient(rows, &train_val, &[OFFICIAL_VALID], seed);
            valid[0].iter().for_each(|&index| sides[index] = Some(Split::Valid));
        }
        SplitRule::ByPatient => {
            let cut = cut_by_patient(rows, &all, &[BY_PATIENT_TEST, BY_PATIENT_VALID], seed);
            sides.fill(Some(Split::Train));
            cut[0].iter().for_each(|&index| sides[index] = Some(Split::Test));
            cut[1].iter().for_each(|&index| sides[index] = Some(Split::Valid));
        }
        SplitRule::ByImage => {
            sides.fill(Some(Split::Train));
            for index in quarter_by_stratum(rows, &all, seed) {
                sides[index] = Some(Split::Valid);
            }
        }
    }
    Ok(sides)
}

/// Returns the splits of the data set's own lists, with all of `train_val_list.txt` for training.
fn official(rows: &[ManifestRow]) -> Result<Vec<Option<Split>>, Error> {
    if rows.iter().all(|row| row.list.is_none()) {
        return Err(Error::NoLists);
    }
    let given = |list| match list {
        List::TrainVal | List::Train => Split::Train,
        List::Valid => Split::Valid,
        List::Test => Split::Test,
    };
    Ok(rows.iter().map(|row| row.list.map(given)).collect())
}

/// Takes whole patients at random, as many as fit, so that no share of the films is exceeded.
fn cut_by_patient(
    rows: &[ManifestRow],
    of: &[usize],
    shares: &[f64],
    seed: u64,
) -> Vec<Vec<usize>> {
    let mut films: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for &index in of {
        films.entry(rows[index].patient).or_default().push(index);
    }
    let mut patients: Vec<u32> = films.keys().copied().collect();
    patients.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut left = patients.into_iter().collect::<Vec<_>>();
    shares
        .iter()
        .map(|share| {
            let wanted = (share * of.len() as f64).round() as usize;
            let mut taken = Vec::new();
            left.retain(|patient| {
                let films = &films[patient];
                let takes = taken.len() + films.len() <= wanted;
                if takes {
                    taken.extend_from_slice(films);
                }
                !takes
            });
            taken
        })
        .collect()
}

/// Takes a quarter of the films of each stratum; a stratum is the first four letters of the labels.
fn quarter_by_stratum(rows: &[ManifestRow], of: &[usize], seed: u64) -> Vec<usize> {
    let mut strata: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &index in of {
        let findings = rows[index].findings;
        let labels = if findings.is_empty() { String::new() } else { findings.to_string() };
        strata.entry(labels.chars().take(4).collect()).or_default().push(index);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut valid = Vec::new();
    for films in strata.values_mut() {
        films.shuffle(&mut random);
        let quarter = (films.len() as f64 / 4.0).round() as usize;
        valid.extend_from_slice(&films[..quarter]);
    }
    valid
}

/// Returns the patients with films in more than one split, in order.
pub fn patients_on_both_sides(
    films: impl IntoIterator<Item = (u32, Option<Split>)>,
) -> BTreeSet<u32> {
    let mut sides: BTreeMap<u32, BTreeSet<Split>> = BTreeMap::new();
    for (patient, side) in films {
        sides.entry(patient).or_default().extend(side);
    }
    sides.into_iter().filter(|(_, sides)| sides.len() > 1).map(|(patient, _)| patient).collect()
}

/// Refuses a split with patients on both sides.
///
/// # Errors
///
/// Returns an error with the number of patients and the first few of their numbers.
pub(crate) fn refuse_leak(patients: &BTreeSet<u32>) -> Result<(), Error> {
    if patients.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = patients.iter().take(3).map(u32::to_string).collect();
    if patients.len() > 3 {
        names.push("...".to_owned());
    }
    Err(Error::Leaky { count: patients.len(), names: names.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FilmFindings;

    /// Patients 0, 1, 2, ... with 1, 2, 3, 4, 1, 2, ... films; every fourth patient is on the test
    /// list.
    pub(crate) fn rows(patients: u32) -> Vec<ManifestRow> {
        (0..patients)
            .flat_map(|patient| (0..=patient % 4).map(move |film| (patient, film)))
            .map(|(patient, film)| ManifestRow {
                image: format!("{patient:08}_{film:03}.png"),
                patient,
                follow_up: film,
                age: Some(50),
                sex: "M".into(),
                view: "PA".into(),
                findings: FilmFindings::parse(if film == 1 { "Mass|Nodule" } else { "No Finding" })
                    .unwrap(),
                list: Some(if patient % 4 == 3 { List::Test } else { List::TrainVal }),
                file_size: [1024, 1024],
            })
            .collect()
    }

    fn overlap(rows: &[ManifestRow], sides: &[Option<Split>]) -> usize {
        let films = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
        patients_on_both_sides(films).len()
    }

    #[test]
    fn official_and_by_patient_share_no_patient_and_reach_their_shares() {
        let rows = rows(400);
        let official = divide(&rows, SplitRule::Official, 1).unwrap();
        let by_patient = divide(&rows, SplitRule::ByPatient, 1).unwrap();
        let share = |sides: &[Option<Split>], side| {
            sides.iter().filter(|&&s| s == Some(side)).count() as f64 / rows.len() as f64
        };

        assert_eq!(overlap(&rows, &official), 0);
        assert_eq!(overlap(&rows, &by_patient), 0);
        assert!((share(&official, Split::Valid) - 0.125 * 0.6).abs() < 0.005);
        assert!((share(&by_patient, Split::Test) - 0.2).abs() < 0.005);
        assert!((share(&by_patient, Split::Valid) - 0.1).abs() < 0.005);
    }

    #[test]
    fn the_seed_decides_and_another_seed_differs() {
        let rows = rows(100);

        assert_eq!(
            divide(&rows, SplitRule::ByPatient, 1).unwrap(),
            divide(&rows, SplitRule::ByPatient, 1).unwrap()
        );
        assert_ne!(
            divide(&rows, SplitRule::ByPatient, 1).unwrap(),
            divide(&rows, SplitRule::ByPatient, 2).unwrap()
        );
    }

    #[test]
    fn the_split_by_film_keeps_the_share_of_each_stratum_and_leaks() {
        let rows = rows(400);
        let sides = divide(&rows, SplitRule::ByImage, 2018).unwrap();
        let valid = |mass: bool| {
            let of = rows.iter().zip(&sides).filter(|(row, _)| row.findings.is_empty() != mass);
            let (valid, all) = of.fold((0_u32, 0_u32), |(valid, all), (_, side)| {
                (valid + u32::from(*side == Some(Split::Valid)), all + 1)
            });
            f64::from(valid) / f64::from(all)
        };

        assert!((valid(true) - 0.25).abs() < 0.01 && (valid(false) - 0.25).abs() < 0.01);
        assert!(overlap(&rows, &sides) > 100);
    }

    #[test]
    fn a_leak_is_refused_with_count_and_first_names() {
        let text = refuse_leak(&BTreeSet::from([5, 7, 11, 13])).unwrap_err().to_string();

        assert!(
            text.starts_with("4 patients are on both sides of the split (patient 5, 7, 11, ...)")
        );
        assert!(refuse_leak(&BTreeSet::new()).is_ok());
    }

    #[test]
    fn without_lists_the_official_split_is_refused() {
        let rows: Vec<ManifestRow> =
            rows(8).into_iter().map(|row| ManifestRow { list: None, ..row }).collect();

        assert!(matches!(divide(&rows, SplitRule::Official, 1), Err(Error::NoLists)));
    }
}

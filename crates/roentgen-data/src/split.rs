//! Which film is trained on, validated on, tested on.
//!
//! Films of one patient look alike, so a patient on both sides makes a network look better than it
//! is: measured on NIH by 0.03 of mean AUROC. NIH's official lists share no patient; the 2019
//! study's split by film does, and says so in its name.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::manifest::{List, Row};

/// A side of the split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Trained on.
    Train,
    /// Decides when to stop, which epoch is best, and thresholds.
    Valid,
    /// Looked at once.
    Test,
}

impl Split {
    /// The name in files.
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
pub enum Rule {
    /// The data set's own lists; from NIH's, which have no validation side, it is cut by patient.
    Official,
    /// Whole patients at random until 20 % of the films test and 10 % validate; the rest trains
    /// (Wang's proportions).
    ByPatient,
    /// The 2019 study's: a quarter of the *films* validates, patients stand on both sides. There
    /// is no test set; the study reported on its validation films.
    ByImage,
}

impl Rule {
    /// The name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Official => "official",
            Rule::ByPatient => "by-patient",
            Rule::ByImage => "by-image",
        }
    }
}

/// Share of train_val's films that validates in [`Rule::Official`].
const OFFICIAL_VALID: f64 = 0.125;
/// Share of films that validates in [`Rule::ByPatient`].
const BY_PATIENT_VALID: f64 = 0.1;
/// Share of films that tests in [`Rule::ByPatient`].
const BY_PATIENT_TEST: f64 = 0.2;

/// Why films could not be divided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No official lists.
    #[error(
        "the data set has no official lists, so it cannot be split as `official`; put \
         `train_val_list.txt` and `test_list.txt` beside the films and prepare again, or say \
         `split = \"by-patient\"`"
    )]
    NoLists,
    /// Patients on both sides.
    #[error(
        "{count} patients stand on both sides of the split (patient {names}); figures from such a \
         split are too good. Use the official lists or `split = \"by-patient\"`, or say \
         `leaky = true` in the experiment, which every table will then show"
    )]
    Leaky {
        /// How many.
        count: usize,
        /// The first few.
        names: String,
    },
}

/// Divides films: one side a row, `None` for a film on no side.
///
/// The same rows, rule and seed give the same sides.
///
/// # Errors
///
/// Official lists asked for and absent.
pub fn divide(rows: &[Row], rule: Rule, seed: u64) -> Result<Vec<Option<Split>>, Error> {
    let all: Vec<usize> = (0..rows.len()).collect();
    let mut sides = vec![None; rows.len()];
    match rule {
        Rule::Official => {
            if rows.iter().all(|row| row.list.is_none()) {
                return Err(Error::NoLists);
            }
            let uncut = |index: &usize| rows[*index].list == Some(List::TrainVal);
            let train_val: Vec<usize> = all.into_iter().filter(uncut).collect();
            let valid = cut_by_patient(rows, &train_val, &[OFFICIAL_VALID], seed);
            let given = |list| match list {
                List::TrainVal | List::Train => Split::Train,
                List::Valid => Split::Valid,
                List::Test => Split::Test,
            };
            sides = rows.iter().map(|row| row.list.map(given)).collect();
            valid[0].iter().for_each(|&index| sides[index] = Some(Split::Valid));
        }
        Rule::ByPatient => {
            let cut = cut_by_patient(rows, &all, &[BY_PATIENT_TEST, BY_PATIENT_VALID], seed);
            sides.fill(Some(Split::Train));
            cut[0].iter().for_each(|&index| sides[index] = Some(Split::Test));
            cut[1].iter().for_each(|&index| sides[index] = Some(Split::Valid));
        }
        Rule::ByImage => {
            sides.fill(Some(Split::Train));
            for index in quarter_by_stratum(rows, &all, seed) {
                sides[index] = Some(Split::Valid);
            }
        }
    }
    Ok(sides)
}

/// Takes whole patients at random until each share of the films is reached and never passed.
fn cut_by_patient(rows: &[Row], of: &[usize], shares: &[f64], seed: u64) -> Vec<Vec<usize>> {
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

/// A quarter of the films of each stratum; the stratum is the first four letters of the labels.
fn quarter_by_stratum(rows: &[Row], of: &[usize], seed: u64) -> Vec<usize> {
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

/// The patients that have films on more than one side, in order.
pub fn patients_on_both_sides(
    films: impl IntoIterator<Item = (u32, Option<Split>)>,
) -> BTreeSet<u32> {
    let mut sides: BTreeMap<u32, BTreeSet<Split>> = BTreeMap::new();
    for (patient, side) in films {
        sides.entry(patient).or_default().extend(side);
    }
    sides.into_iter().filter(|(_, sides)| sides.len() > 1).map(|(patient, _)| patient).collect()
}

/// Stops where patients stand on both sides.
///
/// # Errors
///
/// The count and the first names.
pub fn refuse_leak(patients: &BTreeSet<u32>) -> Result<(), Error> {
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

    /// Patients 0, 1, 2, ... with 1, 2, 3, 4, 1, 2, ... films; every fourth patient is tested on.
    pub(crate) fn rows(patients: u32) -> Vec<Row> {
        (0..patients)
            .flat_map(|patient| (0..=patient % 4).map(move |film| (patient, film)))
            .map(|(patient, film)| Row {
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

    fn overlap(rows: &[Row], sides: &[Option<Split>]) -> usize {
        let films = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
        patients_on_both_sides(films).len()
    }

    #[test]
    fn official_and_by_patient_share_no_patient_and_reach_their_shares() {
        let rows = rows(400);
        let official = divide(&rows, Rule::Official, 1).unwrap();
        let by_patient = divide(&rows, Rule::ByPatient, 1).unwrap();
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
            divide(&rows, Rule::ByPatient, 1).unwrap(),
            divide(&rows, Rule::ByPatient, 1).unwrap()
        );
        assert_ne!(
            divide(&rows, Rule::ByPatient, 1).unwrap(),
            divide(&rows, Rule::ByPatient, 2).unwrap()
        );
    }

    #[test]
    fn the_split_by_film_keeps_the_share_of_each_stratum_and_leaks() {
        let rows = rows(400);
        let sides = divide(&rows, Rule::ByImage, 2018).unwrap();
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
            text.starts_with("4 patients stand on both sides of the split (patient 5, 7, 11, ...)")
        );
        assert!(refuse_leak(&BTreeSet::new()).is_ok());
    }

    #[test]
    fn without_lists_the_official_split_is_refused() {
        let rows: Vec<Row> = rows(8).into_iter().map(|row| Row { list: None, ..row }).collect();

        assert!(matches!(divide(&rows, Rule::Official, 1), Err(Error::NoLists)));
    }
}

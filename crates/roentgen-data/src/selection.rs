//! Selects the films of an experiment and their splits: sample, then split, then drop.
//!
//! The order is the 2019 study's: it sampled films, split them, and only then silently lost those
//! without a finding. Here each of the three is a setting, and a leak is an error unless the
//! experiment accepts it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::finding::Finding;
use crate::manifest::ManifestRow;
use crate::sample::{self, Sample};
use crate::split::{self, Error, Fold, Split, SplitRule};

/// How to treat films that show none of the chosen findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normal {
    /// Keeps them: a classifier that never saw a normal film knows nothing about normal films.
    #[default]
    Keep,
    /// Drops them, as in the 2019 study.
    Drop,
}

/// How films are selected and split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The rule of the split.
    pub split: SplitRule,
    /// Whether patients may be on both sides; every table then says so.
    pub leaky: bool,
    /// How to treat films without a finding.
    pub normal: Normal,
    /// Weighted sampling before the split, as in the 2019 study.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Upper limit on the number of films, to try an experiment: keeps whole patients, or limits
    /// the sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub films: Option<usize>,
    /// Seed of sampling and splitting; `None` for the seed of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The fold of a cross-validation; `None` for a single split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
}

impl Selection {
    /// All films, split by the official lists, as a model that was trained elsewhere is evaluated.
    pub const OFFICIAL: Self = Self {
        split: SplitRule::Official,
        leaky: false,
        normal: Normal::Keep,
        sample: None,
        films: None,
        seed: None,
        fold: None,
    };

    /// Returns the split of each row, `None` for a film that is not used. `seed` is the seed of the
    /// run, which counts where the selection has none of its own.
    ///
    /// # Errors
    ///
    /// Returns an error if official lists are needed and absent, or if patients are on both sides
    /// without `leaky`.
    pub fn sides(
        &self,
        rows: &[ManifestRow],
        findings: &[Finding],
        seed: u64,
    ) -> Result<Vec<Option<Split>>, Error> {
        let seed = self.seed.unwrap_or(seed);
        let drawn = match (self.sample, self.films) {
            (Some(sample), films) => {
                let films = films.map_or(sample.films, |films| films.min(sample.films));
                sample::draw(rows, Sample { films, ..sample }, seed)
            }
            (None, Some(films)) => sample::whole_patients(rows, films, seed),
            (None, None) => vec![true; rows.len()],
        };
        let indices: Vec<usize> = (0..rows.len()).filter(|&index| drawn[index]).collect();
        let chosen: Vec<ManifestRow> = indices.iter().map(|&index| rows[index].clone()).collect();
        let mut sides = vec![None; rows.len()];
        let divided = match self.fold {
            Some(fold) => split::divide_in_folds(&chosen, self.split, fold, seed)?,
            None => split::divide(&chosen, self.split, seed)?,
        };
        for (index, side) in indices.into_iter().zip(divided) {
            let shows_one = findings.iter().any(|&finding| rows[index].findings.contains(finding));
            if shows_one || self.normal == Normal::Keep {
                sides[index] = side;
            }
        }
        if !self.leaky {
            let films = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
            split::refuse_leak(&split::patients_on_both_sides(films))?;
        }
        Ok(sides)
    }

    /// Returns the name of a split in tables, such as `official test` or `by-image valid, leaky`:
    /// every setting that changes the set of films is part of it.
    pub fn name(&self, side: Split) -> String {
        let mut name = format!("{} {}", self.split.name(), side.name());
        if let Some(fold) = self.fold
            && side != Split::Test
        {
            name.push_str(&format!(", fold {} of {}", fold.number, fold.of));
        }
        if self.sample.is_some() {
            name.push_str(", sampled");
        }
        if let Some(films) = self.films {
            name.push_str(&format!(", cut to {films} films"));
        }
        if self.normal == Normal::Drop {
            name.push_str(", films without findings dropped");
        }
        if self.leaky {
            name.push_str(", leaky");
        }
        name
    }
}

/// Returns the SHA-256 of the film names in order: equal fingerprints mean equal selections.
pub fn fingerprint<'a>(images: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for image in images {
        hash.update(image.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FilmFindings;
    use crate::manifest::List;

    fn rows() -> Vec<ManifestRow> {
        (0..60)
            .map(|film| ManifestRow {
                image: format!("{film}.png"),
                patient: film / 3,
                follow_up: film % 3,
                age: None,
                sex: "F".into(),
                view: "PA".into(),
                findings: FilmFindings::parse(["Mass", "Hernia", "No Finding"][film as usize % 3])
                    .unwrap(),
                list: Some(if film < 45 { List::TrainVal } else { List::Test }),
                file_size: [1024, 1024],
            })
            .collect()
    }

    const KEEP: Selection = Selection::OFFICIAL;

    #[test]
    fn dropping_takes_films_without_a_chosen_finding_from_every_side() {
        let rows = rows();
        let dropped = Selection { normal: Normal::Drop, ..KEEP };
        let kept = KEEP.sides(&rows, &[Finding::Mass], 1).unwrap();
        let sides = dropped.sides(&rows, &[Finding::Mass], 1).unwrap();

        assert!(kept.iter().all(Option::is_some));
        for (index, side) in sides.into_iter().enumerate() {
            assert_eq!(side, if index % 3 == 0 { kept[index] } else { None });
        }
    }

    #[test]
    fn the_split_by_film_is_refused_unless_the_experiment_says_leaky() {
        let rows = rows();
        let by_image = Selection { split: SplitRule::ByImage, ..KEEP };

        assert!(matches!(by_image.sides(&rows, &Finding::ALL, 1), Err(Error::Leaky { .. })));
        let leaky = Selection { leaky: true, ..by_image };
        assert!(leaky.sides(&rows, &Finding::ALL, 1).is_ok());
        assert_eq!(leaky.name(Split::Valid), "by-image valid, leaky");
        let dropped = Selection { normal: Normal::Drop, ..KEEP };
        assert_eq!(dropped.name(Split::Test), "official test, films without findings dropped");
    }

    #[test]
    fn a_cut_keeps_patients_whole_and_says_so() {
        let rows = rows();
        let cut = Selection { films: Some(20), ..KEEP };
        let sides = cut.sides(&rows, &Finding::ALL, 1).unwrap();
        let kept = sides.iter().filter(|side| side.is_some()).count();

        assert_eq!(kept, 18, "six patients of three films");
        for patient in sides.chunks(3) {
            assert!(patient.iter().all(|side| side.is_some() == patient[0].is_some()));
        }
        assert_eq!(cut.name(Split::Test), "official test, cut to 20 films");
    }

    #[test]
    fn a_fold_is_part_of_the_name_of_training_and_validation_films() {
        let rows = rows();
        let third = Selection { fold: Some(Fold { number: 2, of: 4 }), ..KEEP };
        let sides = third.sides(&rows, &Finding::ALL, 1).unwrap();
        let valid = sides.iter().filter(|side| **side == Some(Split::Valid)).count();

        assert!((9..=12).contains(&valid), "a quarter of 45 films, by patient: {valid}");
        assert_eq!(third.name(Split::Valid), "official valid, fold 2 of 4");
        assert_eq!(third.name(Split::Test), "official test");
    }

    #[test]
    fn a_seed_of_its_own_decides_in_place_of_the_seed_of_the_run() {
        let rows = rows();
        let own = Selection { split: SplitRule::ByPatient, seed: Some(4), ..KEEP };
        let none = Selection { seed: None, ..own };
        let sides = |selection: Selection, seed| selection.sides(&rows, &Finding::ALL, seed);

        assert_eq!(sides(own, 1).unwrap(), sides(own, 2).unwrap());
        assert_eq!(sides(own, 1).unwrap(), sides(none, 4).unwrap());
        assert_ne!(sides(none, 1).unwrap(), sides(none, 4).unwrap());
    }

    #[test]
    fn a_cut_of_a_sample_is_a_smaller_sample() {
        let rows = rows();
        let sample = Some(Sample { films: 50, floor: 0.04 });
        let sides = Selection { sample, films: Some(10), ..KEEP }.sides(&rows, &Finding::ALL, 1);

        assert_eq!(sides.unwrap().iter().filter(|side| side.is_some()).count(), 10);
    }

    #[test]
    fn official_lists_that_share_a_patient_are_refused() {
        let mut rows = rows();
        rows[44].patient = rows[45].patient;

        assert!(matches!(KEEP.sides(&rows, &Finding::ALL, 1), Err(Error::Leaky { count: 1, .. })));
    }
}

//! The 2019 study's sampling: films drawn without replacement, weighted by their findings.
//!
//! The study called `metadata.sample(80000, weights=findings + 0.04)` without a seed; here the
//! caller gives the seed. All fourteen findings count, including those the study did not train on.

use std::collections::{BTreeMap, HashSet};

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::manifest::ManifestRow;

/// `[data.sample]`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Number of films to draw.
    pub films: usize,
    /// Weight of a film without findings; a film with `n` findings weighs `n + floor`.
    pub floor: f64,
}

/// Draws films: returns `true` for each row that is kept, which is every row if there are no more
/// than `sample.films`.
///
/// Drawing one film after another in proportion to weight has the same distribution as keeping
/// those with the smallest exponential waiting times of these rates (Efraimidis and Spirakis,
/// 2006).
pub fn draw(rows: &[ManifestRow], sample: Sample, seed: u64) -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut waits: Vec<(f64, usize)> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let uniform: f64 = random.random();
            let weight = row.findings.len() as f64 + sample.floor;
            (-(1.0 - uniform).ln() / weight, index)
        })
        .collect();
    waits.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut kept = vec![false; rows.len()];
    waits.iter().take(sample.films).for_each(|&(_, index)| kept[index] = true);
    kept
}

/// Draws patients with all their films until no more fit into `films` films.
pub(crate) fn whole_patients(rows: &[ManifestRow], films: usize, seed: u64) -> Vec<bool> {
    let mut of_patient: BTreeMap<u32, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *of_patient.entry(row.patient).or_default() += 1);
    let mut patients: Vec<u32> = of_patient.keys().copied().collect();
    patients.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut left = films;
    let fits = |patient: &u32| {
        let count = of_patient[patient];
        let fits = count <= left;
        if fits {
            left -= count;
        }
        fits
    };
    let kept: HashSet<u32> = patients.into_iter().filter(fits).collect();
    rows.iter().map(|row| kept.contains(&row.patient)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FilmFindings;

    fn rows(labels: &[&str]) -> Vec<ManifestRow> {
        labels
            .iter()
            .map(|labels| ManifestRow {
                image: String::new(),
                patient: 0,
                follow_up: 0,
                age: None,
                sex: String::new(),
                view: String::new(),
                findings: FilmFindings::parse(labels).unwrap(),
                list: None,
                file_size: [1, 1],
            })
            .collect()
    }

    #[test]
    fn a_film_with_findings_is_drawn_as_often_as_its_weight_says() {
        let rows = rows(&["No Finding", "Mass", "Mass|Nodule"]);
        let sample = Sample { films: 1, floor: 0.5 };
        let mut drawn = [0; 3];
        for seed in 0..4000 {
            let kept = draw(&rows, sample, seed);
            drawn[kept.iter().position(|&kept| kept).unwrap()] += 1;
        }

        // Shares 0.5 : 1.5 : 2.5 of 4.5; three standard errors are 0.024.
        for (count, share) in drawn.iter().zip([0.5 / 4.5, 1.5 / 4.5, 2.5 / 4.5]) {
            assert!((f64::from(*count) / 4000.0 - share).abs() < 0.024, "{drawn:?}");
        }
    }

    #[test]
    fn no_more_films_than_there_are() {
        let kept = draw(&rows(&["Mass", "No Finding"]), Sample { films: 5, floor: 0.04 }, 1);

        assert_eq!(kept, [true, true]);
    }
}

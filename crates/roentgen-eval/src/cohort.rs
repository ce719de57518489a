//! The films of a table with their patients by number, prepared for resampling.
//!
//! Resample `i` has its own stream of the random generator, so the number of threads does not
//! change a single bit.

use std::collections::HashMap;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use rayon::prelude::*;

use crate::{
    ScoredFinding, Scores,
    ranking::{Areas, Ranking},
};

/// Number of resamples that are computed in one pass over the films; the sums of more would not stay
/// in registers.
pub(crate) const LANES: usize = 8;

/// Settings of the resampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootstrapOptions {
    /// Number of resamples of the patients; 0 gives no intervals.
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { resamples: 1000, seed: 0 }
    }
}

/// Computes the mean over the findings that have both classes.
pub(crate) fn mean(findings: &[Option<Areas>]) -> Option<Areas> {
    let (mut count, mut auroc, mut average_precision) = (0_u32, 0.0, 0.0);
    for areas in findings.iter().flatten() {
        count += 1;
        auroc += areas.auroc;
        average_precision += areas.average_precision;
    }
    let share = f64::from(count);
    (count > 0)
        .then(|| Areas { auroc: auroc / share, average_precision: average_precision / share })
}

/// Films sorted by each finding, with their patients by number.
pub(crate) struct Cohort {
    pub(crate) patients: usize,
    findings: Vec<Ranking>,
}

impl Cohort {
    /// Prepares all rows of the table.
    pub(crate) fn of(scores: &Scores) -> Self {
        let (numbers, patients) = numbers(scores);
        let ranking = |finding: &ScoredFinding| Ranking::new(films(finding, &numbers));
        Self { patients, findings: scores.findings().iter().map(ranking).collect() }
    }

    /// Prepares all pairs of film and finding of the table as if they were films of one finding.
    pub(crate) fn over_all_pairs(scores: &Scores) -> Self {
        let (numbers, patients) = numbers(scores);
        let all = scores.findings().iter().flat_map(|finding| films(finding, &numbers));
        Self { patients, findings: vec![Ranking::new(all.collect())] }
    }

    /// Returns both areas of each finding when every film counts once.
    pub(crate) fn areas(&self) -> Vec<Option<Areas>> {
        self.findings.iter().map(Ranking::areas_of_all).collect()
    }

    /// Returns both areas of each finding, for each resample.
    pub(crate) fn draw_areas(&self, options: &BootstrapOptions) -> Vec<Vec<Option<Areas>>> {
        draw_areas(self.patients, options, &self.findings.iter().collect::<Vec<_>>())
    }
}

/// Returns score, label and patient of the films of known label.
pub(crate) fn films(finding: &ScoredFinding, numbers: &[u32]) -> Vec<(f64, bool, u32)> {
    finding.labeled_films().map(|(row, p, label)| (p, label, numbers[row])).collect()
}

/// Numbers the patients of a table; returns the number of each row, and how many patients there
/// are.
pub(crate) fn numbers(scores: &Scores) -> (Vec<u32>, usize) {
    number(scores.patients().iter().map(String::as_str))
}

/// Numbers patients in order of appearance; returns the number of each, and how many there are.
pub(crate) fn number<'a>(patients: impl Iterator<Item = &'a str>) -> (Vec<u32>, usize) {
    let mut known: HashMap<&str, u32> = HashMap::new();
    let numbers = patients.map(|patient| {
        let next = known.len() as u32;
        *known.entry(patient).or_insert(next)
    });
    (numbers.collect(), known.len())
}

/// Computes something on each resample, given how often each patient was drawn. There are no
/// resamples of fewer than two patients.
pub(crate) fn resample<T: Send>(
    patients: usize,
    options: &BootstrapOptions,
    of: impl Fn(&[u32]) -> T + Sync,
) -> Vec<T> {
    if patients < 2 {
        return Vec::new();
    }
    let one = |weights: &mut Vec<u32>, stream: usize| {
        draw(weights, options.seed, stream as u64);
        of(weights)
    };
    (0..options.resamples).into_par_iter().map_init(|| vec![0; patients], one).collect()
}

/// Computes both areas of rankings on each resample of [`resample`].
pub(crate) fn draw_areas(
    patients: usize,
    options: &BootstrapOptions,
    rankings: &[&Ranking],
) -> Vec<Vec<Option<Areas>>> {
    resample_lanes(patients, options, |weights| {
        let mut areas = [(); LANES].map(|()| Vec::with_capacity(rankings.len()));
        for ranking in rankings {
            areas.iter_mut().zip(ranking.areas(weights)).for_each(|(lane, of)| lane.push(of));
        }
        areas
    })
}

/// Computes something on each resample of [`resample`], several resamples at once: `weights` has, for
/// each patient, how often it was drawn in each of them.
pub(crate) fn resample_lanes<T: Send>(
    patients: usize,
    options: &BootstrapOptions,
    of: impl Fn(&[[u32; LANES]]) -> [T; LANES] + Sync,
) -> Vec<T> {
    if patients < 2 {
        return Vec::new();
    }
    let block = |weights: &mut Vec<[u32; LANES]>, block: usize| {
        weights.fill([0; LANES]);
        let streams = block * LANES..options.resamples.min((block + 1) * LANES);
        for (lane, stream) in streams.clone().enumerate() {
            draw_each(patients, options.seed, stream as u64, |drawn| weights[drawn][lane] += 1);
        }
        of(weights).into_iter().take(streams.len())
    };
    let blocks = (0..options.resamples.div_ceil(LANES)).into_par_iter();
    blocks.map_init(|| vec![[0; LANES]; patients], block).flatten_iter().collect()
}

/// Draws as many patients as there are, and counts how often each was drawn.
pub(crate) fn draw(weights: &mut [u32], seed: u64, stream: u64) {
    weights.fill(0);
    draw_each(weights.len(), seed, stream, |drawn| weights[drawn] += 1);
}

/// Draws as many patients as there are; `of` is called with the number of each.
fn draw_each(patients: usize, seed: u64, stream: u64, mut of: impl FnMut(usize)) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    let patients = patients as u64;
    for _ in 0..patients {
        // 32 bits scaled to the number of patients: the bias is less than one in a hundred thousand
        // for the largest public data set, and the same in every version of every crate.
        let drawn = (u64::from(generator.next_u32()) * patients) >> 32;
        of(drawn as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_patients_are_drawn_as_there_are() {
        let mut weights = vec![9; 33];
        draw(&mut weights, 5, 8);

        assert_eq!(weights.iter().sum::<u32>(), 33);
        assert!(weights.contains(&0) && weights.iter().any(|&weight| weight > 1));
    }

    #[test]
    fn every_patient_comes_equally_often() {
        let mut sums = [0; 7];
        for stream in 0..2000 {
            let mut weights = vec![0; 7];
            draw(&mut weights, 1, stream);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }

        assert!(sums.iter().all(|&sum| (1850..2150).contains(&sum)), "{sums:?}");
    }
}

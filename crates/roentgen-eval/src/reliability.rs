//! The bins of a reliability picture, with intervals by patient.

use serde::Serialize;

use crate::{
    Bin, BootstrapOptions, Interval,
    calibration::{BINS, equal_bin},
    cohort::{LANES, resample_lanes},
    ranking::sum,
    reliability,
};

/// The films in one of 15 equal bins of probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeasuredBin {
    /// The films.
    #[serde(flatten)]
    pub bin: Bin,
    /// The interval of the fraction of films with the finding.
    pub observed_ci95: Option<Interval>,
}

/// Divides films, given as probability, label and patient, into bins; empty bins are left out.
pub(crate) fn measured_bins(
    films: &[(f64, bool, u32)],
    patients: usize,
    options: &BootstrapOptions,
) -> Vec<MeasuredBin> {
    // The patients of the films in each bin, without and with the finding.
    let mut bins: [[Vec<u32>; 2]; BINS] = Default::default();
    for &(p, label, patient) in films {
        bins[equal_bin(p)][usize::from(label)].push(patient);
    }
    let draws: Vec<[Option<f64>; BINS]> = resample_lanes(patients, options, |weights| {
        let mut observed = [[None; BINS]; LANES];
        for (bin, patients) in bins.iter().enumerate() {
            let [negatives, positives] =
                patients.each_ref().map(|patients| sum(patients, |patient| &weights[patient]));
            for (lane, observed) in observed.iter_mut().enumerate() {
                let all = negatives[lane] + positives[lane];
                observed[bin] = (all > 0.0).then(|| positives[lane] / all);
            }
        }
        observed
    });
    let (p, y): (Vec<f64>, Vec<bool>) = films.iter().map(|&(p, label, _)| (p, label)).unzip();
    let places = (0..BINS).filter(|&bin| bins[bin].iter().any(|patients| !patients.is_empty()));
    places
        .zip(reliability(&p, &y))
        .map(|(place, bin)| MeasuredBin {
            bin,
            observed_ci95: Interval::of(draws.iter().filter_map(|draw| draw[place]).collect()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohort::draw;

    #[test]
    fn the_interval_of_a_bin_is_that_of_the_drawn_films() {
        let film = |i: u32| (f64::from(i * 29 % 83) / 83.0, i * 7 % 11 > 6, i / 3);
        let films: Vec<(f64, bool, u32)> = (0..90).map(film).collect();
        let bins = measured_bins(&films, 30, &BootstrapOptions { resamples: 250, seed: 2 });

        let mut values = Vec::new();
        for stream in 0..250 {
            let mut weights = vec![0; 30];
            draw(&mut weights, 2, stream);
            let drawn = films.iter().filter(|(p, ..)| 1.0 / 15.0 < *p && *p <= 2.0 / 15.0);
            let (mut all, mut positives) = (0, 0);
            for &(_, label, patient) in drawn {
                all += weights[patient as usize];
                positives += weights[patient as usize] * u32::from(label);
            }
            values.extend((all > 0).then(|| f64::from(positives) / f64::from(all)));
        }
        assert_eq!(bins.len(), 15);
        assert_eq!(bins[1].observed_ci95, Interval::of(values));
    }

    #[test]
    fn empty_bins_are_left_out() {
        let films = [(0.01, false, 0), (0.99, true, 1), (0.98, false, 0)];
        let bins = measured_bins(&films, 2, &BootstrapOptions { resamples: 5, seed: 1 });

        assert_eq!(bins.iter().map(|bin| bin.bin.count).collect::<Vec<_>>(), [1, 2]);
    }
}

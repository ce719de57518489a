//! Patients, their visits, and the findings of every visit.
//!
//! Findings have the co-occurrence of ChestX-ray14 (all 112,120 films of the label file of 2020),
//! but flattened marginals: the share of a finding is proportional to the square root of its share
//! at NIH, and Hernia, which would still be too rare, is on about 2.6 % of the films. 45 % of the
//! films have no finding (NIH: 54 %). View, age and sex do not depend on the findings, so that only
//! the anatomy reveals them.

use rand::RngExt;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use roentgen_data::{FilmFindings, Finding};

/// The share of films without a finding.
const NORMAL: f64 = 0.45;

/// The chance that a film with one, two or three findings has a further one, as at NIH.
const FURTHER: [f64; 3] = [0.40, 0.31, 0.25];

/// The chance that nothing has changed since the last visit.
const UNCHANGED: f64 = 0.5;

/// The chance that this was not the patient's last film; with [`MOST_FILMS`] the mean is 3.6.
const RETURNS: f64 = 0.725;

const MOST_FILMS: u32 = 12;

/// Weights for drawing a finding, in order of the names: fitted so that, together with
/// [`TENDENCY`], the shares become those of the module description.
const WEIGHTS: [f32; 14] =
    [110., 54., 64., 48., 108., 52., 43., 34., 155., 74., 87., 53., 37., 80.];

/// How much more often than by chance two findings are on one film at NIH, at most fourfold.
#[rustfmt::skip]
const TENDENCY: [[f32; 14]; 14] = [
    [0.0, 1.3, 2.5, 0.9, 2.4, 1.6, 1.3, 1.7, 1.6, 1.2, 0.9, 1.4, 1.8, 1.4],
    [1.3, 0.0, 1.5, 2.2, 3.2, 0.7, 1.2, 1.2, 1.2, 0.7, 0.7, 1.3, 1.2, 0.4],
    [2.5, 1.5, 0.0, 1.7, 2.3, 1.0, 1.1, 0.4, 1.5, 2.5, 1.6, 1.8, 2.1, 1.0],
    [0.9, 2.2, 1.7, 0.0, 2.2, 0.6, 0.3, 0.6, 2.4, 1.1, 1.0, 0.9, 4.0, 0.3],
    [2.4, 3.2, 2.3, 2.2, 0.0, 1.2, 0.9, 0.8, 1.7, 1.8, 1.2, 2.1, 1.6, 1.6],
    [1.6, 0.7, 1.0, 0.6, 1.2, 0.0, 1.0, 0.8, 1.0, 1.7, 0.8, 2.0, 0.7, 4.0],
    [1.3, 1.2, 1.1, 0.3, 0.9, 1.0, 0.0, 2.3, 1.2, 1.3, 1.7, 3.5, 0.5, 1.0],
    [1.7, 1.2, 0.4, 0.6, 0.8, 0.8, 2.3, 0.0, 0.8, 2.1, 0.8, 1.2, 1.0, 0.8],
    [1.6, 1.2, 1.5, 2.4, 1.7, 1.0, 1.2, 0.8, 0.0, 1.1, 1.4, 1.2, 2.4, 1.0],
    [1.2, 0.7, 2.5, 1.1, 1.8, 1.7, 1.3, 2.1, 1.1, 0.0, 2.8, 2.6, 1.0, 1.6],
    [0.9, 0.7, 1.6, 1.0, 1.2, 0.8, 1.7, 0.8, 1.4, 2.8, 0.0, 2.2, 0.9, 1.1],
    [1.4, 1.3, 1.8, 0.9, 2.1, 2.0, 3.5, 1.2, 1.2, 2.6, 2.2, 0.0, 1.1, 1.8],
    [1.8, 1.2, 2.1, 4.0, 1.6, 0.7, 0.5, 1.0, 2.4, 1.0, 0.9, 1.1, 0.0, 0.6],
    [1.4, 0.4, 1.0, 0.3, 1.6, 4.0, 1.0, 0.8, 1.0, 1.6, 1.1, 1.8, 0.6, 0.0],
];

/// `Patient Gender`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sex {
    Female,
    Male,
}

/// `View Position`: the direction of the beam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// From front to back, for patients who cannot stand.
    Ap,
    /// From back to front.
    Pa,
}

/// Purpose of a stream of random numbers. Every purpose has its own stream, so that a film with a
/// sign differs from the same film without it only in the sign.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Visits,
    Anatomy,
    Vessels,
    Pose,
    Lines,
    Exposure,
    Grain,
    Sign(Finding),
}

/// A finding on a film.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sign {
    pub(super) finding: Finding,
    /// From 0, faint, to 1, obvious.
    pub(super) strength: f32,
    /// The visit at which it was first seen; side, position and size stay as they were then.
    pub(super) since: u32,
}

/// One film of a patient.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) number: u32,
    pub(super) age: u32,
    pub(super) view: View,
    pub(super) signs: Vec<Sign>,
}

impl Visit {
    /// Returns the findings of the film.
    pub(super) fn findings(&self) -> FilmFindings {
        self.signs.iter().map(|sign| sign.finding).collect()
    }
}

/// A patient with all films.
#[derive(Clone, Debug)]
pub(super) struct Patient {
    seed: u64,
    pub(super) id: u32,
    pub(super) sex: Sex,
    pub(super) visits: Vec<Visit>,
}

impl Patient {
    /// Draws patient `id` of the data set with the given seed, with at most `films` films.
    pub(super) fn random(seed: u64, id: u32, films: usize) -> Self {
        let mut patient = Self { seed, id, sex: Sex::Male, visits: Vec::new() };
        let mut rng = patient.stream(0, Purpose::Visits);
        if rng.random_bool(0.44) {
            patient.sex = Sex::Female;
        }
        // The sum of three uniform draws: roughly bell-shaped, centered at 47 years.
        let mut age: f32 = (0..3).map(|_| rng.random_range(-17.0..48.3)).sum::<f32>().max(1.0);
        let often_lies = rng.random_bool(0.4);
        let mut signs: Vec<Sign> = Vec::new();
        for number in 0..MOST_FILMS.min(films as u32) {
            if number > 0 {
                if !rng.random_bool(RETURNS) {
                    break;
                }
                age += rng.random_range(0.0f32..1.0).powi(2);
            }
            let findings = draw_findings(&mut rng);
            if number == 0 || !rng.random_bool(UNCHANGED) {
                let kept = |finding| signs.iter().find(|sign| sign.finding == finding).copied();
                let fresh = |finding| {
                    kept(finding).unwrap_or(Sign { finding, strength: 0.0, since: number })
                };
                signs = findings.iter().map(fresh).collect();
            }
            for sign in &mut signs {
                sign.strength = rng.random_range(0.0..1.0);
            }
            let view = if rng.random_bool(if often_lies { 0.8 } else { 0.1 }) {
                View::Ap
            } else {
                View::Pa
            };
            let age = (age as u32).min(95);
            patient.visits.push(Visit { number, age, view, signs: signs.clone() });
        }
        patient
    }

    /// Returns the random numbers for one purpose on one visit.
    pub(super) fn stream(&self, visit: u32, purpose: Purpose) -> ChaCha8Rng {
        let purpose = match purpose {
            Purpose::Visits => 0,
            Purpose::Anatomy => 1,
            Purpose::Vessels => 2,
            Purpose::Pose => 3,
            Purpose::Lines => 4,
            Purpose::Exposure => 5,
            Purpose::Grain => 6,
            Purpose::Sign(finding) => 16 + finding as u64,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(u64::from(self.id) << 32 | u64::from(visit) << 8 | purpose);
        rng
    }

    /// Returns the age on the first film, which determines the anatomy of all films.
    pub(super) fn first_age(&self) -> u32 {
        self.visits.first().map_or(50, |visit| visit.age)
    }
}

/// Draws the findings of a film.
fn draw_findings(rng: &mut ChaCha8Rng) -> FilmFindings {
    let mut findings = FilmFindings::NONE;
    if rng.random_bool(NORMAL) {
        return findings;
    }
    let mut weights = WEIGHTS;
    for further in FURTHER.into_iter().chain([0.0]) {
        let mut rest = rng.random_range(0.0..weights.iter().sum::<f32>());
        let drawn = Finding::ALL.into_iter().find(|&finding| {
            rest -= weights[finding as usize];
            rest < 0.0
        });
        // Rounding may leave a remainder after the last weight, which means the last finding.
        let drawn = drawn.unwrap_or(Finding::Pneumothorax);
        findings.insert(drawn);
        for (weight, tendency) in weights.iter_mut().zip(TENDENCY[drawn as usize]) {
            *weight *= tendency;
        }
        if !rng.random_bool(further) {
            break;
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn films(patients: u32) -> Vec<FilmFindings> {
        (1..=patients)
            .flat_map(|id| Patient::random(7, id, 100).visits)
            .map(|visit| visit.findings())
            .collect()
    }

    #[test]
    fn every_finding_is_on_enough_films_and_nearly_half_are_normal() {
        let films = films(2500);
        let share = |count: usize| count as f64 / films.len() as f64;

        for finding in Finding::ALL {
            let share = share(films.iter().filter(|film| film.contains(finding)).count());
            assert!((0.018..0.16).contains(&share), "{finding}: {share}");
        }
        let normal = share(films.iter().filter(|film| film.is_empty()).count());
        assert!((0.41..0.49).contains(&normal), "{normal}");
    }

    #[test]
    fn effusion_comes_with_cardiomegaly_more_often_than_pneumothorax_does() {
        let films = films(2500);
        let with = |a, b| {
            let first: Vec<_> = films.iter().filter(|film| film.contains(a)).collect();
            first.iter().filter(|film| film.contains(b)).count() as f64 / first.len() as f64
        };

        let effusion = with(Finding::Cardiomegaly, Finding::Effusion);
        assert!(effusion > 3.0 * with(Finding::Cardiomegaly, Finding::Pneumothorax), "{effusion}");
        assert!(with(Finding::Emphysema, Finding::Pneumothorax) > 0.12);
    }

    #[test]
    fn a_patient_has_about_three_and_a_half_films_and_grows_no_younger() {
        let patients: Vec<_> = (1..=2000).map(|id| Patient::random(3, id, 100)).collect();
        let films: usize = patients.iter().map(|patient| patient.visits.len()).sum();

        assert!((3.3..3.9).contains(&(films as f64 / 2000.0)), "{films}");
        for patient in &patients {
            assert!(patient.visits.is_sorted_by_key(|visit| visit.age));
            assert!(patient.visits.iter().all(|visit| (1..=95).contains(&visit.age)));
        }
    }

    #[test]
    fn findings_often_persist() {
        let patients = (1..=2000).map(|id| Patient::random(3, id, 100));
        let (mut had, mut kept) = (0, 0);
        for patient in patients {
            for pair in patient.visits.windows(2) {
                had += pair[0].findings().len();
                kept +=
                    pair[0].findings().iter().filter(|&f| pair[1].findings().contains(f)).count();
            }
        }

        assert!((0.45..0.65).contains(&(f64::from(kept as u32) / had as f64)));
    }
}

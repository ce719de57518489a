//! How often 95 % intervals contain a known AUROC when patients have several films: those by
//! patient as often as they say, DeLong's far less often, which is why they are not the default.

#![expect(clippy::unwrap_used, reason = "a test that cannot build its table has failed")]

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use roentgen_eval::{BootstrapOptions, Interval, ScoredFinding, Scores, bootstrap, delong};

const PATIENTS: usize = 300;
const FILMS: usize = 4;
/// The distance of the classes in standard deviations.
const DISTANCE: f64 = 1.0;
/// The share of the variance that the films of a patient have in common.
const COMMON: f64 = 0.7;

/// Draws two numbers from the normal distribution, by Box and Muller.
fn normals(generator: &mut ChaCha8Rng) -> [f64; 2] {
    let mut uniform = || (f64::from(generator.next_u32()) + 0.5) / 2_f64.powi(32);
    let (radius, angle) = ((-2.0 * uniform().ln()).sqrt(), std::f64::consts::TAU * uniform());
    [radius * angle.cos(), radius * angle.sin()]
}

/// Draws the films of patients who have the finding on all films or on none.
fn table(seed: u64) -> Scores {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let (mut patients, mut p, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for patient in 0..PATIENTS {
        let label = patient % 5 < 2;
        let [own, _] = normals(&mut generator);
        for _ in 0..FILMS {
            let [film, _] = normals(&mut generator);
            let z = own * COMMON.sqrt() + film * (1.0 - COMMON).sqrt();
            let z = z + if label { DISTANCE } else { 0.0 };
            patients.push(patient.to_string());
            p.push(1.0 / (1.0 + (-z).exp()));
            y.push(Some(label));
        }
    }
    let finding = ScoredFinding { name: "A".into(), probabilities: p, labels: y };
    let images = (0..patients.len()).map(|film| film.to_string()).collect();
    Scores::new(images, patients, vec![finding]).unwrap()
}

/// Returns the shares of tables whose intervals, by patient and by DeLong, contain the AUROC.
fn coverage(tables: u64, resamples: usize) -> [f64; 2] {
    // The probability that a normal variable of deviation sqrt(2) is above -DISTANCE.
    let auroc = 1.0 - 0.5 * libm::erfc(DISTANCE / 2.0);
    let holds = |interval: Interval| interval.low <= auroc && auroc <= interval.high;
    let mut held = [0_u32; 2];
    for seed in 0..tables {
        let scores = table(seed);
        let by_patient =
            bootstrap(&scores, &BootstrapOptions { resamples, seed }).findings[0].auroc;
        let (p, y) = scores.findings()[0].known_pairs();
        let by_film = delong(&p, &y).unwrap().interval;
        held[0] += u32::from(holds(by_patient.unwrap()));
        held[1] += u32::from(holds(by_film.unwrap()));
    }
    held.map(|held| f64::from(held) / tables as f64)
}

#[test]
fn intervals_by_patient_hold_and_delongs_do_not() {
    let [by_patient, by_film] = coverage(100, 100);

    assert!((0.88..=0.99).contains(&by_patient), "{by_patient}");
    assert!(by_film < 0.85, "{by_film}");
}

#[test]
#[ignore = "two thousand tables take a minute"]
#[expect(clippy::print_stdout, reason = "docs/results.md says how to read the figures")]
fn intervals_by_patient_hold_nineteen_times_in_twenty() {
    let [by_patient, by_film] = coverage(2000, 1000);

    println!("by patient {by_patient}, by DeLong {by_film}");
    assert!((0.93..=0.97).contains(&by_patient), "{by_patient}");
    assert!(by_film < 0.80, "{by_film}");
}

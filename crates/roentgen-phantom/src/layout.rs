//! The tables of a data set as NIH publishes them: labels, lists and boxes.
//!
//! Line ends, quotes and the odd header of the box list (its first comma is between brackets, and
//! three empty columns follow) are those of NIH's own files.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::canvas::Area;
use super::patient::{Patient, Sex, View, Visit};
use roentgen_data::Finding;
use roentgen_data::boxes::FRAME;
use roentgen_data::metadata::PHANTOM_COLUMN;

/// The share of films in the test list: NIH's 25,596 of 112,120.
const TEST_SHARE: f64 = 0.228;

/// Boxes are given in pixels of a film this wide, whatever size the film is stored in.
const BOX_FRAME: f32 = FRAME as f32;

/// Width, height and pixel spacing of the film before NIH shrank it, and its frequency.
type Original = (&'static str, u32);

const ORIGINALS_PA: [Original; 6] = [
    ("2992,2991,0.14300000000000002,0.14300000000000002", 49),
    ("2500,2048,0.168,0.168", 15),
    ("2048,2500,0.168,0.168", 10),
    ("2021,2021,0.19431099999999998,0.19431099999999998", 9),
    ("2048,2500,0.171,0.171", 6),
    ("2544,3056,0.139,0.139", 4),
];

const ORIGINALS_AP: [Original; 4] = [
    ("2500,2048,0.168,0.168", 54),
    ("3056,2544,0.139,0.139", 31),
    ("2500,2048,0.171,0.171", 10),
    ("2048,2500,0.168,0.168", 3),
];

/// Returns the file name of a film.
pub(super) fn film_name(patient: &Patient, visit: &Visit) -> String {
    format!("{:08}_{:03}.png", patient.id, visit.number)
}

/// Writes `Data_Entry_2017_v2020.csv`. Its last column, which NIH's file does not have, says on each row
/// that the film is none of NIH's, also after the file was copied elsewhere.
pub(super) fn labels(patients: &[Patient], seed: u64, rng: &mut ChaCha8Rng) -> String {
    let mut text = format!(
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
         View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],{PHANTOM_COLUMN}\n"
    );
    for patient in patients {
        let sex = match patient.sex {
            Sex::Female => "F",
            Sex::Male => "M",
        };
        for visit in &patient.visits {
            let (view, originals) = match visit.view {
                View::Ap => ("AP", &ORIGINALS_AP[..]),
                View::Pa => ("PA", &ORIGINALS_PA[..]),
            };
            let Visit { number, age, .. } = visit;
            let (name, findings) = (film_name(patient, visit), visit.findings());
            let (id, original) = (patient.id, draw_original(originals, rng));
            text +=
                &format!("{name},{findings},{number},{id},{age},{sex},{view},{original},{seed}\n");
        }
    }
    text
}

fn draw_original(originals: &[Original], rng: &mut ChaCha8Rng) -> &'static str {
    let mut rest = rng.random_range(0..originals.iter().map(|&(_, weight)| weight).sum());
    for &(original, weight) in originals {
        if rest < weight {
            return original;
        }
        rest -= weight;
    }
    originals[0].0
}

/// Chooses the patients of the test list: one flag per patient, about 23 % of the films, and at
/// least one patient on either side if there are two.
pub(super) fn choose_test(patients: &[Patient], rng: &mut ChaCha8Rng) -> Vec<bool> {
    let films: usize = patients.iter().map(|patient| patient.visits.len()).sum();
    let wanted = (TEST_SHARE * films as f64).round().max(1.0) as usize;
    let mut order: Vec<usize> = (0..patients.len()).collect();
    order.shuffle(rng);
    let mut is_test = vec![false; patients.len()];
    let mut taken = 0;
    for &index in order.iter().skip(1) {
        let films = patients[index].visits.len();
        if taken == 0 || taken + films <= wanted {
            is_test[index] = true;
            taken += films;
        }
    }
    is_test
}

/// Writes `train_val_list.txt` or `test_list.txt`: the films of the patients selected by `is_in`.
pub(super) fn list(patients: &[Patient], is_in: impl Fn(usize) -> bool) -> String {
    let patients = patients.iter().enumerate().filter(|&(index, _)| is_in(index));
    patients
        .flat_map(|(_, patient)| {
            patient.visits.iter().map(|visit| film_name(patient, visit) + "\n")
        })
        .collect()
}

/// A row of the box list: film name, finding, area.
pub(super) type BoxRow = (String, Finding, Area);

/// Writes `BBox_List_2017.csv`, ordered by finding, then by film.
pub(super) fn boxes(rows: &mut [BoxRow]) -> String {
    rows.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    let mut text = String::from("Image Index,Finding Label,Bbox [x,y,w,h],,,\n");
    for (name, finding, area) in rows {
        let label = finding.box_name();
        let (x, y) = (BOX_FRAME * area.left, BOX_FRAME * area.top);
        let (w, h) = (BOX_FRAME * area.right - x, BOX_FRAME * area.bottom - y);
        text += &format!("{name},{label},{x},{y},{w},{h}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;

    fn patients(count: u32) -> Vec<Patient> {
        (1..=count).map(|id| Patient::random(11, id, 100)).collect()
    }

    #[test]
    fn lists_share_no_patient_and_miss_none() {
        let patients = patients(300);
        let is_test = choose_test(&patients, &mut ChaCha8Rng::seed_from_u64(1));
        let (test, train) =
            (list(&patients, |index| is_test[index]), list(&patients, |index| !is_test[index]));
        let ids =
            |text: &str| text.lines().map(|name| name[..8].to_owned()).collect::<HashSet<_>>();

        assert!(ids(&test).is_disjoint(&ids(&train)));
        assert_eq!(ids(&test).len() + ids(&train).len(), 300);
        let share = test.lines().count() as f64 / (test + &train).lines().count() as f64;
        assert!((0.21..0.24).contains(&share), "{share}");
    }

    #[test]
    fn two_patients_stand_on_either_side() {
        let patients = patients(2);
        let is_test = choose_test(&patients, &mut ChaCha8Rng::seed_from_u64(1));

        assert_eq!(is_test.iter().filter(|&&is_test| is_test).count(), 1);
    }

    #[test]
    fn every_row_of_labels_has_the_eleven_columns_of_nih_and_the_seed() {
        let labels = labels(&patients(40), 1, &mut ChaCha8Rng::seed_from_u64(1));

        assert!(labels.lines().all(|row| row.split(',').count() == 12));
        assert!(labels.lines().nth(1).is_some_and(|row| row.starts_with("00000001_000.png,")));
    }

    #[test]
    fn the_box_list_says_infiltrate_and_counts_in_1024_pixels() {
        let area = Area { left: 0.25, top: 0.5, right: 0.5, bottom: 0.625 };
        let mut rows = [("00000001_000.png".to_owned(), Finding::Infiltration, area)];

        let text = boxes(&mut rows);

        assert_eq!(text.lines().nth(1), Some("00000001_000.png,Infiltrate,256,512,256,128"));
    }
}

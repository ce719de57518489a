//! Tests with NIH's own label files and films, if available: counts, lists, the 2019 preparation.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::path::Path;

use roentgen_data::manifest::{self, List, ManifestRow};
use roentgen_data::metadata::{LabelFile, Version};
use roentgen_data::nih::read_list;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{PrepareSettings, Prepared, prepare};
use roentgen_data::sample::{self, Sample};
use roentgen_data::split::{self, Split, SplitRule};
use roentgen_data::{Finding, boxes};
use roentgen_test_support::{Outcome, shared, test_file};

test_file![
    the_2019_study_keeps_thirteen_findings_with_the_counts_of_the_v2020_file,
    samples_of_40_000_and_80_000_have_the_composition_that_the_weights_imply,
    the_split_by_film_of_2019_loses_films_and_shares_patients,
    the_official_lists_share_no_patient_also_after_validation_is_cut,
    all_984_boxes_are_read,
    real_films_are_prepared_rgba_among_them
];

/// Returns all 112,120 films as a manifest, without pixels.
fn rows(folder: &Path) -> (Version, Vec<ManifestRow>) {
    let labels = LabelFile::read(&folder.join("Data_Entry_2017_v2020.csv")).unwrap();
    let test = read_list(&folder.join("test_list.txt")).unwrap();
    let version = labels.version();
    let list = |image| if test.contains(image) { List::Test } else { List::TrainVal };
    let rows = labels
        .films
        .iter()
        .map(|film| ManifestRow::of(film, Some(list(&film.image)), [1024, 1024]));
    (version, rows.collect())
}

fn the_2019_study_keeps_thirteen_findings_with_the_counts_of_the_v2020_file() -> Outcome {
    let folder = shared::data("nih-labels")?;
    let (version, rows) = rows(&folder);
    let kept = manifest::findings_over(&rows, 1000);
    let counts = manifest::counts(&rows);

    assert_eq!((version, rows.len()), (Version::V2020, 112_120));
    assert_eq!(kept.len(), 13);
    assert!(!kept.contains(&Finding::Hernia));
    let expected = [
        11_559, 2_776, 4_667, 2_303, 13_317, 2_516, 1_686, 227, 19_894, 5_782, 6_331, 3_385, 1_431,
        5_302,
    ];
    assert_eq!(counts, expected);
    Ok(())
}

fn samples_of_40_000_and_80_000_have_the_composition_that_the_weights_imply() -> Outcome {
    let folder = shared::data("nih-labels")?;
    let (_, rows) = rows(&folder);
    for (films, positives) in [(40_000, 37_760.0), (80_000, 51_759.0)] {
        let kept = sample::draw(&rows, Sample { films, floor: 0.04 }, 2018);
        let drawn = rows.iter().zip(&kept).filter(|(_, kept)| **kept);
        let with_findings = drawn.filter(|(row, _)| !row.findings.is_empty()).count() as f64;

        assert_eq!(kept.iter().filter(|kept| **kept).count(), films);
        // Binomial at worst, so four standard errors are below 200 films.
        assert!((with_findings - positives).abs() < 200.0, "{with_findings} of {films}");
    }
    Ok(())
}

fn the_split_by_film_of_2019_loses_films_and_shares_patients() -> Outcome {
    let folder = shared::data("nih-labels")?;
    let (_, rows) = rows(&folder);
    let kept = manifest::findings_over(&rows, 1000);
    let drawn = sample::draw(&rows, Sample { films: 40_000, floor: 0.04 }, 2018);
    let rows: Vec<ManifestRow> =
        rows.into_iter().zip(drawn).filter(|(_, kept)| *kept).map(|(row, _)| row).collect();
    let sides = split::divide(&rows, SplitRule::ByImage, 2018).unwrap();
    let usable = |side| {
        let on = rows.iter().zip(&sides).filter(|(_, s)| **s == Some(side));
        on.filter(|(row, _)| kept.iter().any(|&finding| row.findings.contains(finding))).count()
    };
    // The study logged 28,236 and 9,410 usable films out of 30,000 and 10,000.
    let (train, valid) = (usable(Split::Train), usable(Split::Valid));

    assert!(train.abs_diff(28_236) < 200, "{train}");
    assert!(valid.abs_diff(9_410) < 200, "{valid}");
    let patients = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
    assert!(split::patients_on_both_sides(patients).len() > 3000);
    Ok(())
}

fn the_official_lists_share_no_patient_also_after_validation_is_cut() -> Outcome {
    let folder = shared::data("nih-labels")?;
    let (_, rows) = rows(&folder);
    let sides = split::divide(&rows, SplitRule::Official, 2018).unwrap();
    let count = |side| sides.iter().filter(|&&s| s == Some(side)).count();

    assert_eq!(count(Split::Test), 25_596);
    assert_eq!(count(Split::Train) + count(Split::Valid), 86_524);
    let patients = rows.iter().map(|row| row.patient).zip(sides.iter().copied());
    assert!(split::patients_on_both_sides(patients).is_empty());
    Ok(())
}

fn all_984_boxes_are_read() -> Outcome {
    let folder = shared::data("nih-labels")?;
    let boxes = boxes::read(&folder.join("BBox_List_2017.csv")).unwrap();
    let (_, rows) = rows(&folder);
    let test: std::collections::HashSet<&str> = rows
        .iter()
        .filter(|row| row.list == Some(List::Test))
        .map(|row| row.image.as_str())
        .collect();

    assert_eq!(boxes.len(), 984);
    assert!(boxes.iter().all(|found| test.contains(found.image.as_str())));
    assert!(boxes.iter().any(|found| found.finding == Finding::Infiltration));
    Ok(())
}

fn real_films_are_prepared_rgba_among_them() -> Outcome {
    let folder = shared::data("nih-originals-40")?;
    let out = tempfile::tempdir().unwrap();
    let settings =
        PrepareSettings { size: 224, filter: Filter::Lanczos3, labels: None, any_size: false };
    let outcome = prepare(&folder, &out.path().join("films"), &settings, &|_| ()).unwrap();
    let prepared = Prepared::open(&out.path().join("films")).unwrap();

    assert!(outcome.bad.is_empty(), "{:?}", outcome.bad);
    assert_eq!((prepared.rows.len(), prepared.store.len()), (40, 40));
    assert!(prepared.rows.iter().all(|row| row.file_size == [1024, 1024]));
    for film in 0..40 {
        let plane = prepared.store.plane(film).unwrap();
        let (low, high) = (plane.iter().min().unwrap(), plane.iter().max().unwrap());
        assert!(high - low > 100, "film {film} is flat");
    }
    Ok(())
}

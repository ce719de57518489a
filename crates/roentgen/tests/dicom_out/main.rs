//! `predict --dicom-out` and `--de-identify`: what DCMTK, dicom3tools, pydicom, highdicom and Orthanc
//! say of the objects, and whether a patient is in any of them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/dicom.rs"]
mod dicom;
mod readers;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use common::{Place, stderr};
use dicom::{SECRETS, element, film};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use readers::*;
use roentgen_test_support::{Outcome, peers, shared, test_file};
use serde_json::Value;

test_file![
    dcmtk_and_dicom3tools_find_no_error_in_any_object,
    pydicom_and_highdicom_read_what_was_predicted,
    orthanc_stores_the_objects_in_the_films_study_and_each_once,
    real_films_give_objects_without_errors,
    the_same_film_and_model_give_the_same_objects_and_other_settings_others,
    nothing_that_is_written_names_a_patient_if_it_is_de_identified,
    a_pseudonym_depends_on_the_key_and_the_film_alone,
    films_of_one_study_without_a_patient_id_are_of_one_patient,
    patients_of_dicom_files_are_those_of_their_headers,
    a_film_without_a_study_has_a_reason_or_a_new_study,
    maps_of_a_turned_film_are_in_its_own_geometry,
    a_folder_of_films_is_not_written_into
];

/// A place with a trained model and the film `film.dcm`; with `pool` for another head.
fn place() -> Place {
    let place = Place::trained();
    place.write("Doe.dcm", film(&place.at("film.png")));
    place
}

/// Trains a model with a head that has a map for each finding.
fn train_average(place: &Place) {
    place.ok("train experiment.toml --out average --set train.epochs=1 --set model.pool=average");
}

fn objects(document: &Value) -> Vec<PathBuf> {
    let film = &document["dicom"][0];
    let overlays = film["overlays"].as_array().unwrap().iter();
    let paths = overlays.chain([&film["report"], &film["presentation"], &film["film"]]);
    paths.filter_map(|path| path.as_str().map(PathBuf::from)).collect()
}

fn the_same_film_and_model_give_the_same_objects_and_other_settings_others() {
    let place = place();
    train_average(&place);
    let uid = |line: &str| {
        place.ok(line);
        element(&place.at("out/Doe.report.dcm"), tags::SOP_INSTANCE_UID)
    };

    let first = uid("predict run Doe.dcm --dicom-out out --out scores.csv");

    assert_eq!(first, uid("predict run Doe.dcm --dicom-out out --out scores.csv"));
    // An engine may give other digits.
    let report = fs::read(place.at("out/Doe.report.dcm")).unwrap();
    assert!(report.windows(11).any(|text| text == b"engine Burn"));
    // The other files of a batch and the name of the file do not matter.
    fs::copy(place.at("Doe.dcm"), place.at("copy.dcm")).unwrap();
    place.ok("predict run copy.dcm film.png --dicom-out out --new-study --out scores.csv");
    assert_eq!(first, element(&place.at("out/copy.report.dcm"), tags::SOP_INSTANCE_UID));
    assert_ne!(first, uid("predict average Doe.dcm --dicom-out out --out scores.csv"));
}

fn nothing_that_is_written_names_a_patient_if_it_is_de_identified() {
    let place = place();
    train_average(&place);
    fs::create_dir(place.at("Doe^Jane")).unwrap();
    fs::rename(place.at("Doe.dcm"), place.at("Doe^Jane/Doe^Jane.dcm")).unwrap();
    place.write("Doe^Jane/bad-PID-4711.dcm", [&[0; 128][..], b"DICM", b"PID-4711"].concat());
    place.write("key", "a secret of sixteen bytes or more");
    let mut written = Vec::new();
    for (number, line) in [
        "predict average Doe^Jane --dicom-out a/dicom --out a/scores.csv --de-identify",
        "predict average Doe^Jane --dicom-out b/dicom --de-identify --de-identify-key key --json",
        "predict average Doe^Jane --dicom-out c/dicom --de-identify --de-identify-key key",
        "explain average Doe^Jane --out a/maps --de-identify",
        "predict average Doe^Jane/Doe^Jane.dcm --picture a/picture.png --de-identify --json",
    ]
    .iter()
    .enumerate()
    {
        let output = place.run(line);
        // The damaged file is listed, but not by its name.
        let expected = if number == 4 { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(expected), "{line}: {}", stderr(&output));
        let said = text(&output);
        assert!(number == 4 || said.contains("film-"), "{line}: {said}");
        written.push((line.to_string(), said.into_bytes()));
    }
    let mut folders = vec![place.at("a"), place.at("b"), place.at("c")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else {
                written.push((name.clone(), fs::read(&path).unwrap()));
            }
            written.push((format!("the name {name}"), name.into_bytes()));
        }
    }
    assert!(written.len() > 20, "{}", written.len());
    for (what, bytes) in &written {
        for secret in SECRETS.iter().chain(&["057Y", "20190506"]) {
            let has = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!has, "{what} has {secret}: {}", String::from_utf8_lossy(bytes));
        }
    }

    let files = |folder: &str| {
        let mut files: Vec<PathBuf> = fs::read_dir(place.at(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with("report.dcm"))
            .collect();
        assert_eq!(files.len(), 1, "{folder}");
        files.remove(0)
    };
    let [drawn, first, second] = ["a/dicom", "b/dicom", "c/dicom"].map(files);
    let uids = |file: &Path| {
        [tags::STUDY_INSTANCE_UID, tags::SOP_INSTANCE_UID, tags::PATIENT_ID]
            .map(|tag| element(file, tag))
    };
    assert_eq!(uids(&first), uids(&second), "of one key");
    assert_ne!(uids(&first)[0], uids(&drawn)[0], "of another key");
    assert_eq!(element(&first, tags::PATIENT_IDENTITY_REMOVED), "YES");
    assert_eq!(element(&first, tags::PATIENT_BIRTH_DATE), "");
    assert_eq!(element(&first, tags::CONTENT_DATE), "19000101");
    let table = place.text("a/scores.csv");
    let row = table.lines().nth(1).unwrap();
    assert!(row.starts_with("film-") && row.contains(",patient-"), "{row}");
    let patient = element(&drawn, tags::PATIENT_ID);
    assert!(patient.starts_with("patient-"), "{patient}");
    assert_eq!(row.split(',').nth(1), Some(patient.as_str()), "{row}");

    place.write("inbox/1.2.DOE^JANE", "no film");
    let error = place.fails("predict average inbox --de-identify --out none.csv");
    assert!(error.contains("no PNG, JPEG or DICOM films") && !error.contains("DOE"), "{error}");

    place.write("key", "short");
    let error = place.fails("predict average film.png --de-identify --de-identify-key key");
    assert!(error.contains("at least 16 random bytes"), "{error}");
}

fn a_pseudonym_depends_on_the_key_and_the_film_alone() {
    let place = place();
    place.write("key", "a secret of sixteen bytes or more");
    let predicted = || {
        let flags = "--de-identify --de-identify-key key --out scores.csv";
        place.ok(&format!("predict run inbox {flags}"));
        let table = place.text("scores.csv");
        let names = |row: &str| row.split(',').take(2).map(str::to_owned).collect::<Vec<_>>();
        table.lines().skip(1).map(names).collect::<Vec<_>>()
    };
    fs::create_dir_all(place.at("inbox/a")).unwrap();
    fs::create_dir_all(place.at("inbox/b")).unwrap();
    fs::copy(place.at("film.png"), place.at("inbox/a/film.png")).unwrap();

    let alone = predicted();
    fs::copy(place.at("film.png"), place.at("inbox/b/film.png")).unwrap();
    let among_others = predicted();

    assert_eq!((alone.len(), among_others.len()), (1, 2));
    assert_eq!(alone[0], among_others[0]);
    assert_ne!(among_others[0], among_others[1]);
}

fn films_of_one_study_without_a_patient_id_are_of_one_patient() {
    let place = place();
    fs::create_dir(place.at("inbox")).unwrap();
    for (name, study, image) in [("a", 1, 3), ("b", 1, 4), ("c", 5, 6)] {
        let mut film = dicom_object::open_file(place.at("Doe.dcm")).unwrap();
        film.put_str(tags::PATIENT_ID, VR::LO, "ANONYMOUS");
        film.put_str(tags::STUDY_INSTANCE_UID, VR::UI, format!("1.2.826.0.1.99.{study}"));
        film.put_str(tags::SOP_INSTANCE_UID, VR::UI, format!("1.2.826.0.1.99.{image}"));
        film.write_to_file(place.at(&format!("inbox/{name}.dcm"))).unwrap();
    }

    place.ok("predict run inbox --dicom-out out --de-identify --out scores.csv");

    let table = place.text("scores.csv");
    let films: Vec<[String; 3]> = table
        .lines()
        .skip(1)
        .map(|row| {
            let mut cells = row.split(',').map(str::to_owned);
            let (image, patient) = (cells.next().unwrap(), cells.next().unwrap());
            let report = place.at(&format!("out/{image}.report.dcm"));
            assert_eq!(element(&report, tags::PATIENT_ID), patient);
            [image, patient, element(&report, tags::STUDY_INSTANCE_UID)]
        })
        .collect();
    assert_eq!(films.len(), 3);
    assert_ne!(films[0][0], films[1][0]);
    assert!(films[0][1].starts_with("patient-"), "{films:?}");
    assert_eq!(films[0][1..], films[1][1..], "of one study");
    assert_ne!(films[0][1], films[2][1], "patients of two studies");
    assert_ne!(films[0][2], films[2][2], "two studies");
}

fn patients_of_dicom_files_are_those_of_their_headers() {
    let place = place();
    fs::copy(place.at("Doe.dcm"), place.at("second.dcm")).unwrap();

    place.ok("predict run Doe.dcm second.dcm film.png --out scores.csv");

    let table = place.text("scores.csv");
    let cells = |row: usize| table.lines().nth(row).unwrap().split(',').take(5).collect::<Vec<_>>();
    assert_eq!(cells(1), ["Doe.dcm", "PID-4711", "PA", "57", "F"]);
    assert_eq!(cells(2)[1], "PID-4711");
    assert_eq!(cells(3), ["film.png", "film", "", "", ""]);
}

fn a_film_without_a_study_has_a_reason_or_a_new_study() {
    let place = place();
    let output = place.run("predict run film.png Doe.dcm --dicom-out out --json");

    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["dicom"].as_array().unwrap().len(), 1);
    assert_eq!(document["bad"][0]["image"], "film.png");
    assert!(stderr(&output).contains("no study can contain its report; `--new-study` makes one"));
    assert!(!place.at("out/film.report.dcm").exists());

    let document = place.json("predict run film.png --dicom-out out --new-study");
    assert_eq!(objects(&document).len(), 4);
    let [report, film] = ["report", "film"].map(|of| place.at(&format!("out/film.{of}.dcm")));
    assert_eq!(
        element(&report, tags::STUDY_INSTANCE_UID),
        element(&film, tags::STUDY_INSTANCE_UID)
    );
    // What was written is a film that is predicted as the picture is.
    let again = place.json(&format!("predict run {}", film.display()));
    assert_eq!(again["predictions"][0]["findings"], document["predictions"][0]["findings"]);
    if let Ok(dciodvfy) = peers::program("dciodvfy") {
        objects(&document)
            .iter()
            .for_each(|path| verify(&dciodvfy, &place.at(path.to_str().unwrap())));
    }
}

fn maps_of_a_turned_film_are_in_its_own_geometry() {
    let place = place();
    let picture = image::open(place.at("film.png")).unwrap().into_luma8();
    // Not square, so that rows and columns cannot be confused.
    let picture = image::imageops::crop_imm(&picture, 0, 0, picture.width(), picture.height() - 6);
    let picture = picture.to_image();
    picture.save(place.at("upright.png")).unwrap();
    image::imageops::rotate90(&picture).save(place.at("clockwise.png")).unwrap();
    for name in ["upright", "clockwise"] {
        place.write(&format!("{name}.dcm"), film(&place.at(&format!("{name}.png"))));
    }

    // With maps of several cells.
    place.ok("prepare films --out large --size 64");
    let set = "--set train.epochs=1 --set data.prepared=large --set model.pool=average";
    place.ok(&format!("train experiment.toml --out average {set}"));

    let document = place.json("predict average clockwise.dcm upright.dcm --dicom-out out --fix");
    assert_eq!(document["corrected"][0]["was"], "turned by 90 degrees clockwise");

    let pixels = |film: usize| {
        let path = place.at(document["dicom"][film]["overlays"][0].as_str().unwrap());
        let object = dicom_object::open_file(path).unwrap();
        let number = |tag| object.element(tag).unwrap().to_int::<u32>().unwrap();
        let (rows, columns) = (number(tags::ROWS), number(tags::COLUMNS));
        let bytes = object.element(tags::PIXEL_DATA).unwrap().to_bytes().unwrap().into_owned();
        let bytes = bytes[..(rows * columns * 3) as usize].to_vec();
        image::RgbImage::from_raw(columns, rows, bytes).unwrap()
    };
    let (turned, upright) = (pixels(0), pixels(1));
    let expected = image::imageops::rotate90(&upright);
    assert_eq!(turned.dimensions(), expected.dimensions());
    assert_ne!(turned.width(), turned.height());
    // Apart from the text in the corner, which is upright in both.
    let (mut near, mut pixels) = (0, 0);
    for (x, y, pixel) in turned.enumerate_pixels() {
        let other = expected.get_pixel(x, y);
        if y > turned.height() * 7 / 10 && x < turned.width() / 4 {
            pixels += 1;
            let distance = (0..3).map(|c| pixel[c].abs_diff(other[c])).max().unwrap();
            near += u32::from(distance <= 8);
        }
    }
    assert!(near * 100 > pixels * 95, "{near} of {pixels}");

    // A film of a new study is written as it was scored.
    place.ok("predict average clockwise.png --dicom-out new --new-study --fix --out new.csv");
    assert_eq!(
        [tags::ROWS, tags::COLUMNS].map(|tag| element(&place.at("new/clockwise.film.dcm"), tag)),
        [picture.height(), picture.width()].map(|pixels| pixels.to_string())
    );
}

fn a_folder_of_films_is_not_written_into() {
    let place = place();
    fs::create_dir(place.at("inbox")).unwrap();
    fs::copy(place.at("Doe.dcm"), place.at("inbox/Doe.dcm")).unwrap();

    for out in ["inbox", "inbox/new/reports"] {
        let error = place.fails(&format!("predict run inbox --dicom-out {out} --out scores.csv"));
        assert!(error.contains("would be taken for films"), "{error}");
    }
    assert_eq!(fs::read_dir(place.at("inbox")).unwrap().count(), 1);
    assert!(!place.at("scores.csv").exists());
}

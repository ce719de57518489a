//! The leak matrix: what each way to a score table must answer for each part of the split.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;

use common::{EXPERIMENT, Place, stderr};

/// What a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It refuses, because films of training are among them.
    Refused,
    /// It refuses, because the files do not belong together or the films have no such split.
    NotMade,
    /// It says that the films chose the model.
    Validation,
    /// It says that no patient is in common with training.
    Apart,
    /// It says that this is unknown.
    Unknown,
}

use Answer::{Apart, NotMade, Refused, Unknown, Validation};

/// The parts of the split, and a table that does not say which part it is.
const PARTS: [&str; 4] = ["train", "valid", "test", "unknown"];

/// What `evaluate` answers to a table.
fn evaluated(place: &Place, table: &str) -> Answer {
    let output = place.run(&format!("evaluate {table} --out report --resamples 2"));
    let (text, error) = (String::from_utf8_lossy(&output.stdout), stderr(&output));
    if output.status.code() == Some(1) {
        assert!(error.contains("train"), "{table}: {error}");
        return Refused;
    }
    assert_eq!(output.status.code(), Some(0), "{table}: {error}");
    let page = place.text("report/report.html");
    if text.contains("of the validation split") {
        Validation
    } else if text.contains("in common with training unknown") {
        assert!(page.contains("unknown"), "{table}: the report does not say it");
        Unknown
    } else {
        assert!(text.contains("0 patients in common with training"), "{table}: {text}");
        Apart
    }
}

/// Empties the columns that say where a film was.
fn forget(place: &Place, table: &str, to: &str) {
    let text = place.text(table);
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let mut forgotten = header.join(",");
    for mut row in lines {
        for (name, cell) in header.iter().zip(&mut row) {
            if ["split", "patient_in_training"].contains(&name.as_str()) {
                cell.clear();
            }
        }
        forgotten += &format!("\n{}", row.join(","));
    }
    place.write(to, forgotten + "\n");
}

/// Predicts a part with a model and returns the table, or `None` if `predict` refuses.
fn predicted(place: &Place, model: &str, data: &str, part: &str) -> Option<String> {
    let table = format!("{}-{data}-{part}.csv", model.replace('/', "-"));
    if part == "unknown" {
        let known = predicted(place, model, data, "test")?;
        forget(place, &known, &table);
        return Some(table);
    }
    let output = place.run(&format!("predict {model} {data} --split {part} --out {table}"));
    match output.status.code() {
        Some(0) => Some(table),
        code => {
            assert_eq!(code, Some(1), "{}", stderr(&output));
            assert!(!place.at(&table).exists());
            None
        }
    }
}

fn answer(place: &Place, model: &str, data: &str, part: &str) -> Answer {
    predicted(place, model, data, part).map_or(NotMade, |table| evaluated(place, &table))
}

fn copy(place: &Place, from: &str, to: &str, files: &[&str]) {
    fs::create_dir(place.at(to)).unwrap();
    for file in files {
        fs::copy(place.at(from).join(file), place.at(to).join(file)).unwrap();
    }
}

#[test]
fn each_way_to_a_table_answers_as_it_must_for_each_part_of_the_split() {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --seed 4 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    place.ok("train a.toml --out run --set train.epochs=1");
    copy(&place, "run", "alone", &["model.toml", "model.bpk"]);

    place.ok("train a.toml --out by-patient --set train.epochs=1 --set data.split=by-patient");
    copy(&place, "by-patient", "by-patient-alone", &["model.toml", "model.bpk"]);

    // More films of the same name, whose lists and seed split the first sixty otherwise.
    place.ok("phantom --films 120 --size 64 --seed 4 --out more");
    place.ok("prepare more --out larger --size 32");

    place.ok("phantom --films 60 --size 64 --seed 5 --out others");
    place.ok("prepare others --out other --size 32");

    let stray = common::find(&place.at("films"), "00000001_000.png");
    fs::copy(&stray, stray.with_file_name("stray.png")).unwrap();
    fs::copy(&stray, stray.with_file_name("._00000001_000.png")).unwrap();
    place.ok("prepare films --out strayed --size 32");

    copy(&place, "prepared", "edited", &["prepare.toml", "images.safetensors", "boxes.csv"]);
    let manifest = place.text("prepared/manifest.csv");
    let mut number = 1000;
    let of_strangers: Vec<String> = manifest
        .lines()
        .map(|line| {
            number += 1;
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if cells[1].parse::<u32>().is_ok() {
                cells[1] = number.to_string();
            }
            cells.join(",")
        })
        .collect();
    assert_ne!(of_strangers.join("\n").trim(), manifest.trim());
    place.write("edited/manifest.csv", of_strangers.join("\n") + "\n");

    place.write(
        "sweep.toml",
        format!("{EXPERIMENT}[sweep.product]\ntrain.learning_rate = [1e-2]\n"),
    );
    place.ok("sweep sweep.toml --out sweep --set train.epochs=1");
    let point = "sweep/points/001-learning-rate-0.01/run";

    for (way, model, data, answers) in [
        ("model whole", "run", "prepared", [Refused, Validation, Apart, Unknown]),
        ("model alone", "alone", "prepared", [Refused, Validation, Unknown, Unknown]),
        ("other data", "run", "other", [NotMade; 4]),
        ("other films, whole", "run", "larger", [Refused, Validation, Apart, Unknown]),
        ("other films, alone", "alone", "larger", [NotMade; 4]),
        ("by patient, whole", "by-patient", "prepared", [Refused, Validation, Apart, Unknown]),
        ("by patient, other films", "by-patient", "larger", [Refused, Validation, Apart, Unknown]),
        ("by patient, other films, alone", "by-patient-alone", "larger", [NotMade; 4]),
        ("stray film", "run", "strayed", [Refused, Validation, Apart, Unknown]),
        ("edited manifest", "run", "edited", [NotMade; 4]),
        ("sweep point", point, "prepared", [Refused, Validation, Apart, Unknown]),
    ] {
        for (part, expected) in PARTS.iter().zip(answers) {
            assert_eq!(answer(&place, model, data, part), expected, "{way}, {part}");
        }
    }
    place.ok("predict run other --out other.csv");
    assert_eq!(evaluated(&place, "other.csv"), Unknown, "other data, all films");
    // Names and patients are the same, but not the films.
    place.ok("predict run others --out others.csv");
    assert_eq!(evaluated(&place, "others.csv"), Unknown, "other data, as files");
    place.ok("predict by-patient-alone larger --out larger.csv");
    assert_eq!(evaluated(&place, "larger.csv"), Unknown, "other films, alone, all films");

    let tables = |part: &str| {
        ["run", point].map(|model| predicted(&place, model, "prepared", part).unwrap()).join(" ")
    };
    for (part, expected) in PARTS.iter().zip([Refused, Validation, Apart, Unknown]) {
        place.ok(&format!("ensemble --rule mean {} --out mean.csv", tables(part)));
        assert_eq!(evaluated(&place, "mean.csv"), expected, "ensemble, {part}");
    }
    // Weights are fitted on validation films, and a table that does not say so is taken with a note.
    for (part, expected) in [("train", Some(1)), ("valid", Some(0)), ("unknown", Some(0))] {
        let test = if part == "unknown" { "valid" } else { "test" };
        let line = format!(
            "ensemble --fit model {} --apply {} --out fitted.csv",
            tables(part),
            tables(test)
        );
        let output = place.run(&line);
        let error = stderr(&output);
        assert_eq!(output.status.code(), expected, "fit, {part}: {error}");
        assert_eq!(
            error.contains("does not say whether"),
            part == "unknown",
            "fit, {part}: {error}"
        );
        // The same films calibrate the table that is evaluated.
        let [fit, of] =
            [part, test].map(|part| predicted(&place, "run", "prepared", part).unwrap());
        let line = format!("evaluate {of} --fit {fit} --out fitted --resamples 2");
        let output = place.run(&line);
        let error = stderr(&output);
        assert_eq!(output.status.code(), expected, "evaluate --fit, {part}: {error}");
        assert_eq!(error.contains("does not say whether"), part == "unknown", "{part}: {error}");
    }
    let line = format!(
        "ensemble --fit model {} --apply {} --out same.csv",
        tables("test"),
        tables("test")
    );
    assert!(place.fails(&line).contains("films"), "fit and apply on the same films");
}

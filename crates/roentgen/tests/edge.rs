//! A model as one file, its figures without a report, and films that arrive one by one.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Place, find, stderr};

/// Reads the column `name` of a table, by the first column.
fn column(table: &str, name: &str) -> BTreeMap<String, String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = reader.headers().unwrap().iter().position(|column| column == name).unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[0].to_owned(), row[place].to_owned())).collect()
}

/// The largest difference between the probabilities of a finding.
fn distance(one: &str, other: &str) -> f64 {
    let numbers = |table: &str| -> BTreeMap<String, f64> {
        column(table, "Mass").into_iter().map(|(film, p)| (film, p.parse().unwrap())).collect()
    };
    let (one, other) = (numbers(one), numbers(other));
    assert!(one.keys().eq(other.keys()) && !one.is_empty());
    one.iter().map(|(film, p)| (p - other[film]).abs()).fold(0.0, f64::max)
}

#[test]
fn a_bundle_takes_the_place_of_its_run() {
    let place = Place::trained();
    let document = place.json("export run --format bundle --out model.roentgen");
    let again = place.run("export run --format bundle --out -").stdout;
    assert!(again == place.read("model.roentgen"), "two bundles of a model differ");
    assert_eq!(document["bytes"], again.len());

    fs::create_dir(place.at("elsewhere")).unwrap();
    fs::rename(place.at("model.roentgen"), place.at("elsewhere/model")).unwrap();
    let of_run = place.ok("predict run prepared --split test --out -");
    let of_bundle = place.ok("predict elsewhere/model prepared --split test --out -");
    assert_eq!(of_bundle, of_run);
    place.write("scores.csv", of_run);
    for (model, out) in [("run", "one"), ("elsewhere/model", "other")] {
        place.ok(&format!("evaluate scores.csv --model {model} --out {out} --resamples 20"));
        place.ok(&format!("explain {model} film.png --out {out}-maps"));
    }
    let metrics = |out: &str| -> serde_json::Value {
        serde_json::from_str(&place.text(&format!("{out}/metrics.json"))).unwrap()
    };
    let (one, other) = (metrics("one"), metrics("other"));
    assert_eq!(one["findings"], other["findings"]);
    for key in ["architecture", "epoch", "experiment", "initial_weights"] {
        let known = &one["provenance"][key];
        assert!(!known.is_null() && *known == other["provenance"][key], "{key}: {known}");
    }
    let one = place.json("verify run scores.csv prepared");
    let other = place.json("verify elsewhere/model scores.csv prepared");
    assert_eq!(one["verified"][0]["identity"], other["verified"][0]["identity"]);
    assert_eq!(one["verified"][1]["compared_split"], other["verified"][1]["compared_split"]);
    let error = place.fails("calibrate elsewhere/model");
    assert!(error.contains("experiment.toml"), "{error}");
}

#[test]
fn weights_in_fewer_bits_are_another_model_that_predicts_nearly_the_same() {
    let place = Place::trained();
    let whole = place.json("export run --format bundle --out f32");
    let of_run = place.ok("predict run films --out -");
    let model = |table: &str| column(table, "model").into_values().next().unwrap();
    for (weights, share, tolerance) in [("f16", 0.7, 0.001), ("int8", 0.55, 0.02)] {
        let line = format!("export run --format bundle --weights {weights} --out {weights}");
        let document = place.json(&line);
        let table = place.ok(&format!("predict {weights} films --out -"));

        let bytes = document["bytes"].as_f64().unwrap();
        assert!(bytes < share * whole["bytes"].as_f64().unwrap(), "{weights}: {bytes} bytes");
        let distance = distance(&of_run, &table);
        assert!(distance > 0.0 && distance < tolerance, "{weights}: {distance}");
        assert_ne!(model(&of_run), model(&table));
        assert_eq!(document["model"], model(&table));
        let error =
            place.fails(&format!("export {weights} --format bundle --weights int8 --out no"));
        assert!(error.contains(&format!("rounded weights ({weights} of")), "{error}");
        place.ok(&format!("export {weights} --out {weights}.onnx"));
    }
    let error = place.fails("export run --weights f16 --out no");
    assert!(error.contains("add `--format bundle`") && !place.at("no").exists(), "{error}");
}

#[test]
fn a_bundle_without_films_says_that_training_is_unknown() {
    let place = Place::trained();
    place.ok("export run --format bundle --without-films --out bare");

    let output = place.run("predict bare prepared --out -");

    assert!(stderr(&output).contains("unknown which patients were in training"));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(column(&table, "patient_in_training").values().all(String::is_empty));
    let bytes = place.read("bare");
    place.write("cut", &bytes[..bytes.len() / 2]);
    let error = place.fails("predict cut film.png");
    assert!(error.contains("`cut/model.toml`") && error.contains("not a bundle"), "{error}");
}

#[test]
fn auroc_and_roc_curves_are_those_of_the_report() {
    let place = Place::trained();
    let line = "predict run prepared --split test --out t.csv --csv-auroc auroc.csv --roc roc.svg";
    let text = place.ok(line);
    place.ok("evaluate t.csv --out report");

    let (table, report) = (place.text("auroc.csv"), place.text("report/findings.csv"));
    for name in ["auroc", "auroc_low", "auroc_high"] {
        assert_eq!(column(&table, name), column(&report, name));
    }
    let mean = column(&table, "auroc")["macro mean"].parse::<f64>().unwrap();
    assert!(text.contains(&format!("mean AUROC {mean:.4}")), "{text}");
    let curves = |svg: &str| svg.matches("<path").count();
    assert!(curves(&place.text("roc.svg")) > 0);
    assert_eq!(curves(&place.text("roc.svg")), curves(&place.text("report/roc.svg")));

    let error = place.fails("predict run prepared --split train --out no.csv --csv-auroc no");
    assert!(error.contains("were trained on") && !place.at("no").exists(), "{error}");
    // The prediction of many films is not lost.
    let error = place.fails("predict run film.png --out film.csv --roc no.svg");
    assert!(error.contains("none of the films has labels"), "{error}");
    assert!(error.contains("`film.csv` was written"), "{error}");
    assert_eq!(place.text("film.csv").lines().count(), 2);
    assert!(!place.at("no.svg").exists());
}

/// Starts watching `inbox`.
fn watch(place: &Place) -> Child {
    let words = "predict run inbox --watch --out scores.csv --batch 4";
    let mut command = place.command(words.split(' '));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn count_lines(place: &Place) -> usize {
    fs::read_to_string(place.at("scores.csv")).map_or(0, |text| text.lines().count())
}

/// Waits until the table has `rows` rows.
fn wait_for(place: &Place, rows: usize) {
    let began = Instant::now();
    while count_lines(place) < rows + 1 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{} lines, {rows} rows",
            count_lines(place)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn films_that_arrive_are_predicted_once_each_though_the_program_is_killed_ten_times() {
    let place = Place::trained();
    let films: Vec<String> = (1..=24).map(|number| format!("{number:08}_000.png")).collect();
    fs::create_dir_all(place.at("inbox/ward")).unwrap();
    for (number, film) in films.iter().enumerate() {
        let folder = if number % 2 == 0 { "inbox" } else { "inbox/ward" };
        let bytes = fs::read(find(&place.at("films"), film)).unwrap();
        place.write(&format!("{folder}/{film}"), bytes);
        if number == 2 {
            let film = place.read("film.png");
            place.write("inbox/cut.png", &film[..film.len() / 2]);
        }
        // A kill comes within a second and a half of a start or shortly after a row was written: before,
        // in or after a batch.
        if number % 2 == 1 && number < 20 {
            let mut child = watch(&place);
            if number % 4 == 1 {
                wait_for(&place, count_lines(&place).max(1));
                std::thread::sleep(Duration::from_millis(2 * number as u64));
            } else {
                std::thread::sleep(Duration::from_millis(1000 + 25 * number as u64));
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    let before = place.text("scores.csv").lines().count();
    assert!(before > 1, "no film was predicted before the last start");
    let mut child = watch(&place);
    wait_for(&place, films.len());
    let error = place.fails("predict run inbox --watch --out scores.csv");
    assert!(error.contains("another `roentgen` is writing `scores.csv`"), "{error}");
    // The film that was cut is whole now.
    place.write("inbox/cut.png", place.read("film.png"));
    wait_for(&place, films.len() + 1);
    child.kill().unwrap();
    child.wait().unwrap();

    let table = place.text("scores.csv");
    let images = column(&table, "source");
    assert_eq!((images.len(), table.lines().count()), (25, 26));
    assert!(images.contains_key("ward/00000002_000.png"), "{images:?}");
    let whole = place.ok("predict run inbox --out -");
    let named = |text: &str| -> BTreeMap<String, String> {
        let names = column(text, "source").into_iter();
        let values = column(text, "Mass");
        let named = names.map(|(image, source)| {
            (source.rsplit('/').next().unwrap().to_owned(), values[&image].clone())
        });
        named.collect()
    };
    let (table, whole) = (named(&table), named(&whole));
    for (film, p) in &whole {
        let difference = p.parse::<f64>().unwrap() - table[film].parse::<f64>().unwrap();
        assert!(difference.abs() < 1e-5, "{film}: {difference}");
    }
    let error = place.fails("predict run prepared --watch --out scores.csv");
    assert!(error.contains("in which no films arrive"), "{error}");
}

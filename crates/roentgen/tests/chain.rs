//! The chain from films to metrics: parts that do not belong together are refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;

use common::{EXPERIMENT, Place};

fn copy(place: &Place, from: &str, to: &str) {
    fs::create_dir_all(place.at(to).parent().unwrap()).unwrap();
    fs::copy(place.at(from), place.at(to)).unwrap();
}

#[test]
fn files_of_two_models_or_damaged_ones_are_not_one_model() {
    let place = Place::with_two_models();
    for name in ["model.toml", "films.csv"] {
        copy(&place, &format!("a/{name}"), &format!("mixed/{name}"));
    }
    copy(&place, "b/model.bpk", "mixed/model.bpk");
    for command in [
        "predict mixed prepared --split test --out mixed.csv",
        "export mixed --format onnx --out mixed.onnx",
    ] {
        let error = place.fails(command);
        assert!(error.contains("does not belong to the `model.toml`"), "{command}: {error}");
    }

    let mut weights = place.read("a/model.bpk");
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    place.write("mixed/model.bpk", weights);
    let error = place.fails("predict mixed prepared --split test --out mixed.csv");
    assert!(error.contains("does not belong to the `model.toml`"), "{error}");
    assert!(!place.at("mixed.csv").exists());
}

#[test]
fn a_table_of_films_that_is_not_the_runs_own_is_refused_and_never_read_as_empty() {
    let place = Place::with_two_models();
    let films = place.text("a/films.csv");
    let (header, rows) = films.split_once('\n').unwrap();
    let shortened = format!("{header}\n{}", rows.split_once('\n').unwrap().1);
    for (text, says) in [
        (String::new(), "not the table of films"),
        (format!("{header}\n"), "does not belong"),
        (shortened, "does not belong"),
        (films.replace(",train", ",test"), "does not belong"),
        (films.replacen("image", "film", 1), "not the table of films"),
        (films.replace(",train", ",training"), "not the table of films"),
    ] {
        place.write("a/films.csv", text.clone());
        let error = place.fails("predict a prepared --split test --out again.csv");
        assert!(error.contains(says), "{text:.60}: {error}");
        assert!(!place.at("again.csv").exists());
    }

    // A model of an earlier version records no hash; the number of training films is still checked.
    let description = place.text("a/model.toml");
    let description = description.split("[calibration]").next().unwrap();
    let is_recorded = |line: &&str| line.contains("_sha256") || line.starts_with("seal = ");
    let without: Vec<&str> = description.lines().filter(|line| !is_recorded(line)).collect();
    place.write("a/model.toml", without.join("\n"));
    place.write("a/films.csv", films.replace(",train", ",test"));
    let error = place.fails("predict a prepared --split test --out again.csv");
    assert!(error.contains("0 training films, but `model.toml` says"), "{error}");
    place.write("a/films.csv", films);
    let output = place.run("predict a prepared --split test --out again.csv");
    assert_eq!(output.status.code(), Some(0));
    let error = common::stderr(&output);
    assert!(error.contains("has no hash of model.toml and model.bpk"), "{error}");
    assert!(place.ok("verify a").contains("model.toml: unknown: it has no seal"));
}

#[test]
fn a_model_of_another_format_is_refused() {
    let place = Place::with_two_models();
    let description = place.text("a/model.toml");
    place.write("a/model.toml", description.replace("format = 1", "format = 2\nnew = true"));
    let error = place.fails("predict a prepared --split test --out again.csv");
    assert!(error.contains("`format = 2`, but this version of roentgen reads 1"), "{error}");
}

#[test]
fn a_score_table_names_its_model_and_its_data_set() {
    let place = Place::with_two_models();
    let cell = |table: &str, column: &str| {
        let text = place.text(table);
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
        let at = lines.next().unwrap().position(|name| name == column).unwrap();
        lines.next().unwrap().nth(at).unwrap()
    };
    let (a, b) = (cell("a.csv", "model"), cell("b.csv", "model"));
    assert_eq!((a.len(), b.len()), (12, 12));
    assert_ne!(a, b);
    let data_set = cell("a.csv", "dataset_id");
    assert!(place.text("a/data.toml").contains(&format!("\"{data_set}")));
    assert_eq!(cell("b.csv", "dataset_id"), data_set);

    place.ok("evaluate a.csv --model a --out report --resamples 20");
    let page = place.text("report/report.html");
    assert!(page.contains(&a) && page.contains("mobilenet") && page.contains("random"));
    let error = place.fails("evaluate a.csv --model b --out report-b --resamples 20");
    assert!(error.contains(&format!("was predicted by the model {a}, but `b` is")), "{error}");
    assert!(!place.at("report-b").exists());
}

#[test]
fn verify_names_the_file_that_has_changed() {
    let place = Place::with_two_models();
    place.ok("verify prepared");
    let text = place.ok("verify a");
    assert!(text.contains("model.bpk: matches") && text.contains("films.csv: matches"), "{text}");

    let mut films = place.read("prepared/images.safetensors");
    films[5000] ^= 1;
    place.write("prepared/images.safetensors", films);
    let output = place.run("verify prepared --json");
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["is_sound"], false);
    let files = document["found"]["files"].as_array().unwrap();
    let state =
        |name: &str| files.iter().find(|file| file["name"] == name).unwrap()["state"].clone();
    assert_eq!(
        (state("images.safetensors"), state("manifest.csv")),
        ("changed".into(), "matches".into())
    );

    fs::remove_file(place.at("b/films.csv")).unwrap();
    let output = place.run("verify b");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("films.csv: missing"));

    copy(&place, "b/model.bpk", "a/model.bpk");
    assert!(place.fails("verify a").contains("does not belong"));
    assert!(place.fails("verify films").contains("neither a prepared data set nor a model"));
}

#[test]
fn verify_compares_a_score_table_with_its_model_and_data_set() {
    let place = Place::with_two_models();
    let text = place.ok("verify a prepared a.csv");
    assert!(text.contains("no difference was found"), "{text}");
    assert!(
        text.contains("split and training marks: ") && !text.contains("unknown, not"),
        "{text}"
    );

    let table = place.text("a.csv");
    let row = table.lines().nth(1).unwrap();
    let patient = row.split(',').nth(1).unwrap();
    let image = row.split(',').next().unwrap();
    place.write(
        "edited.csv",
        table.replace(&format!("{image},{patient},"), &format!("{image},9999,")),
    );
    let output = place.run("verify edited.csv");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains(&format!("`patient` of `{image}` is `9999`, but should be `{patient}`")),
        "{text}"
    );

    // The other model did not predict it.
    let document = place.run("verify b prepared a.csv --json");
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).unwrap();
    assert_eq!(document["is_sound"], false);
    let problem = document["verified"][2]["problems"][0].as_str().unwrap();
    assert!(problem.contains("not one of those given"), "{problem}");
}

#[test]
fn a_folder_is_trained_in_by_one_process_at_a_time() {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    let line = "train a.toml --out run --set train.epochs=200";
    let mut first = place.command(line.split(' ')).spawn().unwrap();
    while !place.at("run/epochs.csv").exists() {
        assert!(first.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let error = place.fails(&format!("{line} --resume"));
    assert!(error.contains("another `roentgen` is writing into"), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    place.ok("train a.toml --out other");
}

//! The chain from films to metrics: parts that do not belong together are refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;

use common::{EXPERIMENT, Place};

/// Two runs of one shape on the same films, `a` and `b`, with their findings in another order, and
/// score tables of their test films.
fn two_models() -> Place {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("a.toml", EXPERIMENT);
    let settings = "--set train.epochs=1 --set findings=";
    place.ok(&format!("train a.toml --out a {settings}[\"Mass\",\"Nodule\"]"));
    place.ok(&format!("train a.toml --out b {settings}[\"Nodule\",\"Mass\"]"));
    for run in ["a", "b"] {
        place.ok(&format!("predict {run} prepared --split test --out {run}.csv"));
    }
    place
}

fn copy(place: &Place, from: &str, to: &str) {
    fs::create_dir_all(place.at(to).parent().unwrap()).unwrap();
    fs::copy(place.at(from), place.at(to)).unwrap();
}

#[test]
fn files_of_two_models_or_damaged_ones_are_not_one_model() {
    let place = two_models();
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
    let place = two_models();
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
    let place = two_models();
    let description = place.text("a/model.toml");
    place.write("a/model.toml", description.replace("format = 1", "format = 2\nnew = true"));
    let error = place.fails("predict a prepared --split test --out again.csv");
    assert!(error.contains("`format = 2`, but this version of roentgen reads 1"), "{error}");
}

#[test]
fn a_score_table_names_its_model_and_its_data_set() {
    let place = two_models();
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
    let place = two_models();
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
    let place = two_models();
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

#[test]
fn nothing_is_fitted_to_the_films_that_are_evaluated_or_were_trained_on() {
    let place = two_models();
    place.ok("predict a prepared --split train --out train.csv");
    place.made_up_films("a/scores/valid.csv", "made-up.csv");
    place.made_up_films("b/scores/valid.csv", "other.csv");
    let test = place.text("a.csv");
    // The same patients on films of other names, and a table without patients.
    let mut lines = test.lines();
    let header = lines.next().unwrap();
    let renamed: Vec<String> = lines.map(|line| format!("again-{line}")).collect();
    place.write("renamed.csv", format!("{header}\n{}\n", renamed.join("\n")));
    place.write("nameless.csv", test.replacen("image,patient,", "image,person,", 1));

    for (fit, says) in [
        ("a.csv", "is also in the tables that are fitted to"),
        ("renamed.csv", "patient `"),
        ("train.csv", "films are of the training split"),
        ("nameless.csv", "no column `patient`"),
        ("other.csv", "fit to validation films of the same model"),
    ] {
        let error = place.fails(&format!("evaluate a.csv --fit {fit} --out report"));
        assert!(error.contains(says), "{fit}: {error}");
        assert!(!place.at("report").exists(), "{fit}");
    }
    assert!(place.fails("evaluate nameless.csv --out report").contains("no column `patient`"));

    let metrics = place.json("evaluate a.csv --fit made-up.csv --out report --resamples 5");
    assert_eq!(metrics["fit"]["films"], 40);
    assert!(metrics["findings"]["Mass"]["operating_points"]["sensitivity-0.95"].is_object());
    assert!(metrics["findings"]["Mass"]["calibrated"]["isotonic"].is_object());
}

/// `predict --calibration`, on a model with Platt scaling and a temperature.
fn calibrated_by_each_method(place: &Place) {
    let predict = "predict a prepared --split test --out by-method.csv";
    let calibrated = |method: &str| {
        let document = place.json(&format!("{predict} --calibration {method}"));
        assert_eq!(document["calibration"], method);
        let text = place.text("by-method.csv");
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let at = header.iter().position(|column| *column == "Mass.calibrated").unwrap();
        let rows = text.lines().skip(1);
        let cells = rows.map(|row| row.split(',').nth(at).unwrap().to_owned());
        cells.collect::<Vec<_>>()
    };
    let error = place.fails(&format!("{predict} --calibration isotonic"));
    assert!(error.contains("no calibration by `isotonic`"), "{error}");
    assert!(error.contains("calibrate a --isotonic"), "{error}");
    place.ok("calibrate a --isotonic");
    let by = ["platt", "temperature", "isotonic"].map(calibrated);
    assert!(
        by.iter().flatten().all(|cell| (0.0..=1.0).contains(&cell.parse::<f64>().unwrap())),
        "{by:?}"
    );
    assert!(by[0] != by[1] && by[1] != by[2] && by[0] != by[2], "{by:?}");
    place.ok(predict);
    assert_eq!(place.json(predict)["calibration"], "platt");
}

#[test]
fn calibration_travels_with_the_model_and_does_not_change_who_it_is() {
    let place = two_models();
    place.ok("predict a prepared --split test --out before.csv");
    // Of a dozen validation films nothing can be fitted, and `train` says so for each finding.
    let trained = place.text("a/model.toml");
    let trained = trained.split_once("[calibration]").expect("`train` fits at its end").1;
    assert!(trained.contains("split = \"official valid\""), "{trained}");
    assert_eq!(trained.matches("\nreason = ").count(), 2, "{trained}");
    // With it, the made-up films would not be taken for the validation films of the run.
    fs::remove_file(place.at("a/films.csv")).unwrap();
    place.made_up_films("a/scores/valid.csv", "a/scores/valid.csv");
    let fitted = place.json("calibrate a");
    let mass = &fitted["calibration"]["findings"][0];
    assert_eq!((&mass["films"], &mass["positives"]), (&40.into(), &26.into()));
    assert!(place.text("a/model.toml").contains("sensitivity-0.95"));

    let called = |point: &str| {
        place.ok(&format!(
            "predict a prepared --split test --out after.csv --operating-point {point}"
        ));
        let text = place.text("after.csv");
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let at = |name: &str| header.iter().position(|column| *column == name).unwrap();
        let (p, call, model) = (at("Mass"), at("Mass.call"), at("model"));
        let threshold = mass["thresholds"][point].as_f64().unwrap();
        let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        for row in rows {
            let is_called = row[p].parse::<f64>().unwrap() >= threshold;
            assert_eq!(row[call], if is_called { "1" } else { "0" }, "{row:?}");
            assert!(!row[at("Mass.calibrated")].is_empty());
            assert!(place.text("before.csv").contains(row[model]));
        }
    };
    called("youden");
    called("specificity-0.90");
    calibrated_by_each_method(&place);
    let metrics = place.json("evaluate after.csv --model a --out report --resamples 5");
    assert_eq!(metrics["fit"]["is_used"], true);
    // Validation films that do not say so are refused, by the run's own list of films.
    place.ok("predict a prepared --split valid --out unnamed.csv");
    let valid = place.text("unnamed.csv");
    assert!(valid.contains(",official valid,"));
    place.write("unnamed.csv", valid.replace(",official valid,", ",,"));
    let error = place.fails("evaluate unnamed.csv --model a --out no --resamples 5");
    assert!(
        error.contains("that calibration and thresholds of the model were fitted on"),
        "{error}"
    );
    assert!(!place.at("no").exists());
    place.ok("evaluate unnamed.csv --out without --resamples 5");
    assert!(metrics["provenance"]["experiment"].as_str().unwrap().contains("SHA-256"));
    assert_eq!(metrics["provenance"]["seed"], 5);
}

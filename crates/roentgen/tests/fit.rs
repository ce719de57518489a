//! Calibration and thresholds: what they are fitted to, and where they go.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::fs;

use common::Place;

#[test]
fn nothing_is_fitted_to_the_films_that_are_evaluated_or_were_trained_on() {
    let place = Place::with_two_models();
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
    let place = Place::with_two_models();
    place.ok("predict a prepared --split test --out before.csv");
    // Of a dozen validation films nothing can be fitted, and `train` says so for each finding.
    let trained = place.text("a/model.toml");
    let trained = trained.split_once("[calibration]").expect("`train` fits at its end").1;
    assert!(trained.contains("split = \"official valid\""), "{trained}");
    assert_eq!(trained.matches("\nreason = ").count(), 2, "{trained}");
    // With its list, the made-up films would not be taken for the validation films of the run.
    fs::rename(place.at("a/films.csv"), place.at("films-of-a.csv")).unwrap();
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
    fs::rename(place.at("films-of-a.csv"), place.at("a/films.csv")).unwrap();
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

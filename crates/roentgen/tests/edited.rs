//! Edited files of models and runs are noticed.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{Place, stderr};

#[test]
fn an_edited_description_is_refused() {
    let place = Place::trained();
    let whole = place.text("run/model.toml");
    let training = whole.find("[training]").unwrap()..whole.find("[calibration]").unwrap();
    let without_training = whole.replace(&whole[training], "");
    for edited in [
        whole
            .replacen("\"Edema\"", "\"Edema?\"", 1)
            .replace("\"Mass\"", "\"Edema\"")
            .replace("Edema?", "Mass"),
        whole.replace("seed = 5", "seed = 6"),
        whole.replace("split = \"official\"", "split = \"by-patient\""),
        whole.replace("normalize = \"per-image\"", "normalize = \"imagenet\""),
        whole.lines().filter(|line| !line.contains("_sha256")).collect::<Vec<_>>().join("\n"),
        without_training,
    ] {
        assert_ne!(edited, whole);
        place.write("run/model.toml", edited);
        for command in ["predict run prepared --out again.csv", "calibrate run", "verify run"] {
            let error = place.fails(command);
            assert!(error.contains("has changed since it was written"), "{command}: {error}");
        }
    }
    place.write("run/model.toml", &whole);
    assert!(place.ok("verify run").contains("model.toml: matches"));
}

#[test]
fn only_the_validation_films_of_a_run_calibrate_and_compare_it() {
    let place = Place::trained();
    place.ok("train experiment.toml --out other --set train.epochs=1 --seed 6");
    place.ok("predict run prepared --split test --out run.csv");
    let own = place.text("run/scores/valid.csv");
    let rows = own.lines().count();
    assert!(rows > 3);
    let without_a_film: Vec<&str> = own.lines().take(rows - 1).collect();
    for (table, says) in [
        (place.text("run.csv"), "other split (official test)"),
        (place.text("other/scores/valid.csv"), "was predicted by the model"),
        (without_a_film.join("\n") + "\n", "other films"),
    ] {
        for command in ["calibrate run", "compare run other --out comparison --resamples 20"] {
            assert_ne!(table, own);
            place.write("run/scores/valid.csv", &table);
            let output = place.run(command);
            let error = stderr(&output);
            assert_eq!(output.status.code(), Some(0), "{command}: {error}");
            assert!(error.contains("predicting the validation films, because"), "{error}");
            assert!(error.contains(says), "{command}: {error}");
            // Calibrated columns follow from the model as it is now.
            assert_eq!(place.text("run/scores/valid.csv").lines().count(), rows);
        }
    }
    assert!(place.text("run/model.toml").contains("split = \"official valid\""));
}

#[test]
fn a_table_is_not_verified_by_another_data_set() {
    let place = Place::trained();
    place.ok("predict run prepared --split test --out test.csv");
    place.ok("phantom --films 40 --size 64 --seed 9 --out others");
    place.ok("prepare others --out other --size 32");
    place.ok("verify test.csv prepared run");
    std::fs::rename(place.at("prepared"), place.at("moved")).unwrap();
    place.ok("verify test.csv moved run");

    let output = place.run("verify test.csv other");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("which is not one of those given"), "{text}");
}

//! The viewer of `serve` in a real browser, which Playwright drives (`drive.py`): one browser and one
//! server for all, since both take seconds to start. `view.py` drives the page of `view`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "`running` is shared with the tests of the server")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../serve/running.rs"]
mod running;
mod viewing;

use std::path::Path;
use std::process::Command;

use common::{EXPERIMENT, Place};
use roentgen_test_support::{Outcome, peers, shared, test_file};
use running::Running;
use viewing::Viewing;

test_file![
    a_server_with_tokens_asks_for_one_in_a_browser,
    every_control_does_what_it_says_in_a_browser,
    the_first_look_of_the_shared_dicom_films_is_what_pydicom_makes_of_them,
    the_mistakes_of_a_model_are_found_in_a_browser
];

/// Runs checks of `drive.py` against a server, in a place with phantom films.
fn drive(place: &Place, server: &Running, arguments: &[&Path]) -> Outcome {
    run("drive.py", place, &server.url, arguments)
}

fn run(script: &str, place: &Place, url: &str, arguments: &[&Path]) -> Outcome {
    let browser = peers::chromium()?;
    let axe = peers::axe()?;
    peers::python("playwright, numpy, PIL, pydicom")?;
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/viewer").join(script))
        .arg(url)
        // `view.py` imports `drive.py`, which would otherwise leave a folder beside them.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["--browser", browser, "--axe", axe.to_str().unwrap()])
        .arg("--place")
        .arg(place.at(""))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    Ok(())
}

/// Two models on phantom films; at 64 px a map has four cells.
fn place() -> Place {
    let place = Place::new();
    place.ok("phantom --films 200 --size 64 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out first --set train.epochs=1");
    let other = "--set train.epochs=1 --set seed=6 --set model.pool=\"average\"";
    place.ok(&format!("train experiment.toml --out second {other}"));
    place
}

fn every_control_does_what_it_says_in_a_browser() -> Outcome {
    peers::chromium()?;
    peers::python("playwright, numpy, PIL, pydicom")?;
    let place = place();
    let server = Running::start(&place, "first second --no-gate");

    drive(&place, &server, &[])?;
    // Answers name the patient to the client that sent the film; the log never does.
    let log = serde_json::to_string(&server.log()).unwrap();
    assert!(!log.contains("SECRET-PATIENT") && !log.contains("20200131"), "{log}");
    assert!(!log.contains("current.dcm"), "{log}");
    Ok(())
}

fn a_server_with_tokens_asks_for_one_in_a_browser() -> Outcome {
    peers::chromium()?;
    peers::python("playwright, numpy, PIL, pydicom")?;
    let place = Place::trained();
    let token = "0123456789abcdef-of-the-ward";
    place.write("tokens", token);
    let server = Running::start(&place, "run --token-file tokens");

    drive(&place, &server, &["--token".as_ref(), token.as_ref()])
}

fn the_first_look_of_the_shared_dicom_films_is_what_pydicom_makes_of_them() -> Outcome {
    let films = shared::data("dicom")?;
    peers::chromium()?;
    peers::python("playwright, numpy, PIL, pydicom")?;
    let place = Place::trained();
    let server = Running::start(&place, "run --no-gate");

    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../roentgen-data/tests/fixtures/dicom.csv");
    drive(&place, &server, &[Path::new("--shades"), &films, &fixture])
}

fn the_mistakes_of_a_model_are_found_in_a_browser() -> Outcome {
    peers::chromium()?;
    peers::python("playwright, numpy, PIL, pydicom")?;
    let place = Place::new();
    // Half of the films validate, so that some findings have thresholds. Boxes are on test films.
    place.ok("phantom --films 250 --size 64 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", EXPERIMENT);
    let folds = "--set train.epochs=1 --set train.folds=2 --set train.fold=0";
    place.ok(&format!("train experiment.toml --out run {folds}"));
    place.ok("predict run prepared --split test --out run/scores/test.csv");
    let test = Viewing::start(&place, "run --split test");
    run("view.py", &place, &test.url, &["--scores", "run/scores/test.csv"].map(Path::new))?;
    test.end();

    let all = Viewing::start(&place, "run prepared --split all");
    run("view.py", &place, &all.url, &["--all", "250"].map(Path::new))
}

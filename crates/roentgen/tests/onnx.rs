//! A model is exported as ONNX, and ONNX Runtime makes the same predictions as Burn.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::process::Command;

use common::{EXPERIMENT, Place, stderr};
use roentgen_test_support::{Outcome, peers, test_file};

test_file![
    python_needs_nothing_but_the_exported_file_to_say_the_same,
    the_engines_agree_and_doctor_says_which_there_are,
    calibration_and_thresholds_travel_in_the_exported_file,
    a_network_in_eight_bits_predicts_as_a_model_of_its_own,
    a_library_that_is_none_is_named_and_burn_steps_in_where_it_may
];

/// Runs Python's own ONNX Runtime on the exported file, using only the metadata in the file.
const RUN: &str = r#"
import csv, json, pathlib, sys
import numpy, onnxruntime, PIL.Image
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
meta = session.get_modelmeta().custom_metadata_map
size, channels = int(meta["size"]), int(meta["channels"])
assert meta["normalize"].startswith("per-image")
paths = {path.name: path for path in pathlib.Path(sys.argv[3]).rglob("*.png")}
rows = list(csv.DictReader(open(sys.argv[2])))
worst = 0.0
for row in rows:
    gray = numpy.asarray(PIL.Image.open(paths[row["image"]]).convert("L")).astype(numpy.float64)
    assert gray.shape == (size, size)
    film = (gray - gray.mean()) / (gray.std() + 1e-6)
    film = numpy.repeat(film[None, None], channels, 1).astype(numpy.float32)
    logits, mask = session.run(["logits", "mask"], {"image": film})
    for finding, logit in zip(json.loads(meta["findings"]), logits[0], strict=True):
        worst = max(worst, abs(1 / (1 + numpy.exp(-logit)) - float(row[finding])))
print(len(rows), worst)
assert worst < 1e-4, worst
"#;

/// Trains a small model with attention on films of its own size.
fn trained() -> Place {
    let place = Place::new();
    place.ok("phantom --films 120 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out run");
    place
}

fn python_needs_nothing_but_the_exported_file_to_say_the_same() -> Outcome {
    peers::python("onnxruntime, numpy, PIL")?;
    let place = trained();
    let document = place.json("export run --format onnx --out out/model.onnx");
    assert_eq!(document["outputs"], serde_json::json!(["logits", "mask"]));
    place.ok("predict run films --engine burn --out scores.csv");

    let output = Command::new("python3")
        .args(["-c", RUN])
        .args([place.at("out/model.onnx"), place.at("scores.csv"), place.at("films")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("120 "));
    Ok(())
}

/// Calibrates and calls the logits of Python's ONNX Runtime by the metadata, for the finding Mass.
const CALIBRATE: &str = r#"
import csv, json, pathlib, sys
import numpy, onnxruntime, PIL.Image
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
meta = session.get_modelmeta().custom_metadata_map
fitted = {one["finding"]: one for one in json.loads(meta["calibration"])["findings"]}
mass = fitted["Mass"]
assert (mass["films"], mass["positives"]) == (40, 26), mass
assert mass["temperature"] > 0 and len(mass["thresholds"]) == 5, mass
output = json.loads(meta["findings"]).index("Mass")
paths = {path.name: path for path in pathlib.Path(sys.argv[3]).rglob("*.png")}
rows = list(csv.DictReader(open(sys.argv[2])))
for row in rows:
    gray = numpy.asarray(PIL.Image.open(paths[row["image"]]).convert("L")).astype(numpy.float64)
    film = ((gray - gray.mean()) / (gray.std() + 1e-6))[None, None]
    film = numpy.repeat(film, int(meta["channels"]), 1).astype(numpy.float32)
    logit = session.run(["logits"], {"image": film})[0][0][output]
    z = mass["platt"]["slope"] * logit + mass["platt"]["intercept"]
    assert abs(1 / (1 + numpy.exp(-z)) - float(row["Mass.calibrated"])) < 1e-4, row
    margin = 1 / (1 + numpy.exp(-logit)) - mass["thresholds"]["youden"]
    assert abs(margin) < 1e-4 or (margin >= 0) == (row["Mass.call"] == "1"), row
print(len(rows))
"#;

fn calibration_and_thresholds_travel_in_the_exported_file() -> Outcome {
    peers::python("onnxruntime, numpy, PIL")?;
    let place = trained();
    let metadata = |place: &Place| place.json("export run --format onnx --out out/model.onnx");
    let description = place.text("run/model.toml");
    // As an earlier version wrote it, without a seal.
    let (_, description) = description.split_once('\n').unwrap();
    place.write("run/model.toml", description.split("[calibration]").next().unwrap());
    assert!(metadata(&place)["metadata"]["calibration"].is_null());

    // With it, the made-up films would not be taken for the validation films of the run.
    std::fs::remove_file(place.at("run/films.csv")).unwrap();
    place.made_up_films("run/scores/valid.csv", "run/scores/valid.csv");
    place.ok("calibrate run");
    assert!(metadata(&place)["metadata"]["calibration"].is_string());
    place.ok("predict run films --engine burn --out scores.csv");
    let output = Command::new("python3")
        .args(["-c", CALIBRATE])
        .args([place.at("out/model.onnx"), place.at("scores.csv"), place.at("films")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "120");
    Ok(())
}

fn a_network_in_eight_bits_predicts_as_a_model_of_its_own() -> Outcome {
    peers::python("onnx, onnxruntime, numpy")?;
    let place = trained();
    place.ok("export run --out whole.onnx");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/quantize.py");
    let output = Command::new("python3")
        .args([script, "whole.onnx", "prepared", "run/films.csv", "--out", "int8.onnx"])
        .current_dir(place.at(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));

    let predict = |name: &str, flags: &str| {
        let document = place.json(&format!("predict run prepared {flags} --out {name}.csv"));
        (
            document["model"].as_str().unwrap().to_owned(),
            numbers(&place.text(&format!("{name}.csv"))),
        )
    };
    let (model, expected) = predict("runtime", "--engine onnx");
    let (of_whole, whole) = predict("whole", "--onnx whole.onnx");
    let (of_rounded, rounded) = predict("int8", "--onnx int8.onnx");
    assert_eq!(whole, expected);
    assert!(model != of_whole && model != of_rounded && of_whole != of_rounded);
    let furthest =
        rounded.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0_f64, f64::max);
    assert!(furthest > 0.0 && furthest < 0.2, "{furthest}");

    place.ok("train experiment.toml --seed 7 --out other");
    let error = place.fails("predict other prepared --onnx int8.onnx --out no.csv");
    assert!(error.contains(&format!("it is of the model {model}")), "{error}");
    place.write("cut.onnx", &std::fs::read(place.at("int8.onnx")).unwrap()[..1000]);
    let error = place.fails("predict run prepared --onnx cut.onnx --out no.csv");
    assert!(error.contains("rejected"), "{error}");
    assert!(!place.at("no.csv").exists());
    Ok(())
}

fn the_engines_agree_and_doctor_says_which_there_are() -> Outcome {
    let place = trained();
    let doctor = place.json("doctor");
    let engines: Vec<&str> = doctor["engines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|engine| engine.as_str().unwrap())
        .collect();
    if !engines.contains(&"onnx") {
        assert!(doctor["onnxruntime"]["missing"].as_str().unwrap().contains("ORT_DYLIB_PATH"));
        return Err(peers::missing("there is no ONNX Runtime".to_owned()));
    }
    let tables = ["burn", "onnx"].map(|engine| {
        let line = format!("predict run prepared --engine {engine} --out {engine}.csv");
        let said = place.json(&line)["engine"].as_str().unwrap().to_lowercase();
        assert!(said.starts_with(engine), "{said}");
        place.text(&format!("{engine}.csv"))
    });
    let [burn, onnx] = tables.each_ref().map(|table| numbers(table));
    assert!(burn.len() >= 120 * 14 && burn.len() == onnx.len());
    for (burn, onnx) in burn.iter().zip(&onnx) {
        assert!((burn - onnx).abs() < 1e-4, "{burn} and {onnx}");
    }
    Ok(())
}

/// Reads the probabilities of a table: all cells that are numbers with a decimal point.
fn numbers(table: &str) -> Vec<f64> {
    let cells = table.split(['\n', ',']).filter(|cell| cell.contains('.'));
    cells.filter_map(|cell| cell.parse().ok()).collect()
}

fn a_library_that_is_none_is_named_and_burn_steps_in_where_it_may() {
    let place = trained();
    place.write("libonnxruntime.so", "not a library");
    let run = |engine: &str| {
        let line = format!("predict run prepared --engine {engine} --out scores.csv");
        let mut command = place.command(line.split(' '));
        command.env("ORT_DYLIB_PATH", place.at("libonnxruntime.so")).output().unwrap()
    };

    let output = run("onnx");
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("libonnxruntime.so") && error.contains("ORT_DYLIB_PATH"), "{error}");
    assert!(!place.at("scores.csv").exists());

    let output = run("auto");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("predicting with Burn, because"), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("by Burn"));
}

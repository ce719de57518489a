//! Outputs that go to standard output by another name, and outputs that are inputs.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::Place;

#[cfg(unix)]
#[test]
fn a_table_on_standard_output_is_nothing_but_the_table() {
    let place = Place::trained();
    std::os::unix::fs::symlink("/dev/stdout", place.at("link")).unwrap();
    let line = "predict run prepared --split test --out";
    place.ok(&format!("{line} table.csv"));
    let table = place.text("table.csv");

    for out in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"] {
        assert_eq!(place.ok(&format!("{line} {out}")), table, "{out}");
        let error = place.fails(&format!("{line} {out} --json"));
        assert!(error.contains("both write to standard output"), "{out}: {error}");
    }
    // As the shell does for `> redirected.csv`.
    let file = std::fs::File::create(place.at("redirected.csv")).unwrap();
    let words = format!("{line} /dev/fd/1");
    let status = place.command(words.split(' ')).stdout(file).status().unwrap();
    assert!(status.success());
    assert_eq!(place.text("redirected.csv"), table);
}

#[test]
fn no_output_replaces_what_was_read() {
    let place = Place::trained();
    for split in ["valid", "test"] {
        place.ok(&format!("predict run prepared --split {split} --out {split}.csv"));
    }
    std::fs::create_dir(place.at("folder")).unwrap();
    std::fs::copy(place.at("film.png"), place.at("folder/film.png")).unwrap();
    for (line, file) in [
        ("predict run film.png --out film.png", "film.png"),
        ("predict run film.png --out table.csv --picture ./film.png", "film.png"),
        ("predict run folder --out folder/film.png", "folder/film.png"),
        ("predict run prepared --split test --out prepared/manifest.csv", "prepared/manifest.csv"),
        ("predict run prepared --split test --out run/films.csv", "run/films.csv"),
        ("export run --format onnx --out run/model.bpk", "run/model.bpk"),
        ("join valid.csv test.csv --out test.csv", "test.csv"),
        ("ensemble valid.csv test.csv --out valid.csv", "valid.csv"),
    ] {
        let before = place.read(file);
        let error = place.fails(line);
        assert!(error.contains("is a file of the input"), "{line}: {error}");
        assert!(place.read(file) == before, "{line}");
    }
    assert!(!place.at("table.csv").exists());
    // A table among the films is not a film, and a second table replaces the first.
    place.ok("predict run folder --out folder/scores.csv");
    place.ok("predict run folder --out folder/scores.csv");
}

#[test]
fn a_report_has_no_table_of_the_one_before() {
    let place = Place::trained();
    place.ok("predict run prepared --split test --out a.csv");
    std::fs::copy(place.at("a.csv"), place.at("b.csv")).unwrap();
    place.ok("evaluate a.csv --protocols --out report --resamples 2");
    assert!(place.at("report/protocols.csv").exists());
    place.ok("evaluate a.csv b.csv --out report --resamples 2");
    assert!(place.at("report/differences.csv").exists());

    place.ok("evaluate a.csv --out report --resamples 2");

    assert!(!place.at("report/protocols.csv").exists());
    assert!(!place.at("report/differences.csv").exists());
}

#[test]
fn a_folder_is_written_into_by_one_command_at_a_time() {
    let place = Place::trained();
    place.ok("predict run prepared --split test --out a.csv");
    place.ok("train experiment.toml --out other --set train.epochs=1 --seed 6");
    std::fs::create_dir(place.at("out")).unwrap();
    let lock = |name: &str| {
        let file = std::fs::File::options().create(true).append(true).open(place.at(name)).unwrap();
        file.lock().unwrap();
        file
    };

    let held = lock("out/.report.lock");
    for line in [
        "evaluate a.csv --out out --resamples 2",
        "explain run film.png --out out",
        "compare run other --out out --resamples 20",
    ] {
        let error = place.fails(line);
        assert!(error.contains("another `roentgen` is writing into `out`"), "{line}: {error}");
    }
    drop(held);
    place.ok("evaluate a.csv --out out --resamples 2");

    // While a run is trained its model is not calibrated, and its table is only read.
    let before = place.read("run/model.toml");
    let held = lock("run/.run.lock");
    assert!(place.fails("calibrate run").contains("is writing into `run`"));
    assert!(place.read("run/model.toml") == before);
    place.ok("compare run other --out out --resamples 20");
    std::fs::remove_file(place.at("run/scores/valid.csv")).unwrap();
    assert!(place.fails("compare run other --out out").contains("is writing into `run`"));
    drop(held);
    place.ok("calibrate run");
}

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

//! `predict` of single films: the answer on the terminal, in JSON and as a table.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{EXPERIMENT, Place, stderr};

fn trained() -> Place {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out run --set train.epochs=1");
    let film = common::find(&place.at("films"), "00000001_000.png");
    std::fs::copy(film, place.at("film.png")).unwrap();
    place
}

#[test]
fn one_film_is_answered_on_the_terminal_in_a_document_and_as_a_table_alike() {
    let place = trained();
    let text = place.ok("predict run film.png");
    let document = place.json("predict run film.png");
    let table = place.ok("predict run film.png --out -");

    let findings = document["predictions"][0]["findings"].as_object().unwrap();
    assert_eq!((findings.len(), document["out"].is_null()), (14, true));
    let mut lines = table.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((header[0], row[0], lines.next()), ("image", "film.png", None));
    for (finding, answer) in findings {
        let probability = answer["probability"].as_f64().unwrap();
        let column = header.iter().position(|name| name == finding).unwrap();
        assert_eq!(row[column].parse::<f64>().unwrap(), probability);
        let shown = format!("{}  ", finding.replace('_', " "));
        let line = text.lines().find(|line| line.trim_start().starts_with(&shown)).unwrap();
        assert!(line.contains(&format!("{probability:.3}")), "{line}");
    }
    let shown: Vec<f64> = text
        .lines()
        .filter(|line| line.starts_with("  "))
        .map(|line| line.split_whitespace().find_map(|word| word.parse().ok()).unwrap())
        .collect();
    assert!(shown.is_sorted_by(|a, b| a >= b), "{shown:?}");
    assert!(text.ends_with("not for diagnostic use\n"), "{text}");
    let error = place.fails("predict run film.png --out - --json");
    assert!(error.contains("both write to standard output"), "{error}");
}

#[test]
fn films_of_one_name_are_told_apart_by_their_folders() {
    let place = trained();
    let film = place.read("film.png");
    for study in ["patient00001/study1", "patient00001/study2", "patient00002/study1"] {
        place.write(&format!("valid/{study}/view1_frontal.png"), &film);
    }
    let document = place.json("predict run valid");
    let films: Vec<(&str, &str)> = document["predictions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|film| (film["image"].as_str().unwrap(), film["patient"].as_str().unwrap()))
        .collect();
    assert_eq!(
        films,
        [
            ("patient00001/study1/view1_frontal.png", "patient00001"),
            ("patient00001/study2/view1_frontal.png", "patient00001"),
            ("patient00002/study1/view1_frontal.png", "patient00002"),
        ]
    );
    let explained = place.json("explain run valid --out masks");
    assert_eq!(explained["films"].as_array().unwrap().len(), 3);
    assert_eq!(std::fs::read_dir(place.at("masks")).unwrap().count(), 7);

    place.write("other/film.png", &film);
    let error = place.fails("predict run film.png other/film.png");
    assert!(
        error.contains("two films are named `film.png`: one of `film.png` and one of"),
        "{error}"
    );
    place.write("nothing/notes.txt", "no film");
    let error = place.fails("predict run nothing");
    assert!(error.contains("it has 1 .txt"), "{error}");
}

#[test]
fn films_of_another_data_set_are_external_and_training_films_among_them_are_marked() {
    let place = trained();
    place.ok("phantom --films 60 --size 64 --seed 7 --out strangers");
    place.ok("prepare strangers --out strangers-32 --size 32");
    let error = place.fails("predict run strangers-32 --split test --out test.csv");
    assert!(error.contains("leave `--split` out"), "{error}");
    place.ok("predict run strangers-32 --out all.csv");
    let table = place.text("all.csv");
    assert_eq!(table.matches(",external,").count(), 60);
    assert!(!table.contains(" train"), "no film of another data set is a training film");

    // The training films under another name of the data set.
    let text = place.text("films/PHANTOM.txt");
    std::fs::remove_file(place.at("films/PHANTOM.txt")).unwrap();
    place.ok("prepare films --out renamed --size 32");
    place.write("films/PHANTOM.txt", text);
    place.ok("predict run renamed --out renamed.csv");
    let output = place.run("evaluate renamed.csv --out report");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("were trained on"), "{}", stderr(&output));
}

#[test]
fn an_experiment_is_written_with_comments_and_never_over_another() {
    let place = Place::new();
    place.ok("init first.toml --prepared data/films");
    let shown = place.ok("show first.toml");
    assert!(shown.contains("prepared = \"data/films\""), "{shown}");
    assert!(place.text("first.toml").contains("# early_stopping"));
    assert!(place.fails("init first.toml").contains("is not overwritten"));
    assert!(place.ok("init -").starts_with("# An experiment"));
}

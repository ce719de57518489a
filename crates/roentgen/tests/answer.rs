//! `predict` of single films: the answer on the terminal, in JSON and as a table.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{Place, stderr};

#[test]
fn one_film_is_answered_on_the_terminal_in_a_document_and_as_a_table_alike() {
    let place = Place::trained();
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
fn one_film_is_drawn_with_its_heat_map_and_findings() {
    let place = Place::trained();
    let document = place.json("predict run film.png --picture answer.png");

    assert_eq!(document["picture"], "answer.png");
    assert_eq!(document["predictions"][0]["findings"].as_object().unwrap().len(), 14);
    let picture = image::open(place.at("answer.png")).unwrap().into_rgb8();
    // Gray film, heat map beside it, list of findings.
    let is_gray = |column: u32| {
        (60..500).all(|row| {
            let [red, green, blue] = picture.get_pixel(column, row).0;
            red == green && green == blue
        })
    };
    assert!((16..528).all(is_gray));
    let list = 1072;
    assert_eq!(picture.width(), list + 25 * 16 + 200 + 9 * 16 + 16);
    assert!((list..picture.width()).any(|column| !is_gray(column)));

    let error = place.fails("predict run films --picture many.png --out many.csv");
    assert!(error.contains("a picture has one film, but 60 were predicted"), "{error}");
    assert!(!place.at("many.png").exists() && !place.at("many.csv").exists());
    let error = place.fails("predict run film.png --picture a.png --out a.png");
    assert!(error.contains("both name `a.png`"), "{error}");
}

#[test]
fn films_of_a_raw_folder_have_what_its_label_file_says() {
    let place = Place::trained();
    let table = place.ok("predict run films --out -");
    place.ok("predict run prepared --out prepared.csv");
    let cells = |table: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let header = reader.headers().unwrap().clone();
        let mut rows: Vec<Vec<String>> = reader
            .records()
            .map(|row| {
                let row = row.unwrap();
                let is_about_film = |name: &str| {
                    name.ends_with(".truth")
                        || ["image", "patient", "view", "age", "sex", "split", "dataset"]
                            .contains(&name)
                        || name == "patient_in_training"
                };
                let pairs = header.iter().zip(&row);
                pairs.filter(|(name, _)| is_about_film(name)).map(|(_, cell)| cell.into()).collect()
            })
            .collect();
        rows.sort();
        rows
    };
    let raw = cells(&table);
    assert_eq!((raw.len(), &raw), (60, &cells(&place.text("prepared.csv"))));

    // The label file is found above a folder of films, too, and other films are unknown.
    let film = common::find(&place.at("films"), "00000001_000.png");
    std::fs::copy(&film, film.with_file_name("stranger.png")).unwrap();
    let folder = film.parent().unwrap().strip_prefix(place.at("")).unwrap().to_owned();
    let output = place.run(&format!("predict run {} --out inner.csv", folder.display()));
    assert!(stderr(&output).contains("of 20 of 21 films"), "{}", stderr(&output));
    let inner = place.text("inner.csv");
    let stranger = inner.lines().find(|line| line.starts_with("stranger.png")).unwrap();
    assert!(stranger.contains(",files,"), "{stranger}");

    // Without the films of the run, a film of the training list counts as trained on.
    std::fs::remove_file(film.with_file_name("stranger.png")).unwrap();
    std::fs::create_dir(place.at("alone")).unwrap();
    for file in ["model.toml", "model.bpk"] {
        std::fs::copy(place.at("run").join(file), place.at("alone").join(file)).unwrap();
    }
    place.ok("predict alone films --out alone.csv");
    assert!(place.text("alone.csv").contains(",official train_val,"));
    assert!(place.fails("evaluate alone.csv --out report").contains("train_val"));
}

#[test]
fn the_films_of_a_split_are_found_by_the_run() {
    let place = Place::trained();
    place.ok("predict run --split valid --out valid.csv");
    let own = place.text("run/scores/valid.csv");
    assert_eq!(place.text("valid.csv").lines().count(), own.lines().count());

    std::fs::rename(place.at("prepared"), place.at("elsewhere")).unwrap();
    std::fs::remove_file(place.at("run/scores/valid.csv")).unwrap();
    let moved = place.at("prepared").display().to_string();
    for command in
        ["predict run --split valid --out valid.csv", "compare run --out c", "calibrate run"]
    {
        let error = place.fails(command);
        assert!(error.contains(&format!("`{moved}`, which is not there")), "{command}: {error}");
    }
    place.ok("prepare films --out other --size 64");
    for command in ["calibrate run --data other", "resume run --data other"] {
        let error = place.fails(command);
        assert!(error.contains("no folder of `--data` contains the films"), "{command}: {error}");
    }
    place.ok("calibrate run --data elsewhere");
    std::fs::remove_file(place.at("run/scores/valid.csv")).unwrap();
    place.ok("compare run --data elsewhere --out c");
    assert!(place.at("run/scores/valid.csv").exists());
}

#[test]
fn films_of_one_name_are_told_apart_by_their_folders() {
    let place = Place::trained();
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
    let names =
        std::fs::read_dir(place.at("masks")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| !name.to_string_lossy().starts_with('.')).count(), 9);

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
    let place = Place::trained();
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

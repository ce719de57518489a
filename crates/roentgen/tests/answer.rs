//! `predict` of single films: the answer on the terminal, in JSON and as a table.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{EXPERIMENT, Place, stderr};

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

#[test]
fn maps_of_named_findings_are_written_for_all_films_and_drawn_for_some() {
    let place = Place::trained();
    let explained = place.json(
        "explain run prepared --split test --method grad-cam++ --finding Mass,Edema --finding Mass \
         --most 2 --batch 5 --out maps",
    );
    let films = explained["films"].as_array().unwrap();
    let findings: Vec<&str> = films.iter().map(|film| film["finding"].as_str().unwrap()).collect();
    assert_eq!(findings, ["Mass", "Edema", "Mass", "Edema"]);
    let overlay = films[0]["overlay"].as_str().unwrap();
    assert!(overlay.ends_with(".Mass.overlay.png"), "{overlay}");
    assert!(place.at("maps/grad-cam++.svg").exists());

    let predicted = place.json("predict run prepared --split test --out test.csv");
    let count = 2 * predicted["films"].as_u64().unwrap() as usize;
    let table = place.text("maps/maps.csv");
    assert_eq!(table.lines().next(), Some("image,patient,finding,probability,low,high"));
    assert_eq!(table.lines().count(), 1 + count);
    let maps = place.read("maps/maps.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(&maps).unwrap();
    let rows = tensors.tensor("rows").unwrap();
    assert_eq!(rows.shape(), [count, 1, 1]);
    let rows: Vec<f32> =
        rows.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    for (line, value) in table.lines().skip(1).zip(rows) {
        let highest: f32 = line.rsplit(',').next().unwrap().parse().unwrap();
        assert_eq!(highest, value, "{line}");
    }
    // The probability is that of the score table.
    let cells: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
    let scores = place.text("test.csv");
    let at = scores.lines().next().unwrap().split(',').position(|name| name == "Mass").unwrap();
    let row = scores.lines().find(|line| line.starts_with(cells[0])).unwrap();
    let expected: f64 = row.split(',').nth(at).unwrap().parse().unwrap();
    assert!((cells[3].parse::<f64>().unwrap() - expected).abs() < 1e-5, "{row}");
}

#[test]
fn what_a_head_or_an_input_does_not_allow_is_refused_with_what_it_allows() {
    let place = Place::trained();
    for (line, says) in [
        (
            "explain run film.png --method cam",
            "it allows `attention`, `grad-cam`, `grad-cam++` and",
        ),
        ("explain run film.png --finding Mass", "one for all findings"),
        ("explain run film.png --boxes", "`--boxes` needs prepared data sets, which `film.png` is"),
        ("explain run prepared --boxes", "the maps have one cell"),
    ] {
        let error = place.fails(&format!("{line} --out maps"));
        assert!(error.contains(says), "{line}: {error}");
    }
    // The film is drawn in its own size, which is twice that of the model.
    place.ok("explain run film.png --method occlusion --out maps");
    let drawn = std::fs::read_dir(place.at("maps")).unwrap();
    let names: Vec<String> =
        drawn.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let map = names.iter().find(|name| name.ends_with(".map.png")).unwrap();
    let map = image::load_from_memory(&place.read(&format!("maps/{map}"))).unwrap();
    assert_eq!([map.height(), map.width()], [64, 64]);
}

/// Adds two boxes on a film that is not a test film to the box list, which has `boxes` on test films.
fn boxes_of_films_that_are_not_there_do_not_count(place: &Place, boxes: usize) {
    let list = "films/BBox_List_2017.csv";
    let film = place.text("films/train_val_list.txt").lines().next().unwrap().to_owned();
    let rows = ["Mass", "Nodule"].map(|name| format!("{film},{name},300.5,310.5,120.0,90.0\n"));
    place.write(list, place.text(list) + &rows.concat());
    place.ok("prepare films --out more --size 96");

    let explained =
        place.json("explain run more --split test --boxes --resamples 5 --out more-boxes");
    let found = &explained["localization"];
    assert_eq!((&found["boxes"], &found["boxes_elsewhere"]), (&boxes.into(), &2.into()));
    let page = place.text("more-boxes/localization.html");
    assert!(page.contains("2 boxes are on films that are not among these"), "{page}");
}

#[test]
fn maps_are_held_against_boxes_and_the_report_of_the_same_model_shows_it() {
    let place = Place::new();
    place.ok("phantom --films 150 --size 96 --seed 4 --out films");
    place.ok("prepare films --out prepared --size 96");
    place.write("experiment.toml", EXPERIMENT);
    for run in ["run", "other"] {
        let seed = run.len();
        place.ok(&format!(
            "train experiment.toml --out {run} --seed {seed} --set train.epochs=1 \
             --set model.pool=linear"
        ));
        place.ok(&format!("predict {run} prepared --split test --out {run}.csv"));
    }
    let explained =
        place.json("explain run prepared --split test --boxes --resamples 20 --out boxes");
    let found = &explained["localization"];
    assert_eq!(found["method"], "grad-cam");
    assert_eq!(found["map"], serde_json::json!([3, 3]));
    assert_eq!(
        (&found["patients_in_training"], &found["split"]),
        (&0.into(), &"official test".into())
    );
    let boxes = place.text("prepared/boxes.csv").lines().count() - 1;
    let number = |key: &str| found[key].as_u64().unwrap() as usize;
    // Boxes are drawn on test films only.
    assert_eq!((number("boxes"), number("boxes_elsewhere")), (boxes, 0));
    let error = place.fails("explain run prepared --split train --boxes --out no");
    assert!(error.contains(&format!("{boxes} are on films that are not among")), "{error}");
    let maps = place.text("boxes/maps.csv").lines().count() - 1;
    let films: u64 =
        found["findings"].as_array().unwrap().iter().map(|of| of["films"].as_u64().unwrap()).sum();
    assert_eq!(films as usize, maps);
    let page = place.text("boxes/localization.html");
    assert!(page.contains("Mean box of other patients") && page.contains("class=\"box own\""));
    assert!(place.text("boxes/localization.csv").contains("mean,ceiling,pointing,,"));

    let identity = found["dataset_id"].as_str().unwrap();
    assert!(place.text("prepared/prepare.toml").contains(identity), "{identity}");
    boxes_of_films_that_are_not_there_do_not_count(&place, boxes);

    let boxed = found["findings"][0]["finding"].as_str().unwrap();
    let one = place.json(&format!(
        "explain run prepared --split test --boxes --resamples 5 --finding {boxed} --out one"
    ));
    assert_eq!(one["localization"]["findings"].as_array().unwrap().len(), 1);
    assert!(one["localization"]["boxes_of_other_findings"].as_u64().unwrap() > 0);

    place.ok("evaluate run.csv --localization boxes/localization.json --out report --resamples 20");
    for file in ["report/report.html", "report/report.md"] {
        assert!(place.text(file).contains("Maps by grad-cam compared with"), "{file}");
    }
    let metrics: serde_json::Value =
        serde_json::from_str(&place.text("report/metrics.json")).unwrap();
    for key in ["model", "method", "films", "boxes"] {
        assert_eq!(metrics["localization"][key], found[key]);
    }
    let of = |document: &serde_json::Value| {
        document["mean"]["model"]["pointing"]["value"].as_f64().unwrap()
    };
    assert!((of(&metrics["localization"]) - of(found)).abs() < 1e-12);
    let error = place.fails("evaluate other.csv --localization boxes/localization.json --out no");
    assert!(error.contains("give the localization of the same model"), "{error}");
    place.ok("evaluate run.csv --out report --resamples 20");
    assert!(!place.text("report/report.html").contains("id=\"explanations\""));

    // A model without an attention mask has a Grad-CAM in the picture of a film.
    let film = common::find(&place.at("films"), "00000001_000.png");
    std::fs::copy(film, place.at("film.png")).unwrap();
    place.ok("predict run film.png --picture answer.png");
    let picture = image::open(place.at("answer.png")).unwrap();
    assert_eq!(picture.width(), 1072 + 25 * 16 + 200 + 9 * 16 + 16);
}

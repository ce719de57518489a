//! `explain`: maps of films, and maps held against boxes.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{EXPERIMENT, Place};

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
        assert!(place.text(file).contains("Maps by grad-cam held against"), "{file}");
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

//! The whole pipeline, command by command, on a few synthetic films.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{EXPERIMENT, Place, stderr};

#[test]
fn from_phantom_to_report_every_command_leaves_what_the_next_one_takes() {
    let place = Place::new();
    let drawn = place.json("phantom --films 90 --size 64 --seed 4 --out films");
    assert_eq!(drawn["films"], 90);

    let prepared = place.json("prepare films --out prepared --size 32");
    assert_eq!(prepared["prepared"]["films"], 90);
    assert_eq!(prepared["prepared"]["dataset"], "phantom (seed 4)");
    assert_eq!(prepared["bad"].as_array().unwrap().len(), 0);

    let described = place.json("describe prepared --out pictures");
    assert_eq!(described["patients_on_both_sides"], 0);
    for (picture, title, shows) in [
        ("findings", "Films by finding", "Infiltration"),
        ("findings-adjusted", "Shares of findings after weighting films", "Infiltration"),
        ("findings-per-film", "Films by number of findings", "1 finding"),
        ("co-occurrence", "Findings on the same films", "Infiltration"),
        ("co-occurrence-chord", "Findings on the same films", "Infiltration"),
        ("films", "Sample films", "data:image/png;base64,"),
    ] {
        let svg = place.text(&format!("pictures/{picture}.svg"));
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{picture}");
        assert!(svg.contains(&format!("<title>{title}</title>")), "{picture} has another title");
        assert!(svg.contains(shows), "{picture} does not show {shows}");
    }

    assert!(!place.at("pictures/findings-cleaned.svg").exists(), "no finding is on 1,000 films");
    let page = place.text("pictures/description.html");
    assert!(page.contains("phantom (seed 4)") && page.contains("Films by finding"), "{page}");
    assert_eq!(described["duplicates"]["across_split"], 0);

    place.write("experiment.toml", EXPERIMENT);
    let trained = place.json("train experiment.toml --out run");
    assert_eq!(trained["finished"], true);
    assert_eq!(place.text("run/epochs.csv").lines().count(), 3);

    let predicted = place.json("predict run prepared --split test --out run/scores/test.csv");
    assert_eq!(
        (&predicted["split"], &predicted["dataset"]),
        (&"official test".into(), &"phantom (seed 4)".into())
    );
    let header = place.text("run/scores/test.csv").lines().next().unwrap().to_owned();
    assert!(header.starts_with("image,patient,view,age,sex,source,"), "{header}");
    assert!(header.contains(",Pneumothorax,Pneumothorax.truth"), "{header}");

    let metrics = place.json("evaluate run/scores/test.csv --out report --resamples 50");
    assert_eq!(metrics["patients_in_training"], 0);
    assert_eq!(metrics["split"], "official test");
    assert!(metrics["findings"]["Effusion"]["auroc"].is_number());
    let page = place.text("report/report.html");
    assert!(page.contains("drawn by roentgen phantom"), "the page says whose films these are");
    assert!(page.contains("data:image/png;base64,"), "the page shows films");
    assert!(place.text("report/report.md").contains("phantom"));

    let explained = place.json("explain run prepared --split test --out masks --most 4");
    assert_eq!(explained["films"].as_array().unwrap().len(), 4);
    let overlay = explained["films"][0]["overlay"].as_str().unwrap();
    let overlay = image::load_from_memory(&place.read(overlay)).unwrap();
    // The film is enlarged, and the colour bar is below it.
    assert_eq!(overlay.width(), 256);
    assert!(overlay.height() > 256);
}

#[test]
fn a_prediction_of_picture_files_equals_that_of_the_prepared_films() {
    let place = Place::new();
    place.ok("phantom --films 40 --size 64 --seed 4 --out films");
    place.ok("prepare films --out prepared --size 64");
    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out run --set train.epochs=1");
    place.ok("predict run prepared --out prepared.csv");
    place.ok("predict run films --out files.csv --batch 3");

    let column = |file: &str| -> Vec<(String, f64)> {
        let text = place.text(file);
        let at =
            text.lines().next().unwrap().split(',').position(|name| name == "Effusion").unwrap();
        let mut rows: Vec<_> = text
            .lines()
            .skip(1)
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                (cells[0].to_owned(), cells[at].parse().unwrap())
            })
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows
    };
    let (prepared, files) = (column("prepared.csv"), column("files.csv"));
    assert_eq!(prepared.len(), 40);
    for ((image, one), (other_image, other)) in prepared.iter().zip(&files) {
        assert_eq!(image, other_image);
        assert!((one - other).abs() < 1e-5, "{image}: {one} and {other}");
    }
}

#[test]
fn training_films_are_not_evaluated_and_leaky_splits_say_so_everywhere() {
    let place = Place::new();
    place.ok("phantom --films 60 --size 64 --seed 4 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out run --set train.epochs=1");
    place.ok("predict run prepared --split train --out train.csv");
    let error = place.fails("evaluate train.csv --out report");
    assert!(error.contains("patients"), "{error}");
    assert!(!place.at("report").exists());

    // Without its list of patients a model marks nobody, but each row still names its split.
    std::fs::create_dir(place.at("alone")).unwrap();
    for part in ["model.toml", "model.bpk"] {
        let (from, to) = (place.at("run").join(part), place.at("alone").join(part));
        std::fs::copy(from, to).unwrap();
    }
    place.ok("predict alone prepared --split train --out alone.csv");
    let error = place.fails("evaluate alone.csv --out report");
    assert!(error.contains("of the training split `official train`"), "{error}");
    assert!(!place.at("report").exists());

    let error = place.fails("train experiment.toml --out by-film --set data.split=by-image");
    assert!(error.contains("are on both sides"), "{error}");
    place.ok("train experiment.toml --out by-film --set data.split=by-image --set data.leaky=true --set train.epochs=1");
    place.ok("predict by-film prepared --split valid --out leaky.csv");
    let text = place.ok("evaluate leaky.csv --out leaky --resamples 20");
    assert!(text.contains("by-image valid, leaky"), "{text}");
    assert!(place.text("leaky/report.html").contains("leaky"));
    assert!(place.text("leaky/metrics.json").contains("by-image valid, leaky"));
}

#[test]
fn ensembles_are_of_the_same_films() {
    let place = Place::new();
    let table = |rows: &[(&str, f64)]| {
        let mut text = "image,patient,Mass,Mass.truth\n".to_owned();
        for (image, probability) in rows {
            text.push_str(&format!("{image},1,{probability},1\n"));
        }
        text
    };
    place.write("a.csv", table(&[("x.png", 0.2), ("y.png", 0.4)]));
    place.write("b.csv", table(&[("y.png", 0.8), ("x.png", 0.4)]));
    place.write("c.csv", table(&[("x.png", 0.9), ("y.png", 0.0)]));
    place.write("short.csv", table(&[("x.png", 0.9)]));
    let scores = |line: &str| {
        place.ok(line);
        place
            .text("out.csv")
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(2).unwrap().parse::<f64>().unwrap())
            .collect::<Vec<_>>()
    };

    let close = |got: Vec<f64>, expected: [f64; 2]| {
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{got:?}");
    };
    close(scores("ensemble --rule mean a.csv b.csv c.csv --out out.csv"), [0.5, 0.4]);
    close(scores("ensemble --rule max a.csv b.csv c.csv --out out.csv"), [0.9, 0.8]);
    close(scores("ensemble --rule hard-vote a.csv b.csv c.csv --out out.csv"), [1.0 / 3.0; 2]);
    close(
        scores(
            "ensemble --rule weighted-mean --weights 0.5,0.3,0.2 a.csv b.csv c.csv --out out.csv",
        ),
        [0.4, 0.44],
    );
    assert!(place.fails("ensemble --rule mean a.csv short.csv --out out.csv").contains("y.png"));
    assert!(
        place
            .fails("ensemble --rule mean --weights 1,2 a.csv b.csv --out out.csv")
            .contains("--weights")
    );
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let place = Place::new();

    assert_eq!(place.run("no-such-command").status.code(), Some(2));
    assert_eq!(place.run("doctor --device abacus").status.code(), Some(2));
    assert_eq!(place.run("evaluate a.csv --out report --resamples 0").status.code(), Some(2));
    assert_eq!(place.run("train a.toml --out run --set epochs").status.code(), Some(2));
    assert_eq!(place.run("evaluate none.csv --out report").status.code(), Some(1));
    let output = place.run("doctor --device cuda --json");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && stderr(&output).contains("--features cuda"));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(["doctor"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());

    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn parts_of_a_prediction_are_joined_to_the_bytes_of_the_whole() {
    let place = Place::trained();
    place.ok("predict run prepared --batch 8 --out whole.csv");
    let mut films = 0;
    for part in 1..=3 {
        let line = format!("predict run prepared --batch 8 --shard {part}/3 --out {part}.csv");
        let predicted = place.json(&line);
        assert_eq!(predicted["shard"], format!("{part}/3"));
        films += predicted["films"].as_u64().unwrap();
    }
    assert_eq!(films, 60);

    let joined = place.json("join 1.csv 2.csv 3.csv --out joined.csv");

    assert_eq!((&joined["films"], &joined["parts"]), (&60.into(), &3.into()));
    assert_eq!(place.text("joined.csv"), place.text("whole.csv"));
    assert!(place.fails("join 1.csv 3.csv 1.csv --out twice.csv").contains("give each part once"));
    let error = place.fails("predict run prepared --batch 60 --shard 1/2 --out empty.csv");
    assert!(error.contains("part 1/2 contains no films: there are 60 films"), "{error}");
    assert!(!place.at("twice.csv").exists() && !place.at("empty.csv").exists());

    place.write("foreign.csv", "image,patient,X,X.truth\na,1,0.5,1\n");
    let joined = place.run("join foreign.csv --out again.csv");
    assert!(stderr(&joined).contains("unknown whether one model"), "{}", stderr(&joined));
}

#[test]
fn a_task_of_an_array_job_predicts_its_part() {
    let place = Place::trained();
    let line = "predict run prepared --batch 16 --shard auto --out part.csv --json";
    let said = |task: Option<&str>| {
        let mut command = place.command(line.split(' '));
        command.env_remove("SLURM_ARRAY_TASK_ID").env_remove("JOB_COMPLETION_INDEX");
        if let Some(task) = task {
            command.env("SLURM_ARRAY_TASK_ID", task).env("SLURM_ARRAY_TASK_COUNT", "4");
        }
        command.output().unwrap()
    };

    let part = said(Some("3"));
    let document: serde_json::Value = serde_json::from_slice(&part.stdout).unwrap();
    assert_eq!((&document["shard"], &document["films"]), (&"4/4".into(), &12.into()));
    let outside = said(None);
    assert_eq!(outside.status.code(), Some(2));
    assert!(stderr(&outside).contains("SLURM array job"), "{}", stderr(&outside));
}

//! Sweeps run every point once, even if processes are killed or several share the folder.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{EXPERIMENT, Place, stderr};

/// Four points.
const SWEEP: &str = "[sweep]\ntitle = \"Rates\"\n[sweep.product]\nmodel.pool = [\"average\", \"linear\"]\n\
    train.learning_rate = [1e-3, 1e-2]\n";

fn place(experiment: &str) -> Place {
    let place = Place::new();
    place.ok("phantom --films 80 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("sweep.toml", experiment);
    place
}

fn four_points() -> Place {
    place(&format!("{EXPERIMENT}{SWEEP}"))
}

/// Reads the lines of `comparison.csv` by name, without times and memory.
fn table(place: &Place, out: &str) -> BTreeMap<String, Vec<String>> {
    let text = place.text(&format!("{out}/comparison.csv"));
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let kept = |name: &str| !["seconds", "films_per_second", "peak_memory_mib"].contains(&name);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        let cells = record.iter().zip(&header).filter(|(_, name)| kept(name));
        (record[0].to_owned(), cells.map(|(cell, _)| cell.to_owned()).collect())
    });
    rows.collect()
}

#[test]
fn a_second_call_runs_nothing_and_leaves_the_same_table() {
    let place = four_points();
    let first = place.json("sweep sweep.toml --out out");
    assert_eq!((first["finished"].as_u64(), first["ran"].as_u64()), (Some(4), Some(4)));
    let (page, csv) = (place.read("out/comparison.html"), place.read("out/comparison.csv"));

    let second = place.json("sweep sweep.toml --out out");
    assert_eq!((second["finished"].as_u64(), second["ran"].as_u64()), (Some(4), Some(0)));
    assert_eq!(page, place.read("out/comparison.html"));
    assert_eq!(csv, place.read("out/comparison.csv"));
    assert_eq!(table(&place, "out").len(), 4);
    let verdict = &second["comparison"]["verdicts"][0];
    assert!(verdict["lead"].as_f64().unwrap() >= 0.0, "{verdict}");

    // The same runs, named one by one, give the same comparison, except for the names of the
    // points.
    place.ok("compare out --out again");
    let (swept, compared) = (table(&place, "out"), table(&place, "again"));
    let losses = |table: &BTreeMap<String, Vec<String>>| {
        let mut losses: Vec<Vec<String>> =
            table.values().map(|cells| cells[3..8].to_vec()).collect();
        losses.sort();
        losses
    };
    assert_eq!(losses(&swept), losses(&compared));
}

#[test]
fn killed_in_the_middle_and_started_twice_each_point_is_run_once() {
    let place = four_points();
    place.ok("sweep sweep.toml --out whole");

    let mut child = place.command("sweep sweep.toml --out out".split(' ')).spawn().unwrap();
    let began = Instant::now();
    let second = place.at("out/points/002-pool-average-learning-rate-0.01/run/epochs.csv");
    while !second.exists() && began.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let points = std::fs::read_dir(place.at("out/points")).unwrap();
    let is_finished =
        |point: &std::fs::DirEntry| point.path().join("run/scores/valid.csv").exists();
    let finished = points.map(Result::unwrap).filter(is_finished).count() as u64;
    assert!((1..4).contains(&finished), "killed in the middle: {finished}");

    let start = || place.command("sweep sweep.toml --out out --json".split(' '));
    let mut processes: Vec<_> = (0..2)
        .map(|_| {
            let mut command = start();
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> =
        processes.drain(..).map(|process| process.wait_with_output().unwrap()).collect();
    let ran: Vec<u64> = outputs
        .iter()
        .map(|output| {
            assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
            let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            document["ran"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(finished + ran.iter().sum::<u64>(), 4, "{ran:?}");
    assert_eq!(table(&place, "out"), table(&place, "whole"));
    for folder in ["001-pool-average-learning-rate-0.001", "002-pool-average-learning-rate-0.01"] {
        let weights = |out: &str| place.read(&format!("{out}/points/{folder}/run/model.bpk"));
        assert_eq!(weights("out"), weights("whole"), "{folder}");
    }
}

#[test]
fn shards_divide_the_points_and_a_cluster_names_its_own() {
    let place = four_points();
    let first = place.json("sweep sweep.toml --out out --shard 1/2");
    assert_eq!((first["ran"].as_u64(), first["open"].as_u64()), (Some(2), Some(2)));
    let mut command = place.command("sweep sweep.toml --out out --json".split(' '));
    command.env("SLURM_ARRAY_TASK_ID", "2").env("SLURM_ARRAY_TASK_MIN", "1");
    let output = command.env("SLURM_ARRAY_TASK_COUNT", "2").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((document["ran"].as_u64(), document["open"].as_u64()), (Some(2), Some(0)));
}

#[test]
fn a_point_that_fails_is_written_down_and_the_others_go_on() {
    let sweep = "[[sweep.points]]\nname = \"diverges\"\n\
        set = { train.learning_rate = 1e30, train.optimizer = { name = \"sgd\" } }\n\
        [[sweep.points]]\nname = \"learns\"\nset = { train.learning_rate = 1e-3 }\n";
    let place = place(&format!("{EXPERIMENT}{sweep}"));
    let error = place.fails("sweep sweep.toml --out out");
    assert!(error.contains("failed: diverges") && error.contains("learning_rate"), "{error}");
    let table = table(&place, "out");
    assert!(table["diverges"].last().unwrap().contains("diverged"), "{table:?}");
    assert!(table["learns"].last().unwrap().is_empty());
    assert!(place.text("out/comparison.html").contains("failed: training diverged"));

    // The next call skips it, and `--retry` runs it again.
    let again = place.run("sweep sweep.toml --out out --json");
    let document: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(document["ran"].as_u64(), Some(0));
    let again = place.run("sweep sweep.toml --out out --retry --json");
    let document: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(document["ran"].as_u64(), Some(1));
}

#[test]
fn the_last_point_is_checked_before_the_first_runs() {
    let sweep = "[sweep.product]\ndata.prepared = [\"prepared\", \"nowhere\"]\n";
    let place = place(&format!("{EXPERIMENT}{sweep}"));
    let error = place.fails("sweep sweep.toml --out out");

    assert!(error.contains("`prepared nowhere`") && !place.at("out").exists(), "{error}");
}

#[test]
fn another_sweep_does_not_go_into_a_used_folder() {
    let place = four_points();
    place.ok("sweep sweep.toml --out out --only linear");
    let error = place.fails("sweep sweep.toml --out out --set train.epochs=1");

    assert!(error.contains("another sweep") && error.contains("epochs"), "{error}");
}

#[test]
fn a_sweep_is_no_experiment_and_an_experiment_no_sweep() {
    let place = four_points();
    place.write("one.toml", EXPERIMENT);

    assert!(place.fails("train sweep.toml --out run").contains("roentgen sweep"));
    assert!(place.fails("sweep one.toml --out out").contains("roentgen train"));
}

#[test]
fn points_whose_folders_were_swapped_are_refused_and_tables_of_others_are_made_again() {
    let place = four_points();
    place.ok("sweep sweep.toml --out out --set train.epochs=1");
    let csv = table(&place, "out");
    let folder = |number: &str| {
        let entries = std::fs::read_dir(place.at("out/points")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let path = paths.find(|path| path.to_str().unwrap().contains(&format!("/{number}-")));
        path.unwrap()
    };
    let swap = |name: &str| {
        let [one, two] = ["001", "002"].map(|number| folder(number).join(name));
        let aside = place.at("aside");
        std::fs::rename(&one, &aside).unwrap();
        std::fs::rename(&two, &one).unwrap();
        std::fs::rename(&aside, &two).unwrap();
    };

    swap("run");
    let error = place.fails("sweep sweep.toml --out out --set train.epochs=1");
    assert!(error.contains("is not a run of the point") && error.contains("rate"), "{error}");
    swap("run");

    swap("run/scores/valid.csv");
    let output = place.run("sweep sweep.toml --out out --set train.epochs=1");
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("was predicted by the model"), "{error}");
    assert_eq!(table(&place, "out"), csv);
}

#[test]
fn the_journal_has_local_times_and_facts_without_a_time_are_refused() {
    let place = four_points();
    let journal = |zone: &str| {
        let line = "sweep sweep.toml --out out --set train.epochs=1";
        let output = place.command(line.split(' ')).env("TZ", zone).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = place.text("out/optuna.log");
        let times = text.split("\"datetime_complete\":\"").skip(1);
        times.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let (utc, nine_hours_later) = (journal("UTC0"), journal("JST-9"));

    assert_eq!((utc.len(), nine_hours_later.len()), (4, 4));
    for (utc, later) in utc.iter().zip(&nine_hours_later) {
        let hour = |time: &str| time[11..13].parse::<u32>().unwrap();
        assert_eq!((hour(utc) + 9) % 24, hour(later), "{utc}, {later}");
        assert_eq!(utc[13..], later[13..]);
    }

    let points = std::fs::read_dir(place.at("out/points")).unwrap();
    let facts = points.map(|entry| entry.unwrap().path().join("run/facts.toml")).next().unwrap();
    let text = std::fs::read_to_string(&facts).unwrap();
    let seconds = text.lines().find(|line| line.starts_with("seconds = ")).unwrap();
    for value in ["1e300", "inf", "nan", "-1.0"] {
        std::fs::write(&facts, text.replace(seconds, &format!("seconds = {value}"))).unwrap();
        let error = place.fails("sweep sweep.toml --out out --set train.epochs=1");
        assert!(error.contains("facts.toml") && error.contains("not the time of a run"), "{error}");
    }
}

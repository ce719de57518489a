//! A run is resumed from its folder alone, and lengthened on purpose.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;

use burn::tensor::Device;
use roentgen_train::run_dir::{self, Start, data_set};
use roentgen_train::trainer::{Error, NotLonger, ResumeOptions, resume};
use roentgen_train::{Facts, TrainOutcome, overrides};

use crate::folder::{Folder, Stop};

const SMALL: &str = "[model]\nwidth = 0.0625\n[train]\nepochs = 2\nbatch_size = 8\n";

fn again(folder: &Folder, run: &str, epochs: Option<usize>) -> Result<TrainOutcome, Error> {
    resume(
        &folder.at(run),
        &ResumeOptions { epochs, ..ResumeOptions::default() },
        &Device::flex(),
        &Stop::never(),
    )
}

fn same_files(folder: &Folder, runs: [&str; 2]) {
    for file in ["model.bpk", "model.toml", "epochs.csv", "films.csv", "experiment.toml"] {
        let [a, b] = runs.map(|run| fs::read(folder.at(run).join(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
}

#[test]
fn the_folder_is_all_that_a_stopped_run_needs() {
    let folder = Folder::with_films(60);
    let experiment = folder.experiment(SMALL);
    folder.run(&experiment, "whole", Start::Fresh, &Stop::never());
    folder.run(&experiment, "broken", Start::Fresh, &Stop::after(3));
    // The file that the run came from is gone, and the experiment's path leads nowhere.
    fs::remove_file(folder.at("experiment.toml")).unwrap();

    let outcome = again(&folder, "broken", None).unwrap();

    assert!(matches!(outcome, TrainOutcome::Finished(_)));
    same_files(&folder, ["whole", "broken"]);
    assert!(Facts::read(&folder.at("broken")).unwrap().unwrap().lengthened_from.is_empty());
}

#[test]
fn a_lengthened_run_is_the_longer_run_and_says_so() {
    let folder = Folder::with_films(60);
    let longer = SMALL.replace("epochs = 2", "epochs = 4");
    folder.run(&folder.experiment(&longer), "long", Start::Fresh, &Stop::never());
    folder.run(&folder.experiment(SMALL), "short", Start::Fresh, &Stop::never());

    let outcome = again(&folder, "short", Some(4)).unwrap();

    assert!(matches!(outcome, TrainOutcome::Finished(_)));
    same_files(&folder, ["long", "short"]);
    let facts = |run| Facts::read(&folder.at(run)).unwrap().unwrap();
    assert_eq!(facts("short").lengthened_from, [2]);
    assert_eq!(facts("short").steps, facts("long").steps);
    let state = fs::read_to_string(folder.at("short/checkpoint/state.toml")).unwrap();
    assert!(state.contains("lengthened_from = [2]"), "{state}");
    let log = fs::read_to_string(folder.at("short/train.log")).unwrap();
    assert!(log.contains("lengthened from 2 to 4 epochs, after 2"), "{log}");
    // A second time: both times are recorded.
    again(&folder, "short", Some(5)).unwrap();
    assert_eq!(facts("short").lengthened_from, [2, 4]);
}

#[test]
fn the_last_phase_is_the_one_that_is_lengthened() {
    let folder = Folder::with_films(40);
    let text = "[model]\nwidth = 0.0625\n[train]\nbatch_size = 16\nepochs = 1\n\
                [[train.phases]]\nlearning_rate = 0.01\nschedule = { name = \"cosine\" }\n\
                [[train.phases]]\nlearning_rate = 0.001\n";
    let longer = format!("{text}epochs = 3\n");
    folder.run(&folder.experiment(&longer), "long", Start::Fresh, &Stop::never());
    folder.run(&folder.experiment(text), "short", Start::Fresh, &Stop::never());

    again(&folder, "short", Some(4)).unwrap();

    same_files(&folder, ["long", "short"]);
}

#[test]
fn runs_that_cannot_be_longer_are_refused_and_stay_as_they_are() {
    let folder = Folder::with_films(40);
    let refused = |name: &str, train: &str, epochs| {
        let text = SMALL.replace("epochs = 2", train);
        folder.run(&folder.experiment(&text), name, Start::Fresh, &Stop::never());
        let before = fs::read(folder.at(name).join("experiment.toml")).unwrap();
        let error = again(&folder, name, Some(epochs)).unwrap_err();
        assert!(folder.at(name).join("finished").exists());
        assert_eq!(fs::read(folder.at(name).join("experiment.toml")).unwrap(), before);
        match error {
            Error::NotLonger(error) => error,
            error => panic!("{error}"),
        }
    };

    let cosine = "epochs = 1\nschedule = { name = \"cosine\" }";
    assert_eq!(refused("cosine", cosine, 3), NotLonger::Schedule("cosine"));
    let cycle = "epochs = 1\nschedule = { name = \"one-cycle\" }";
    assert_eq!(refused("cycle", cycle, 3), NotLonger::Schedule("one-cycle"));
    assert_eq!(refused("same", "epochs = 1", 1), NotLonger::HasAsMany { has: 1, asked: 1 });
    // A rate so small that no epoch is better than the first.
    let early = "epochs = 9\nlearning_rate = 1e-30\nearly_stopping = { patience = 1 }";
    let error = refused("early", early, 20);
    assert!(matches!(error, NotLonger::StoppedEarly { has: 9, .. }), "{error}");
}

#[test]
fn a_folder_without_a_run_or_its_checkpoint_is_refused() {
    let folder = Folder::with_films(40);
    let error = again(&folder, "prepared", None).unwrap_err().to_string();
    assert!(error.contains("contains no run"), "{error}");
    assert!(again(&folder, "nowhere", None).is_err());
    assert!(!folder.at("nowhere").exists());

    let text = SMALL.replace("epochs = 2", "epochs = 1");
    let experiment = folder.experiment(&text);
    folder.run(&experiment, "run", Start::Fresh, &Stop::never());
    let model = fs::read(folder.at("run/model.bpk")).unwrap();
    fs::remove_dir_all(folder.at("run/checkpoint")).unwrap();

    for epochs in [None, Some(3)] {
        let error = again(&folder, "run", epochs).unwrap_err().to_string();
        assert!(error.contains("without a checkpoint"), "{error}");
    }
    assert_eq!(fs::read(folder.at("run/model.bpk")).unwrap(), model);
}

#[test]
fn a_data_set_that_moved_or_changed_is_refused() {
    let folder = Folder::with_films(40);
    folder.run(&folder.experiment(SMALL), "run", Start::Fresh, &Stop::after(1));
    fs::rename(folder.at("prepared"), folder.at("elsewhere")).unwrap();

    let error = again(&folder, "run", None).unwrap_err().to_string();
    let prepared = folder.at("prepared").display().to_string();
    assert!(error.contains(&format!("`{prepared}`, which is not there; move it back")), "{error}");
    assert!(error.contains("`--data DIR`"), "{error}");
    let experiment = overrides::read(&folder.at("run/experiment.toml"), &[]).unwrap();
    let found = data_set(&folder.at("run"), &experiment, &[folder.at("elsewhere")]);
    assert_eq!(found.unwrap(), folder.at("elsewhere"));

    let other = Folder::with_films(44);
    fs::rename(other.at("prepared"), folder.at("prepared")).unwrap();
    let error = again(&folder, "run", None).unwrap_err().to_string();
    assert!(error.contains("on other films"), "{error}");

    fs::remove_dir_all(folder.at("prepared")).unwrap();
    fs::rename(folder.at("elsewhere"), folder.at("prepared")).unwrap();
    assert!(matches!(again(&folder, "run", None), Ok(TrainOutcome::Finished(_))));
}

#[test]
fn the_experiment_of_a_run_is_an_experiment_file() {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment(SMALL);
    folder.run(&experiment, "run", Start::Fresh, &Stop::after(1));

    assert_eq!(overrides::read(&folder.at("run/experiment.toml"), &[]).unwrap(), experiment);
}

#[test]
fn a_run_whose_experiment_was_edited_is_not_resumed() {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment(&format!("{SMALL}best_by = \"loss\"\n"));
    folder.run(&experiment, "run", Start::Fresh, &Stop::after(4));
    let file = |name: &str| folder.at("run").join(name);
    let read = |name: &str| fs::read_to_string(file(name)).unwrap();
    let (text, films, data) = (read("experiment.toml"), read("films.csv"), read("data.toml"));
    // Another seed, and a file that was cut where a table begins.
    let cut = text.split("[train]").next().unwrap();
    for edited in [text.replace("seed = 7", "seed = 8"), cut.to_owned()] {
        assert_ne!(edited, text);
        fs::write(file("experiment.toml"), edited).unwrap();

        let error = again(&folder, "run", None).unwrap_err();

        let is_refused = matches!(error, Error::RunDir(run_dir::Error::ExperimentChanged { .. }));
        assert!(is_refused, "{error}");
        assert_eq!(read("films.csv"), films);
    }

    // A run that does not record its experiment: its checkpoint is of other films.
    let is_hash = |line: &&str| line.starts_with("experiment_sha256");
    let without: Vec<&str> = data.lines().filter(|line| !is_hash(line)).collect();
    assert!(without.len() < data.lines().count());
    fs::write(file("data.toml"), without.join("\n")).unwrap();
    let dropped = text.replace("normal = \"keep\"", "normal = \"drop\"");
    assert_ne!(dropped, text);
    fs::write(file("experiment.toml"), dropped).unwrap();
    let error = again(&folder, "run", None).unwrap_err();
    assert!(matches!(error, Error::Checkpoint(_)), "{error}");
    assert_eq!(read("films.csv"), films);

    // An earlier version recorded neither.
    let state = read("checkpoint/state.toml");
    let is_hash = |line: &&str| line.starts_with("films_sha256");
    let without: Vec<&str> = state.lines().filter(|line| !is_hash(line)).collect();
    assert!(without.len() < state.lines().count());
    fs::write(file("checkpoint/state.toml"), without.join("\n")).unwrap();
    fs::write(file("experiment.toml"), text).unwrap();
    assert!(matches!(again(&folder, "run", None), Ok(TrainOutcome::Finished(_))));
}

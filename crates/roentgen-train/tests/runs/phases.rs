//! Frozen weights and statistics do not change; phases follow one another, interrupted or not.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::Device;
use roentgen_data::rows::{RowStore, RowWriter};
use roentgen_data::split::SplitRule;
use roentgen_models::ModelInfo;
use roentgen_models::model_dir::EarlierFilms;
use roentgen_models::pretrained::WeightFile;
use roentgen_train::films::{self, TrainingFilms};
use roentgen_train::run_dir::Start;
use roentgen_train::trainer::Error;
use roentgen_train::{Experiment, TrainOutcome, check, overrides, train};

use crate::folder::{Folder, Stop};

/// Returns the weights of a run by path.
fn weights(folder: &Folder, run: &str) -> BTreeMap<String, Vec<f32>> {
    let file = WeightFile::open(&folder.at(run)).unwrap();
    file.shapes().map(|(name, _)| (name.to_owned(), file.values(name).unwrap())).collect()
}

/// Returns the paths whose values differ between two runs.
fn changed(folder: &Folder, runs: [&str; 2]) -> Vec<String> {
    let [before, after] = runs.map(|run| weights(folder, run));
    assert_eq!(before.len(), after.len());
    before
        .into_iter()
        .filter(|(path, values)| after[path] != *values)
        .map(|(path, _)| path)
        .collect()
}

/// Makes an experiment that starts from the run `first`.
fn from_first(folder: &Folder, model: &str, train: &str) -> String {
    format!(
        "[model]\narchitecture = \"mobilenet-v2\"\nwidth = 0.25\nweights = {:?}\n{model}\n\
         [train]\nepochs = 2\nbatch_size = 16\nlearning_rate = 0.01\nbest_by = \"loss\"\n{train}\n",
        folder.at("first")
    )
}

/// Makes a folder with a run of one epoch, `first`, for others to start from.
fn with_first() -> Folder {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment(
        "[model]\narchitecture = \"mobilenet-v2\"\nwidth = 0.25\n[train]\nepochs = 1\nbatch_size = 16\n",
    );
    folder.run(&experiment, "first", Start::Fresh, &Stop::never());
    folder
}

#[test]
fn a_frozen_backbone_keeps_weights_and_statistics_while_the_head_learns() {
    let folder = with_first();
    let text = from_first(&folder, "freeze = \"backbone\"", "");

    folder.run(&folder.experiment(&text), "second", Start::Fresh, &Stop::never());

    let changed = changed(&folder, ["first", "second"]);
    assert!(changed.iter().all(|path| path.starts_with("head.")), "{changed:?}");
    assert!(changed.iter().any(|path| path == "head.logits.weight"), "{changed:?}");
}

#[test]
fn frozen_stages_stay_and_the_later_ones_learn() {
    let folder = with_first();
    let text = from_first(&folder, "freeze = 2", "");

    folder.run(&folder.experiment(&text), "second", Start::Fresh, &Stop::never());

    let changed = changed(&folder, ["first", "second"]);
    let all = weights(&folder, "first");
    let norms = |paths: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        paths.filter(|path| path.ends_with("running_mean")).cloned().collect()
    };
    let (all, moved) = (norms(&mut all.keys()), norms(&mut changed.iter()));
    // The statistics of the first stages stay the same, all later ones change.
    let is_first = |path: &&String| !moved.contains(path);
    let still: Vec<&String> = all.iter().filter(is_first).collect();
    assert!(!still.is_empty() && still.len() < all.len() / 2, "{still:?}");
    let stages = roentgen_models::Architecture::MobilenetV2.stages();
    for path in still {
        let inner = path.splitn(3, '.').nth(2).unwrap();
        let is_of = |prefix: &String| inner.starts_with(&format!("{prefix}."));
        assert!(stages[..2].iter().flatten().any(is_of), "{path} is in none of {:?}", &stages[..2]);
    }
}

/// Adam would take a full step on a gradient that is only rounding error; this does not.
const PLAIN: &str = "optimizer = { name = \"sgd\", momentum = 0.9 }\n";

/// Checks that two runs did the same up to the last digits: a matrix product rounds differently for
/// films in another position of the batch.
fn same(folder: &Folder, runs: [&str; 2]) {
    let [a, b] = runs.map(|run| weights(folder, run));
    for (path, values) in &a {
        let differences = values.iter().zip(&b[path]).map(|(a, b)| f64::from((a - b).abs()));
        let greatest = values.iter().fold(0.0, |most: f64, value| most.max(f64::from(value.abs())));
        let most = differences.fold(0.0, f64::max) / greatest.max(1e-3);
        assert!(most < 1e-4, "{path} of {runs:?} differs by {most:.1e}");
    }
    let losses = runs.map(|run| -> Vec<f64> {
        let text = fs::read_to_string(folder.at(run).join("epochs.csv")).unwrap();
        let cells = text.lines().skip(1).flat_map(|line| line.split(',').skip(1).take(2));
        cells.map(|cell| cell.parse().unwrap()).collect()
    });
    assert_eq!(losses[0].len(), 4);
    for (a, b) in losses[0].iter().zip(&losses[1]) {
        assert!((a - b).abs() < 1e-5 * a, "{losses:?}");
    }
}

#[test]
fn the_head_learns_the_same_from_kept_features_as_from_films() {
    let folder = with_first();
    for pool in ["average", "attention", "linear"] {
        let model = format!("freeze = \"backbone\"\npool = {pool:?}");
        let runs = ["kept", "anew"].map(|name| format!("{pool}-{name}"));
        for (run, draws) in runs.iter().zip(["", "feature_draws = 0"]) {
            let text = from_first(&folder, &model, &format!("{PLAIN}{draws}"));
            folder.run(&folder.experiment(&text), run, Start::Fresh, &Stop::never());
            assert!(!folder.at(run).join("features").exists(), "they go with the run's end");
        }
        same(&folder, [&runs[0], &runs[1]]);
    }
}

#[test]
fn as_many_varied_versions_as_epochs_are_the_varied_films_themselves() {
    let folder = with_first();
    let vary = "[image]\naugment = { flip = true, shift = [0.1, 0.1] }\n";
    for (run, draws) in [("kept", 2), ("anew", 0), ("one", 1)] {
        let draws = format!("{PLAIN}feature_draws = {draws}");
        let text = vary.to_owned() + &from_first(&folder, "freeze = \"backbone\"", &draws);
        folder.run(&folder.experiment(&text), run, Start::Fresh, &Stop::never());
    }

    same(&folder, ["kept", "anew"]);
    let [one, anew] =
        ["one", "anew"].map(|run| fs::read(folder.at(run).join("model.bpk")).unwrap());
    assert!(one != anew, "the second epoch saw the first one's films again");
}

#[test]
fn a_run_stopped_while_features_are_computed_goes_on_with_them() {
    let folder = with_first();
    let text = from_first(&folder, "freeze = \"backbone\"", "");
    let experiment = folder.experiment(&text);
    folder.run(&experiment, "whole", Start::Fresh, &Stop::never());

    let first = folder.run(&experiment, "broken", Start::Fresh, &Stop::after(0));
    let features = folder.at("broken").join("features");
    assert_eq!(first, TrainOutcome::Interrupted);
    let part = features.join("train.safetensors.part");
    let kept = fs::metadata(&part).unwrap().len();
    assert!(kept > 4096, "the first batch is there");
    let last = folder.run(&experiment, "broken", Start::Resume, &Stop::never());

    assert!(matches!(last, TrainOutcome::Finished(_)));
    same(&folder, ["whole", "broken"]);
}

const PHASES: &str = "[[train.phases]]\nepochs = 2\nfreeze = \"backbone\"\n\
    [[train.phases]]\nepochs = 2\nfreeze = \"nothing\"\nlearning_rate = 0.002\n\
    schedule = { name = \"one-cycle\" }\n";

#[test]
fn phases_follow_one_another_and_a_broken_run_leaves_the_bytes_of_a_whole_one() {
    let folder = with_first();
    let experiment = folder.experiment(&from_first(&folder, "", PHASES));
    folder.run(&experiment, "whole", Start::Fresh, &Stop::never());

    // Interrupted in the first phase, then in the second, then run to the end.
    folder.run(&experiment, "broken", Start::Fresh, &Stop::after(1));
    folder.run(&experiment, "broken", Start::Resume, &Stop::after(5));
    let last = folder.run(&experiment, "broken", Start::Resume, &Stop::never());

    assert!(matches!(last, TrainOutcome::Finished(_)));
    for file in ["model.bpk", "model.toml", "epochs.csv"] {
        let [whole, broken] =
            ["whole", "broken"].map(|run| fs::read(folder.at(run).join(file)).unwrap());
        assert!(whole == broken, "{file} differs");
    }
    let epochs = fs::read_to_string(folder.at("whole/epochs.csv")).unwrap();
    assert_eq!(epochs.lines().count(), 1 + 4, "{epochs}");
}

#[test]
fn the_second_phase_trains_what_the_first_froze() {
    let folder = with_first();
    let frozen = PHASES.replace("\"nothing\"", "\"backbone\"");
    for (name, phases) in [("unfrozen", PHASES), ("frozen", frozen.as_str())] {
        // The last epoch counts here, however good it is.
        let text = from_first(&folder, "", phases).replace("epochs = 2", "epochs = 1");
        folder.run(&folder.experiment(&text), name, Start::Fresh, &Stop::never());
    }
    let last = |run: &str| {
        let checkpoint = fs::read_dir(folder.at(run).join("checkpoint")).unwrap();
        let mut files = checkpoint.map(|entry| entry.unwrap().path());
        let file = files.find(|path| path.to_string_lossy().contains("weights")).unwrap();
        WeightFile::open(&file).unwrap()
    };
    let first = WeightFile::open(&folder.at("first")).unwrap();
    let moved = |run: &str| {
        let last = last(run);
        let backbone = first.shapes().filter(|(name, _)| name.starts_with("backbone."));
        backbone
            .filter(|(name, _)| last.values(name).unwrap() != first.values(name).unwrap())
            .count()
    };

    assert_eq!(moved("frozen"), 0);
    assert!(moved("unfrozen") > 100, "{}", moved("unfrozen"));
}

#[test]
fn phases_that_cannot_be_are_refused_by_their_key() {
    let folder = Folder::with_films(40);
    let refused = |model: &str, train: &str| {
        let text = format!(
            "[data]\nprepared = {:?}\n[model]\narchitecture = \"mobilenet-v2\"\n{model}\n[train]\n{train}\n",
            folder.at("prepared")
        );
        fs::write(folder.at("bad.toml"), text).unwrap();
        match overrides::read(&folder.at("bad.toml"), &[]) {
            Err(error) => error_chain(&error),
            Ok(experiment) => {
                let run = folder.at("bad");
                let stop = Stop::never();
                error_chain(&train_error(&experiment, &run, &stop))
            }
        }
    };
    fn train_error(
        experiment: &roentgen_train::Experiment,
        run: &std::path::Path,
        stop: &Stop<'_>,
    ) -> roentgen_train::trainer::Error {
        train(experiment, run, Start::Fresh, &Device::flex(), stop).unwrap_err()
    }

    assert!(refused("freeze = 99", "").contains("stages; freeze at most that many"));
    assert!(refused("freeze = \"head\"", "").contains("a number of stages"));
    assert!(refused("", "[[train.phases]]\nepochs = 0\n").contains("must be at least 1"));
    let error = refused("weights = \"nowhere.pth\"", "");
    assert!(error.contains("could not read the weights `"), "{error}");
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[test]
fn films_of_the_initial_weights_count_as_training_films() {
    let folder = with_first();
    let same = folder.experiment(&from_first(&folder, "", ""));
    let mut other = same.clone();
    other.data.split = SplitRule::ByPatient;
    let stop = Stop::never();

    // The same split: what the first run learned from is what this one learns from.
    folder.run(&same, "second", Start::Fresh, &stop);
    let first = ModelInfo::read(&folder.at("first")).unwrap().training.unwrap();
    let second = ModelInfo::read(&folder.at("second")).unwrap();
    assert_eq!(first.earlier_films, None);
    let training = second.training.clone().unwrap();
    assert_eq!(training.earlier_films, Some(EarlierFilms::Listed));

    // Another split: validation or test films were seen. Some seeds leave so few patients no
    // validation films.
    let leaks = |seed: &u64| {
        let other = Experiment { split_seed: Some(*seed), ..other.clone() };
        matches!(check(&other, &|_, _| ()), Err(Error::EarlierLeak { .. }))
    };
    other.split_seed = (1..100).find(leaks);
    assert!(other.split_seed.is_some(), "no split has films of the first run's training patients");
    let error = train(&other, &folder.at("third"), Start::Fresh, &Device::flex(), &stop);
    let error = error.unwrap_err();
    assert!(matches!(error, Error::EarlierLeak { .. }), "{error}");
    assert!(!folder.at("third").exists());
    other.data.leaky = true;
    folder.run(&other, "third", Start::Fresh, &stop);
    let third = ModelInfo::read(&folder.at("third")).unwrap();
    let films = TrainingFilms::read(&folder.at("third"), &third).unwrap().unwrap();
    let of_first = films::read(&folder.at("first")).unwrap().unwrap();
    let mut seen = of_first.iter().filter(|row| row.split == "train").peekable();
    assert!(seen.peek().is_some());
    assert!(seen.all(|row| films.have_patient(&row.patient) == Some(true)));

    // A model without its table of films.
    fs::remove_file(folder.at("first").join("films.csv")).unwrap();
    folder.run(&same, "fourth", Start::Fresh, &stop);
    let fourth = ModelInfo::read(&folder.at("fourth")).unwrap();
    let films = TrainingFilms::read(&folder.at("fourth"), &fourth).unwrap().unwrap();
    assert_eq!(films.have_patient("no patient"), None);
}

#[test]
fn features_of_other_films_or_another_network_are_computed_again() {
    let folder = with_first();
    let text = from_first(&folder, "freeze = \"backbone\"", "");
    let mut experiment = folder.experiment(&text);
    experiment.train.epochs = 9;
    // The features are complete, and the head has learned for a step.
    let [own, other] = ["own", "other"].map(|run| {
        folder.run(&experiment, run, Start::Fresh, &Stop::after(1));
        folder.at(run).join("features/train.safetensors")
    });
    let resume = |run| folder.run(&experiment, run, Start::Resume, &Stop::after(1));
    let whole = fs::read(&own).unwrap();
    assert!(fs::read(&other).unwrap() == whole);
    let rows = RowStore::open(&own).unwrap().unwrap();
    let (films, shape) = (rows.len(), rows.shape().to_vec());
    let row: usize = shape.iter().product();
    let written = fs::metadata(&own).unwrap().modified().unwrap();

    // Fewer rows, none, other numbers of the same shape, and rows with two axes.
    for (shape, films) in
        [(&shape, films - 1), (&shape, 0), (&shape, films), (&vec![row, 1], films)]
    {
        fs::remove_file(&other).unwrap();
        let mut writer = RowWriter::start(&other, shape).unwrap();
        writer.append(&vec![0.5; films * row]).unwrap();
        writer.finish().unwrap();

        assert_eq!(resume("other"), TrainOutcome::Interrupted);

        assert!(fs::read(&other).unwrap() == whole, "{films} rows of {shape:?}");
    }

    // Those of the run itself are used, although its head is another one by now.
    resume("own");
    assert_eq!(fs::metadata(&own).unwrap().modified().unwrap(), written);
}

//! A run learns; an interrupted and resumed run, or one on other threads, writes the same bytes; a
//! run whose films are cut off while it reads them ends with an error.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs::{self, File};

use burn::tensor::Device;
use roentgen_data::split::Split;
use roentgen_data::store;
use roentgen_train::experiment::{BestBy, Findings};
use roentgen_train::run_dir::Start;
use roentgen_train::trainer::Error;
use roentgen_train::{Experiment, TrainOutcome, features, train};

use crate::folder::{Folder, Stop};

const SMALL: &str = "[image]\naugment = { flip = true, shift = [0.1, 0.1], rotate = 5.0 }\n\
                     [model]\nwidth = 0.125\npool = \"attention\"\n\
                     [train]\nepochs = 3\nbatch_size = 16\nmicro_batch_size = 8\n\
                     learning_rate = 0.01\n";

#[test]
fn a_stopped_and_resumed_run_leaves_the_bytes_of_an_unbroken_one() {
    let folder = Folder::with_films(80);
    let experiment = folder.experiment(SMALL);
    folder.run(&experiment, "whole", Start::Fresh, &Stop::never());

    // Interrupted in the middle of the first epoch, then of a later one, then run to the end.
    let first = folder.run(&experiment, "broken", Start::Fresh, &Stop::after(2));
    let second = folder.run(&experiment, "broken", Start::Resume, &Stop::after(5));
    let last = folder.run(&experiment, "broken", Start::Resume, &Stop::never());

    assert_eq!((first, second), (TrainOutcome::Interrupted, TrainOutcome::Interrupted));
    assert!(matches!(last, TrainOutcome::Finished(_)));
    for file in ["model.bpk", "model.toml", "epochs.csv", "films.csv"] {
        let [whole, broken] =
            ["whole", "broken"].map(|run| fs::read(folder.at(run).join(file)).unwrap());
        assert!(whole == broken, "{file} differs");
    }
    let steps = |run: &str| {
        let mut names: Vec<_> = fs::read_dir(folder.at(run).join("checkpoint"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("weights"))
            .collect();
        assert_eq!(names.len(), 1);
        fs::read(names.remove(0)).unwrap()
    };
    assert!(steps("whole") == steps("broken"), "the last weights differ");
}

#[test]
fn any_number_of_threads_gives_the_same_weights() {
    let folder = Folder::with_films(60);
    let experiment = folder.experiment(&SMALL.replace("epochs = 3", "epochs = 1"));
    let weights = [1, 2, 3].map(|threads| {
        let name = format!("threads-{threads}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // Burn multiplies on the threads of the pool; `Stop` stays on this thread.
        pool.install(|| folder.run(&experiment, &name, Start::Fresh, &Stop::never()));
        fs::read(folder.at(&name).join("model.bpk")).unwrap()
    });

    assert!(weights[0] == weights[1] && weights[1] == weights[2]);
}

#[test]
fn the_loss_falls_and_the_best_epoch_is_kept() {
    let folder = Folder::with_films(120);
    let experiment = folder.experiment(
        "[model]\nwidth = 0.25\ndropout = 0.0\n[train]\nepochs = 8\nbatch_size = 16\nlearning_rate = 0.003\n",
    );
    let TrainOutcome::Finished(best) = folder.run(&experiment, "run", Start::Fresh, &Stop::never())
    else {
        panic!("the run was interrupted")
    };
    let epochs = fs::read_to_string(folder.at("run/epochs.csv")).unwrap();
    let losses: Vec<f64> = epochs
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();

    assert_eq!(losses.len(), 8);
    assert!(losses[7] < 0.75 * losses[0], "{losses:?}");
    let description = roentgen_models::ModelInfo::read(&folder.at("run")).unwrap();
    assert_eq!(description.training.unwrap().epoch, best.epoch);
}

#[test]
fn each_optimizer_and_schedule_takes_a_step_and_resumes() {
    let folder = Folder::with_films(40);
    let optimizers = [
        "{ name = \"sgd\" }",
        "{ name = \"sgd\", momentum = 0.9 }",
        "{ name = \"adagrad\" }",
        "{ name = \"adadelta\" }",
        "{ name = \"adam\" }",
        "{ name = \"adamw\", weight_decay = 0.05 }",
    ];
    let schedules = [
        "{ name = \"constant\" }",
        "{ name = \"reduce-on-plateau\", factor = 0.2, patience = 1, floor = 5e-6 }",
        "{ name = \"cosine\", warmup = 0.1 }",
        "{ name = \"one-cycle\" }",
    ];
    for (number, optimizer) in optimizers.iter().enumerate() {
        let schedule = schedules[number % schedules.len()];
        let experiment = folder.experiment(&format!(
            "[model]\nwidth = 0.0625\n[train]\nepochs = 2\nbatch_size = 8\nloss = \"wang\"\n\
             optimizer = {optimizer}\nschedule = {schedule}\n"
        ));
        let [whole, broken] = ["whole", "broken"].map(|run| format!("{run}-{number}"));
        folder.run(&experiment, &whole, Start::Fresh, &Stop::never());
        folder.run(&experiment, &broken, Start::Fresh, &Stop::after(3));
        folder.run(&experiment, &broken, Start::Resume, &Stop::never());

        let [whole, broken] =
            [whole, broken].map(|run| fs::read(folder.at(&run).join("model.bpk")));
        assert!(whole.unwrap() == broken.unwrap(), "{optimizer} with {schedule}");
    }
}

#[test]
fn gradients_of_micro_batches_are_averaged_and_not_summed() {
    let folder = Folder::with_films(40);
    // One step of plain gradient descent on all films; the last bias hardly depends on batch norm
    // taking its statistics from fewer films.
    let bias_after = |name: &str, micro: usize, rate: f64| -> Vec<f32> {
        let experiment = folder.experiment(&format!(
            "[model]\nwidth = 0.0625\ndropout = 0.0\n[train]\nepochs = 1\nbatch_size = 64\n\
             micro_batch_size = {micro}\nlearning_rate = {rate:e}\noptimizer = {{ name = \"sgd\" }}\n"
        ));
        folder.run(&experiment, name, Start::Fresh, &Stop::never());
        let bytes = fs::read(folder.at(name).join("model.bpk")).unwrap();
        let reader =
            burn_pack::Reader::from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes)).unwrap();
        let bias = reader.tensor_data("head.logits.bias").unwrap();
        bias.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    };
    let start = bias_after("start", 64, 1e-12);
    let step =
        |bias: Vec<f32>| -> f32 { bias.iter().zip(&start).map(|(b, s)| (b - s).abs()).sum() };
    let whole = step(bias_after("whole", 64, 0.5));
    let parts = step(bias_after("parts", 8, 0.5));

    // Four micro-batches of the 30-odd training films: summed, the step would be four times as
    // long.
    assert!((parts / whole - 1.0).abs() < 0.1, "{parts} and {whole}");
}

#[test]
fn a_split_by_film_stops_before_the_first_step_unless_the_experiment_says_leaky() {
    let folder = Folder::with_films(60);
    let leak =
        folder.experiment("split = \"by-image\"\n[model]\nwidth = 0.0625\n[train]\nepochs = 1\n");
    let stop = Stop::never();
    let error = train(&leak, &folder.at("run"), Start::Fresh, &Device::flex(), &stop).unwrap_err();

    assert!(matches!(error, Error::Split(_)), "{error}");
    assert_eq!(stop.steps.get(), 0);
    let mut owned = leak;
    owned.data.leaky = true;
    folder.run(&owned, "run", Start::Fresh, &stop);
    let description = roentgen_models::ModelInfo::read(&folder.at("run")).unwrap();
    assert!(description.training.unwrap().selection.leaky);
}

#[test]
fn an_auroc_that_is_undefined_cannot_choose_the_best_epoch() {
    let folder = Folder::with_films(40);
    // A finding that hardly any film shows, and few validation films.
    let text = "[model]\nwidth = 0.0625\n[train]\nepochs = 1\nbest_by = \"auroc\"\n";
    let mut experiment = folder.experiment(text);
    let prepared = roentgen_data::prepare::Prepared::open(&folder.at("prepared")).unwrap();
    let rows = &prepared.rows;
    let sides = experiment.selection().sides(rows, &[], experiment.seed).unwrap();
    let is_on = |finding: roentgen_data::Finding| {
        let valid = rows.iter().zip(&sides).filter(|(_, side)| **side == Some(Split::Valid));
        valid.filter(|(row, _)| row.findings.contains(finding)).count() > 0
    };
    let absent = roentgen_data::Finding::ALL.into_iter().filter(|&finding| !is_on(finding));
    experiment.findings = Findings::List(absent.collect());
    let stop = Stop::never();

    for error in [
        roentgen_train::check(&experiment, &|_, _| ()).unwrap_err(),
        train(&experiment, &folder.at("run"), Start::Fresh, &Device::flex(), &stop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::NoAuroc { .. }), "{error}");
    }
    assert_eq!(stop.steps.get(), 0);
    experiment.train.best_by = BestBy::Loss;
    folder.run(&experiment, "run", Start::Fresh, &stop);
    let facts = roentgen_train::Facts::read(&folder.at("run")).unwrap().unwrap();
    assert_eq!(facts.best_by, Some(BestBy::Loss));
}

#[test]
fn a_run_is_not_written_over_and_not_resumed_as_another() {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment("[model]\nwidth = 0.0625\n[train]\nepochs = 1\n");
    folder.run(&experiment, "run", Start::Fresh, &Stop::never());
    let again = |experiment: &Experiment, start| {
        train(experiment, &folder.at("run"), start, &Device::flex(), &Stop::never())
    };
    let mut other = experiment.clone();
    other.train.epochs = 2;

    assert!(matches!(again(&experiment, Start::Fresh), Err(Error::RunDir(_))));
    let error = again(&other, Start::Resume).unwrap_err().to_string();
    assert!(error.contains("it has `epochs = 1`, this one has `epochs = 2`"), "{error}");
    assert!(matches!(again(&experiment, Start::Resume), Ok(TrainOutcome::Finished(_))));
}

#[test]
fn a_run_whose_films_are_cut_off_ends_with_an_error_that_names_the_file() {
    let folder = Folder::with_films(80);
    let experiment = folder.experiment("[model]\nwidth = 0.125\n[train]\nbatch_size = 8\n");
    let films = folder.at("prepared").join("images.safetensors");

    let cut = || File::options().write(true).open(&films).unwrap().set_len(4096).unwrap();
    let stop = Stop::calling(&cut);

    let run = train(&experiment, &folder.at("run"), Start::Fresh, &Device::flex(), &stop);

    match run.unwrap_err() {
        Error::Films(store::Error::Film { path, .. })
        | Error::Features(features::Error::Films(store::Error::Film { path, .. })) => {
            assert_eq!(path, films);
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_checker_opens_a_data_set_once() {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment("[model]\nwidth = 0.0625\n[train]\nbest_by = \"loss\"\n");
    let mut checker = roentgen_train::Checker::default();
    checker.check(&experiment, &|_, _| ()).unwrap();

    std::fs::remove_file(folder.at("prepared").join("manifest.csv")).unwrap();

    let mut other = experiment.clone();
    other.train.learning_rate = 0.5;
    checker.check(&other, &|_, _| ()).unwrap();
    assert!(roentgen_train::check(&experiment, &|_, _| ()).is_err());
}

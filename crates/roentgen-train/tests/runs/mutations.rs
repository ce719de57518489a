//! Edited files give an error or a run, never a panic: deterministic mutations of valid files.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use roentgen_models::ModelInfo;
use roentgen_test_support::mutation::turns;
use roentgen_train::checkpoint::{RunShape, RunState};
use roentgen_train::films::{FILMS, TrainingFilms};
use roentgen_train::run_dir::{self, Start};
use roentgen_train::sweep::{self, Points};
use roentgen_train::{Experiment, Facts, ResumeOptions, overrides, resume};

use crate::folder::{Folder, Stop};

/// The longest that reading one changed file, and a step of training after it, may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Values that people and programs write by mistake.
const HOSTILE: [&str; 16] = [
    "0",
    "-1",
    "1e308",
    "-1e308",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "-9223372036854775808",
    "1000000000000000000",
    "99999999999999999999",
    "\"x\"",
    "true",
    "[]",
    "{}",
    "[0, -1]",
];

/// Edits a text in one to three places; the same seed gives the same edits.
fn mutated(text: &str, seed: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = random.random_range(0..lines.len());
    match seed % 8 {
        // A value is replaced: the edit that passes the parser most often.
        0..=3 => {
            for _ in 0..=seed % 3 {
                let at = random.random_range(0..lines.len());
                if let Some((key, _)) = lines[at].clone().split_once('=') {
                    lines[at] =
                        format!("{key}= {}", HOSTILE[random.random_range(0..HOSTILE.len())]);
                }
            }
        }
        4 => {
            lines.remove(at);
        }
        5 => {
            let other = random.random_range(0..lines.len());
            lines.swap(at, other);
        }
        6 => {
            let digit = lines[at].find(|letter: char| letter.is_ascii_digit());
            if let Some(place) = digit {
                lines[at].insert_str(place, ["9", "-", "99999999", "0."][at % 4]);
            }
        }
        _ => {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..3 {
                let place = random.random_range(0..bytes.len());
                match random.random_range(0..3) {
                    0 => bytes[place] ^= 1 << random.random_range(0..8),
                    1 => {
                        bytes.remove(place);
                    }
                    _ => bytes.truncate(place.max(8)),
                }
            }
            return bytes;
        }
    }
    (lines.join("\n") + "\n").into_bytes()
}

/// Writes each mutation of `text` to `path` and reads it; a panic names the mutation.
fn without_panic(path: &Path, text: &str, count: u64, mut read: impl FnMut(&Path)) {
    for seed in 0..turns(count) {
        let bytes = mutated(text, seed);
        fs::write(path, &bytes).unwrap();
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read(path)));
        assert!(start.elapsed() < LIMIT, "mutation {seed} took {:?}", start.elapsed());
        assert!(outcome.is_ok(), "mutation {seed}:\n{}", String::from_utf8_lossy(&bytes));
    }
}

const EVERYTHING: &str = r#"seed = 7
split_seed = 8
findings = ["Mass", "Nodule", "Effusion"]
[data]
prepared = "PREPARED"
split = "by-patient"
leaky = false
normal = "keep"
films = 35
[data.sample]
films = 38
floor = 0.04
[image]
size = 32
channels = 1
normalize = "per-image"
[image.augment]
flip = true
shift = [0.1, 0.1]
rotate = 5.0
shear = 0.1
zoom = 0.1
fill = "reflect"
[model]
architecture = "mobilenet"
weights = "none"
freeze = "nothing"
width = 0.0625
pool = "attention"
dropout = 0.5
[train]
epochs = 3
folds = 3
fold = 1
batch_size = 16
micro_batch_size = 8
learning_rate = 0.01
optimizer = { name = "adam", betas = [0.9, 0.999], epsilon = 1e-7 }
loss = "wang"
best_by = "loss"
feature_draws = 2
[train.schedule]
name = "reduce-on-plateau"
factor = 0.5
patience = 2
floor = 1e-6
[train.early_stopping]
patience = 3
[[train.phases]]
epochs = 1
freeze = "backbone"
[[train.phases]]
epochs = 2
learning_rate = 0.001
"#;

#[test]
fn an_edited_experiment_is_refused_or_can_be_run() {
    const EDITS: u64 = 600;
    let folder = Folder::with_films(40);
    let text = EVERYTHING.replace("PREPARED", folder.at("prepared").to_str().unwrap());
    let path = folder.at("edited.toml");
    let (mut read, mut checked) = (0_u64, 0);
    fs::write(&path, &text).unwrap();
    let whole = overrides::read(&path, &[]).unwrap();
    roentgen_train::check(&whole, &|_, _| ()).unwrap();

    without_panic(&path, &text, EDITS, |path| {
        let Ok(experiment) = overrides::read(path, &[]) else { return };
        read += 1;
        let resolved = toml::to_string(&experiment).unwrap();
        assert_eq!(toml::from_str::<Experiment>(&resolved).unwrap(), experiment);
        checked += usize::from(roentgen_train::check(&experiment, &|_, _| ()).is_ok());
    });

    let some_are_refused = read < turns(EDITS) * 5 / 6;
    assert!(read > 50 && checked > 20 && some_are_refused, "{read} read, {checked} could be run");
}

#[test]
fn an_edited_sweep_is_refused_or_has_points() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sweep.toml");
    let base = "[data]\nprepared = \"films\"\n[train]\nfolds = 3\nfold = 0\n";
    let grid = "[sweep]\ntitle = \"grid\"\n[sweep.product]\ntrain.learning_rate = [0.1, 0.01]\n\
                train.fold = [0, 1, 2]\nimage.channels = [1, 3]\n[[sweep.points]]\n\
                name = \"one\"\nset = { seed = 1 }\n[[sweep.points]]\nname = \"two\"\n\
                set = { seed = 2 }\n[[sweep.reported]]\nname = \"two\"\nauroc = 0.8\n";
    let search = "[sweep.search]\nmethod = \"tpe\"\npoints = 20\nseed = 3\n\
                  [sweep.search.space.train]\n[sweep.search.space.train.learning_rate]\n\
                  low = 1e-5\nhigh = 0.1\nlog = true\n[sweep.search.space.train.epochs]\n\
                  low = 1\nhigh = 9\n[sweep.search.space.train.batch_size]\nlow = 1\n\
                  high = 64\nlog = true\n[sweep.stop]\nrule = \"median\"\nafter = 2\n";
    let mut points = 0;
    for text in [grid, search] {
        without_panic(&path, &format!("{base}{text}"), 300, |path| {
            let Ok((_, found)) = sweep::read(path, &[]) else { return };
            points += found.count().min(1);
            if let Points::Drawn(drawn) = found {
                let values = drawn.suggest(1, &[]);
                let _ = drawn.point(1, &values);
            }
        });
    }

    assert!(points > 50, "{points} could be read");
}

#[test]
fn keys_of_thousands_of_parts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.toml");
    let deep = vec!["a"; 100_000].join(".");
    fs::write(&path, format!("{deep} = 1\n")).unwrap();
    assert!(overrides::read(&path, &[]).is_err());
    fs::write(&path, format!("findings = {}{}\n", "[".repeat(100_000), "]".repeat(100_000)))
        .unwrap();
    assert!(overrides::read(&path, &[]).is_err());
    fs::write(&path, "seed = 1\n").unwrap();
    let error = overrides::read(&path, &[format!("{deep}=1")]).unwrap_err();
    assert!(matches!(error, overrides::Error::NotASetting(_)));
}

#[test]
fn edited_files_of_a_run_are_refused_or_resumed() {
    let folder = Folder::with_films(40);
    let experiment = folder.experiment(
        "[model]\nwidth = 0.0625\n[train]\nepochs = 2\nbatch_size = 8\n\
         schedule = { name = \"reduce-on-plateau\", factor = 0.5, patience = 1, floor = 0.0 }\n",
    );
    folder.run(&experiment, "run", Start::Fresh, &Stop::after(6));
    let run = folder.at("run");
    let kept = folder.at("kept");
    copy(&run, &kept);
    let phases = experiment.phases();
    let state = fs::read_to_string(RunState::path(&run)).unwrap();
    let films = roentgen_train::films::read(&run).unwrap().unwrap();
    let films = films.iter().filter(|row| row.split == "train").count();
    let shape = RunShape { phases: &phases, films, batch_size: 8, loss_scale: None };
    RunState::read(&run).unwrap().unwrap().check(&shape).unwrap();
    let mut fits = 0;
    without_panic(&RunState::path(&run), &state, 600, |_| {
        if let Ok(Some(state)) = RunState::read(&run) {
            fits += usize::from(state.check(&shape).is_ok());
        }
    });
    let again = |_: &Path| {
        // A run that accepts an edit may be long, so it stops after a step.
        let _ = resume(&run, &ResumeOptions::default(), &Device::flex(), &Stop::after(1));
        copy(&kept, &run);
    };
    for (name, count) in [("checkpoint/state.toml", 60), ("data.toml", 24), ("experiment.toml", 80)]
    {
        let text = fs::read_to_string(kept.join(name)).unwrap();
        if name == "experiment.toml" {
            // As an earlier version wrote it: otherwise each edit is refused by its hash.
            let data = fs::read_to_string(kept.join("data.toml")).unwrap();
            let is_hash = |line: &&str| line.starts_with("experiment_sha256");
            assert!(data.lines().any(|line| is_hash(&line)), "{data}");
            let data: Vec<&str> = data.lines().filter(|line| !is_hash(line)).collect();
            fs::write(kept.join("data.toml"), data.join("\n")).unwrap();
        }
        copy(&kept, &run);
        without_panic(&run.join(name), &text, count, again);
    }
    assert!(fits > 20 && fits < 400, "{fits} of 600 edited states fit");
    resume(&run, &ResumeOptions::default(), &Device::flex(), &Stop::never()).unwrap();
    let facts = fs::read_to_string(run.join(run_dir::FACTS)).unwrap();
    without_panic(&run.join(run_dir::FACTS), &facts, 300, |_| {
        if let Ok(Some(facts)) = Facts::read(&run) {
            facts.films_per_second(usize::MAX);
        }
    });
    let description = ModelInfo::read(&run).unwrap();
    let films = fs::read_to_string(run.join(FILMS)).unwrap();
    let mut refused = 0;
    without_panic(&run.join(FILMS), &films, 300, |_| {
        // The table has a hash in the model, so that each change is an error.
        refused += u64::from(TrainingFilms::read(&run, &description).is_err());
        let _ = roentgen_train::films::read(&run);
    });
    // Half of the edits are of lines with `=`, which the table does not have.
    assert!(refused > turns(300) / 3, "{refused}");
    let epochs = fs::read_to_string(run.join(run_dir::EPOCHS)).unwrap();
    without_panic(&run.join(run_dir::EPOCHS), &epochs, 300, |_| {
        let _ = run_dir::read_epochs(&run);
    });
}

/// Replaces a folder by a copy of another.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

//! Searches: points that are drawn, stopped early, and read back by Optuna itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use std::process::Command;

use common::{EXPERIMENT, Place, stderr};
use roentgen_test_support::{Outcome, peers, test_file};

test_file![
    drawn_points_are_run_once_written_down_and_given_up_where_hopeless,
    optuna_loads_the_journal,
    the_ends_of_every_range_are_checked_before_the_first_point
];

const SEARCH: &str = "[sweep]\ntitle = \"A search\"\n[sweep.search]\nmethod = \"tpe\"\npoints = 11\nseed = 4\n\
    [sweep.search.space]\ntrain.learning_rate = { low = 1e-4, high = 1e-1, log = true }\n\
    model.pool = [\"average\", \"linear\"]\n[sweep.stop]\nrule = \"median\"\nafter = 1\n";

const READ: &str = r#"
import sys, optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
storage = JournalStorage(JournalFileBackend(sys.argv[1]))
study = optuna.load_study(study_name="A search", storage=storage)
print("trials", len(study.trials), sorted(set(trial.state.name for trial in study.trials)))
best = study.best_trial
assert best.value == min(trial.value for trial in study.get_trials(states=[optuna.trial.TrialState.COMPLETE]))
assert set(best.params) == {"train.learning_rate", "model.pool"}, best.params
assert 1e-4 <= best.params["train.learning_rate"] <= 1e-1
rate = best.distributions["train.learning_rate"]
assert isinstance(rate, optuna.distributions.FloatDistribution) and rate.log and rate.high == 0.1, rate
assert list(best.intermediate_values) == [1, 2], best.intermediate_values
assert best.duration.total_seconds() >= 0 and best.datetime_complete.year >= 2026
print("best", best.user_attrs["folder"], best.value)
"#;

fn place() -> Place {
    let place = Place::new();
    place.ok("phantom --films 80 --size 64 --seed 2 --out films");
    place.ok("prepare films --out prepared --size 32");
    place.write("search.toml", format!("{EXPERIMENT}{SEARCH}"));
    place
}

fn drawn_points_are_run_once_written_down_and_given_up_where_hopeless() {
    let place = place();
    let document = place.json("sweep search.toml --out out");
    assert_eq!((document["finished"].as_u64(), document["ran"].as_u64()), (Some(11), Some(11)));
    let sets: Vec<String> =
        (1..=11).map(|number| place.text(&format!("out/points/{number:03}/set.toml"))).collect();
    assert!(sets.iter().all(|set| set.contains("learning_rate") && set.contains("pool")));
    let mut rates: Vec<&String> = sets.iter().collect();
    rates.sort();
    rates.dedup();
    assert!(rates.len() > 8, "{sets:?}");

    let given_up = (1..=11)
        .filter(|number| {
            place
                .text(&format!("out/points/{number:03}/run/facts.toml"))
                .contains("is_stopped = true")
        })
        .count();
    assert!((1..8).contains(&given_up), "{given_up} of 11 given up");
    assert_eq!(place.text("out/comparison.html").matches(", stopped early").count(), given_up);

    let again = place.json("sweep search.toml --out out");
    assert_eq!(again["ran"].as_u64(), Some(0));
    // The same seed in another folder draws the same points in the same order.
    place.ok("sweep search.toml --out other");
    for (number, set) in (1..=11).zip(&sets) {
        assert_eq!(*set, place.text(&format!("other/points/{number:03}/set.toml")), "{number}");
    }
    let error = place.fails("sweep search.toml --out out --set sweep.search.seed=5");
    assert!(error.contains("another sweep"), "{error}");
}

fn optuna_loads_the_journal() -> Outcome {
    peers::python("optuna")?;
    let place = place();
    place.ok("sweep search.toml --out out");

    let output = Command::new("python3")
        .args(["-c", READ])
        .arg(place.at("out/optuna.log"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("trials 11 ['COMPLETE', 'PRUNED']"), "{text}");
    Ok(())
}

fn the_ends_of_every_range_are_checked_before_the_first_point() {
    let place = place();
    place.write(
        "bad.toml",
        format!(
            "{EXPERIMENT}{}",
            SEARCH.replace("high = 1e-1", "high = 1e-1 }\nmodel.width = { low = 0.1, high = 99.0")
        ),
    );
    let error = place.fails("sweep bad.toml --out out");

    assert!(error.contains("width 99") && !place.at("out").exists(), "{error}");
}

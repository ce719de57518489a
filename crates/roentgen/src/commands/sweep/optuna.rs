//! `optuna.log`: the finished points as a journal that Optuna and its dashboard can load.
//!
//! Optuna's journal has one line of JSON per operation; a trial that is created with all its
//! figures needs a single line. Values are categories, except for numbers that a search drew.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local};
use roentgen_data::files;
use roentgen_train::sweep::search::{Axis, SearchRange};
use roentgen_train::sweep::{Points, SweepPoint};
use roentgen_train::{Facts, run_dir};
use serde_json::{Map, Value, json};

use super::place::PointFolder;

/// The journal's name in the folder of the sweep.
pub(super) const JOURNAL: &str = "optuna.log";

/// The year 9999, in seconds since 1970.
const LATEST: u64 = 253_370_764_800;

/// Optuna's numbers of operations, directions and states.
const CREATE_STUDY: u32 = 0;
const CREATE_TRIAL: u32 = 4;
const MINIMIZE: u32 = 1;
const COMPLETE: u32 = 1;
const PRUNED: u32 = 2;
const FAILED: u32 = 3;

/// Writes the journal.
pub(super) fn write(
    out: &Path,
    title: &str,
    points: &Points,
    finished: &[(SweepPoint, std::path::PathBuf)],
    failed: &[SweepPoint],
) -> anyhow::Result<()> {
    let axes = match points {
        Points::Fixed(_) => &[][..],
        Points::Drawn(drawn) => drawn.axes(),
    };
    let all: Vec<&SweepPoint> = finished.iter().map(|(point, _)| point).chain(failed).collect();
    let trial = |point: &SweepPoint, state| trial(point, &all, axes, state);
    let mut lines = vec![json!({
        "op_code": CREATE_STUDY,
        "worker_id": "roentgen",
        "study_name": title,
        "directions": [MINIMIZE],
    })];
    for (point, run) in finished {
        let epochs = run_dir::read_epochs(run)?;
        let facts = Facts::read(run)?;
        let is_stopped = facts.as_ref().is_some_and(|facts| facts.is_stopped);
        let losses: Map<String, Value> =
            epochs.iter().map(|epoch| (epoch.epoch.to_string(), json!(epoch.valid_loss))).collect();
        let best = epochs.iter().rev().find(|epoch| epoch.is_best);
        let seconds = facts.as_ref().map_or(0.0, |facts| facts.seconds);
        let ended = read_modified_time(&run.join(run_dir::FACTS));
        let mut trial = trial(point, if is_stopped { PRUNED } else { COMPLETE });
        trial["values"] = json!(best.map(|best| vec![best.valid_loss]));
        trial["intermediate_values"] = Value::Object(losses);
        // The start may be too early to represent.
        let began = Duration::try_from_secs_f64(seconds).ok().and_then(|of| ended.checked_sub(of));
        trial["datetime_start"] = json!(naive(began.unwrap_or(ended)));
        trial["datetime_complete"] = json!(naive(ended));
        trial["user_attrs"]["valid_auroc"] = json!(best.and_then(|best| best.valid_auroc));
        trial["user_attrs"]["folder"] = json!(point.folder);
        lines.push(trial);
    }
    for point in failed {
        let failed = naive(read_modified_time(&PointFolder::new(out, &point.folder).reason()));
        let mut trial = trial(point, FAILED);
        trial["datetime_start"] = json!(failed);
        trial["datetime_complete"] = json!(failed);
        lines.push(trial);
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(files::write_whole(&out.join(JOURNAL), text.as_bytes())?)
}

/// Returns when a file was written.
fn read_modified_time(file: &Path) -> SystemTime {
    std::fs::metadata(file).and_then(|file| file.modified()).unwrap_or(UNIX_EPOCH)
}

/// Formats a time as Optuna does, as local time without an offset: it cannot compare times with and
/// without one.
fn naive(moment: SystemTime) -> String {
    // A file may have any time at all; those of other centuries are not times of a run.
    let is_of_a_run = |since: &Duration| since.as_secs() < LATEST;
    let since = moment.duration_since(UNIX_EPOCH).ok().filter(is_of_a_run).unwrap_or_default();
    let local = DateTime::<Local>::from(UNIX_EPOCH + since);
    local.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// Makes a trial with its values and without times and figures.
fn trial(point: &SweepPoint, all: &[&SweepPoint], axes: &[Axis], state: u32) -> Value {
    let (mut values, mut ranges) = (Map::new(), Map::new());
    for (key, value) in &point.values {
        let axis = axes.iter().find(|axis| axis.key.join(".") == *key);
        let (value, range) = match axis.map(|axis| &axis.range) {
            Some(&SearchRange::Float { low, high, log }) => {
                (json!(value.parse::<f64>().ok()), number("Float", json!(low), json!(high), log))
            }
            Some(&SearchRange::Int { low, high, log }) => {
                (json!(value.parse::<i64>().ok()), number("Int", json!(low), json!(high), log))
            }
            Some(SearchRange::Choice(_)) | None => {
                let choices = list_choices(key, all);
                let at = choices.iter().position(|choice| choice == value);
                let choices: Vec<Value> =
                    choices.iter().map(|choice| parse_value(choice)).collect();
                let range = json!({
                    "name": "CategoricalDistribution",
                    "attributes": { "choices": choices },
                });
                (json!(at), range)
            }
        };
        values.insert(key.clone(), value);
        ranges.insert(key.clone(), json!(range.to_string()));
    }
    json!({
        "op_code": CREATE_TRIAL,
        "worker_id": "roentgen",
        "study_id": 0,
        "state": state,
        "params": values,
        "distributions": ranges,
        "user_attrs": { "name": point.name },
        "system_attrs": {},
        "values": null,
    })
}

/// Makes an Optuna range of numbers; whole numbers have a step of one, others have none.
fn number(kind: &str, low: Value, high: Value, log: bool) -> Value {
    let step = if kind == "Int" { json!(1) } else { Value::Null };
    json!({
        "name": format!("{kind}Distribution"),
        "attributes": { "low": low, "high": high, "log": log, "step": step },
    })
}

/// Lists all values that the points have for a key.
fn list_choices(key: &str, all: &[&SweepPoint]) -> Vec<String> {
    let mut choices: Vec<String> = Vec::new();
    for (_, value) in all.iter().flat_map(|point| &point.values).filter(|(own, _)| own == key) {
        if !choices.contains(value) {
            choices.push(value.clone());
        }
    }
    choices
}

/// Turns a text into a JSON number if it is one, otherwise into a JSON string.
fn parse_value(value: &str) -> Value {
    value
        .parse::<i64>()
        .map(Value::from)
        .or_else(|_| value.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_of_a_file_is_too_large_or_too_small() {
        let far = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60));
        let early = UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 40));
        let epoch = naive(UNIX_EPOCH);

        assert_eq!(epoch.len(), "1970-01-01T00:00:00.000000".len());
        for moment in [far, early].into_iter().flatten() {
            assert_eq!(naive(moment), epoch);
        }
        assert!(naive(UNIX_EPOCH + Duration::from_micros(7)).ends_with(".000007"));
    }
}

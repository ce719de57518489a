//! Reads the values of flags.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use roentgen_data::split::Split;
use roentgen_eval::{CalibrationMethod, OperatingRule};
use roentgen_models::weights::Storage;
use roentgen_tasks::{Shard, engine};

use crate::output::{STANDARD, thousands};

/// Reads a number from 1 to a million, which is enough for films in a batch or a data set, and for
/// steps; more exhausts the memory before anything is said.
pub(super) fn positive(text: &str) -> Result<usize, String> {
    at_most::<1_000_000>(text)
}

/// Reads a number from 1 to `MOST`.
pub(super) fn at_most<const MOST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("give a whole number from 1 to {}", thousands(MOST))),
    }
}

/// Reads the path of an output, where `-` is standard output.
pub(super) fn output(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(if text == "-" { STANDARD } else { text }))
}

/// Reads a part, where `auto` is that of a cluster's job.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    if text != "auto" {
        return text.parse();
    }
    Shard::of_cluster(|name| std::env::var(name).ok()).ok_or_else(|| {
        "neither the variables of a SLURM array job nor those of an indexed Kubernetes job are set; \
         give a part and the number of parts, such as 2/8"
            .to_owned()
    })
}

/// Reads a split.
pub(super) fn split() -> impl TypedValueParser<Value = Split> {
    PossibleValuesParser::new(["train", "valid", "test"]).map(|name| match name.as_str() {
        "train" => Split::Train,
        "valid" => Split::Valid,
        _ => Split::Test,
    })
}

/// A value's name on the command line, its help and the value.
pub(super) type Choice<T> = (&'static str, &'static str, T);

/// Reads one of a few values by its name.
pub(super) fn choice<T: Clone + Send + Sync>(
    choices: &'static [Choice<T>],
) -> impl TypedValueParser<Value = T> {
    let names = choices.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help));
    PossibleValuesParser::new(names).try_map(|text| {
        let known = choices.iter().find(|(name, ..)| *name == text);
        known.map(|(.., value)| value.clone()).ok_or_else(|| std::io::Error::other("unknown value"))
    })
}

/// Reads an engine.
pub(super) fn engine() -> impl TypedValueParser<Value = engine::EngineChoice> {
    PossibleValuesParser::new(["auto", "burn", "onnx"])
        .try_map(|name| name.parse::<engine::EngineChoice>().map_err(std::io::Error::other))
}

/// Reads one of `all` by its name.
fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.map(name)).try_map(move |text| {
        let known = all.into_iter().find(|one| name(*one) == text);
        known.ok_or_else(|| std::io::Error::other("unknown value"))
    })
}

/// Reads an operating point.
pub(super) fn operating_point() -> impl TypedValueParser<Value = OperatingRule> {
    named(OperatingRule::ALL, OperatingRule::name)
}

/// Reads a method of calibration.
pub(super) fn calibration() -> impl TypedValueParser<Value = CalibrationMethod> {
    named(CalibrationMethod::ALL, CalibrationMethod::name)
}

/// Reads a number format of weights.
pub(super) fn storage() -> impl TypedValueParser<Value = Storage> {
    named(Storage::ALL, Storage::name)
}

/// Reads a prevalence, `FINDING=SHARE`.
pub(super) fn prevalence(text: &str) -> Result<(String, f64), String> {
    let share = |text: &str| text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let parsed =
        text.split_once('=').and_then(|(name, text)| Some((name.to_owned(), share(text)?)));
    parsed.ok_or_else(|| "give a finding and a share, such as `Mass=0.01`".to_owned())
}

pub(super) fn setting(text: &str) -> Result<String, String> {
    let parts = text.split_once('=');
    let whole = parts.is_some_and(|(key, _)| key.split('.').all(|part| !part.trim().is_empty()));
    if whole {
        Ok(text.to_owned())
    } else {
        Err("give `key=value`, such as `train.epochs=5`".to_owned())
    }
}

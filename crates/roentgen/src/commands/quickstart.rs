//! `quickstart`: runs all stages on synthetic films, one by one, as a user would type them.
//!
//! Each stage keeps its files, so a second call resumes where the first one stopped.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use roentgen_data::phantom::PHANTOM_MARK;
use roentgen_eval::{Options, Scores};
use roentgen_train::overrides;
use roentgen_train::run_dir::Start;
use serde_json::Value;

use super::{Context, evaluate, explain, phantom, predict, prepare, train};
use crate::cli::{self, Quickstart};
use crate::engine;
use crate::output::{Ending, Output, note};

/// The experiment, which is also in `experiments/` for users to read and change.
const EXPERIMENT: &str = include_str!("../../../../experiments/quickstart.toml");
/// Number of films to draw, and their height and width.
const FILMS: usize = 2400;
const FILM_SIZE: u32 = 128;
/// Height and width of the prepared films.
const SIZE: u32 = 64;

/// Runs all stages.
pub(crate) fn run(args: &Quickstart, context: &Context) -> anyhow::Result<Output> {
    let began = Instant::now();
    let stage = |name: &str| note(&format!("[{:>4.0} s] {name}", began.elapsed().as_secs_f64()));
    fs::create_dir_all(&args.out)
        .with_context(|| format!("could not create the folder `{}`", args.out.display()))?;
    let at = |name: &str| args.out.join(name);

    stage("phantom: drawing synthetic films, test data without real patients");
    draw_films(args, context)?;

    stage("prepare: checking, decoding, resizing, packing");
    prepare::run(
        &cli::Prepare {
            source: at("films"),
            out: at("prepared"),
            size: SIZE,
            filter: cli::Filter::Lanczos3,
            labels: None,
            any_size: false,
        },
        context,
    )?;

    stage("train: training MobileNetV1 with attention");
    let trained = train_in(args, &at("run"), context)?;
    if trained.ending == Ending::Interrupted {
        return Ok(trained);
    }

    stage("predict: predicting the test films");
    let scores = at("run").join("scores/test.csv");
    let predict = cli::Predict {
        model: at("run"),
        inputs: vec![at("prepared")],
        out: scores.clone(),
        split: Some(cli::Side::Test),
        batch: 32,
        engine: engine::Choice::Burn,
    };
    predict::run(&predict, context)?;

    stage("evaluate: computing metrics and intervals, writing the report");
    let options = Options { resamples: 1000, seed: args.seed };
    let (evaluation, page) = evaluate::evaluate_into(
        &Scores::read(&scores)?,
        &scores,
        &at("report"),
        Some(&at("run")),
        &options,
    )?;

    stage("explain: drawing where the model looked");
    let explain = cli::Explain {
        model: at("run"),
        inputs: vec![at("prepared")],
        out: at("explain"),
        split: Some(cli::Side::Test),
        most: 12,
    };
    let explained = explain::run(&explain, context)?;
    stage("done");
    Ok(Output::done(
        format!("{}\n{}", explained.text, evaluate::text(&evaluation, &page)),
        serde_json::from_str::<Value>(&evaluation.to_json()?)?,
    ))
}

/// Draws the films in a temporary folder and renames it, so that `films` is always complete.
fn draw_films(args: &Quickstart, context: &Context) -> anyhow::Result<()> {
    let (films, part) = (args.out.join("films"), args.out.join("films.part"));
    if films.exists() {
        let mark = fs::read_to_string(films.join(PHANTOM_MARK)).unwrap_or_default();
        if !mark.lines().any(|line| line == format!("seed: {}", args.seed)) {
            bail!(
                "`{}` contains other films than those of seed {}; choose another folder with \
                 `--out`",
                films.display(),
                args.seed
            );
        }
        return Ok(());
    }
    if part.exists() {
        fs::remove_dir_all(&part).context("could not delete unfinished films")?;
    }
    let drawn = cli::Phantom { images: FILMS, size: FILM_SIZE, seed: args.seed, out: part.clone() };
    phantom::run(&drawn, context)?;
    fs::rename(&part, &films).context("could not rename the folder of films")
}

fn train_in(args: &Quickstart, run: &Path, context: &Context) -> anyhow::Result<Output> {
    let file = args.out.join("experiment.toml");
    roentgen_data::files::write_whole(&file, EXPERIMENT.as_bytes())?;
    let prepared = toml::Value::String(args.out.join("prepared").to_string_lossy().into_owned());
    let settings = [format!("data.prepared={prepared}"), format!("seed={}", args.seed)];
    let experiment = overrides::read(&file, &settings)?;
    train::experiment_into(&experiment, run, Start::Resume, context)
}

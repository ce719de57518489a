//! `quickstart`: the whole line on drawn films, stage by stage as a user would type it.
//!
//! Each stage leaves its files, so a second call goes on where the first was stopped.

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

/// The experiment, also to be read and changed in `experiments/`.
const EXPERIMENT: &str = include_str!("../../../../experiments/quickstart.toml");
/// Films drawn, and their size on disk.
const FILMS: usize = 2400;
const FILM_SIZE: u32 = 128;
/// Size of the prepared films.
const SIZE: u32 = 64;

/// Runs the line.
pub(crate) fn run(args: &Quickstart, context: &Context) -> anyhow::Result<Output> {
    let began = Instant::now();
    let stage = |name: &str| note(&format!("[{:>4.0} s] {name}", began.elapsed().as_secs_f64()));
    fs::create_dir_all(&args.out)
        .with_context(|| format!("could not make the folder `{}`", args.out.display()))?;
    let at = |name: &str| args.out.join(name);

    stage("phantom: drawing films, test data and no patients");
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

    stage("train: MobileNetV1 with attention");
    let trained = train_in(args, &at("run"), context)?;
    if trained.ending == Ending::Interrupted {
        return Ok(trained);
    }

    stage("predict: the test films");
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

    stage("evaluate: figures, intervals, report");
    let options = Options { resamples: 1000, seed: args.seed };
    let (evaluation, page) =
        evaluate::evaluate_into(&Scores::read(&scores)?, &scores, &at("report"), &options)?;

    stage("explain: where the model looked");
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

/// Draws the films beside their place and renames them, so that `films` is whole where it stands.
fn draw_films(args: &Quickstart, context: &Context) -> anyhow::Result<()> {
    let (films, part) = (args.out.join("films"), args.out.join("films.part"));
    if films.exists() {
        let mark = fs::read_to_string(films.join(PHANTOM_MARK)).unwrap_or_default();
        if !mark.lines().any(|line| line == format!("seed: {}", args.seed)) {
            bail!(
                "`{}` holds other films than seed {} draws; name another folder with `--out`",
                films.display(),
                args.seed
            );
        }
        return Ok(());
    }
    if part.exists() {
        fs::remove_dir_all(&part).context("could not clear away unfinished films")?;
    }
    let drawn = cli::Phantom { images: FILMS, size: FILM_SIZE, seed: args.seed, out: part.clone() };
    phantom::run(&drawn, context)?;
    fs::rename(&part, &films).context("could not put the films in their place")
}

fn train_in(args: &Quickstart, run: &Path, context: &Context) -> anyhow::Result<Output> {
    let file = args.out.join("experiment.toml");
    roentgen_data::files::write_whole(&file, EXPERIMENT.as_bytes())?;
    let prepared = toml::Value::String(args.out.join("prepared").to_string_lossy().into_owned());
    let settings = [format!("data.prepared={prepared}"), format!("seed={}", args.seed)];
    let experiment = overrides::read(&file, &settings)?;
    train::experiment_into(&experiment, run, Start::Resume, context)
}

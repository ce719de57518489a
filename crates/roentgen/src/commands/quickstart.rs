//! `quickstart`: runs all stages on synthetic films, one by one, as a user would type them.
//!
//! Each stage keeps its files, so a second call resumes where the first one stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_data::lock::FolderLock;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::PrepareSettings;
use roentgen_data::split::Split;
use roentgen_eval::{BootstrapOptions, OperatingRule, Scores};
use roentgen_models::Precision;
use roentgen_phantom::PHANTOM_MARK;
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::evaluate::{EvaluateRequest, write_report};
use roentgen_tasks::sources::{Gate, Privacy};
use roentgen_tasks::{Shard, explain, predict};
use roentgen_train::overrides;
use roentgen_train::run_dir::Start;

use super::{evaluate, phantom, prepare, train};
use crate::cli::Quickstart;
use crate::context::Context;
use crate::output::{Ending, Output, note, today};

/// The experiment, which is also in `experiments/` for users to read and change.
const EXPERIMENT: &str = include_str!("../../../../experiments/quickstart.toml");
/// The lock of the whole folder; its stages have locks of their own.
const LOCK: &str = ".lock";
/// Height and width of the films that are drawn.
const FILM_SIZE: u32 = 128;
/// Height and width of the prepared films.
const SIZE: u32 = 64;

/// Runs all stages.
pub(crate) fn run(args: &Quickstart, context: &Context) -> anyhow::Result<Output> {
    let began = Instant::now();
    let stage = |name: &str| note(&format!("[{:>4.0} s] {name}", began.elapsed().as_secs_f64()));
    let _lock = FolderLock::take_as(&args.out, LOCK)?;
    let at = |name: &str| args.out.join(name);

    stage("phantom: drawing synthetic films, test data without real patients");
    draw_films(args, context)?;

    stage("prepare: checking, decoding, resizing, packing");
    let settings =
        PrepareSettings { size: SIZE, filter: Filter::Lanczos3, labels: None, any_size: false };
    let prepared = prepare::with_bar(context.bars, |progress| {
        roentgen_data::prepare::prepare(&at("films"), &at("prepared"), &settings, progress)
    })?;
    prepare::name_bad_films(&prepared.bad, None);

    stage("train: training MobileNetV1 with attention");
    let trained = train_in(args, &at("run"), context)?;
    if trained.ending == Ending::Interrupted {
        return Ok(trained);
    }

    stage("predict: predicting the test films");
    let (run, inputs, listener) = (at("run"), [at("prepared")], context.listener());
    let request = predict::PredictRequest {
        model: &run,
        inputs: &inputs,
        split: Some(Split::Test),
        batch: 32,
        engine: EngineChoice::Burn,
        precision: Precision::F32,
        onnx: None,
        operating_point: OperatingRule::Youden,
        calibration: None,
        gate: Gate::Off,
        privacy: &Privacy::Named,
        shard: Shard::WHOLE,
    };
    let scores = predict::table(&request, &context.device, &listener)?.scores;
    let path = run.join("scores/test.csv");
    files::create_folder_of(&path)?;
    scores.write(&path)?;

    stage("evaluate: computing metrics and intervals, writing the report");
    let options = BootstrapOptions { resamples: 1000, seed: args.seed };
    let request = EvaluateRequest {
        // As it was written: the report names the file.
        scores: &Scores::read(&path)?,
        path: &path,
        model: Some(&run),
        fit: None,
        prevalence: BTreeMap::new(),
        against: None,
        by_protocols: false,
        localization: None,
        date: Some(today()),
    };
    let written = write_report(&request, &options, &at("report"), &listener)?;

    stage("explain: drawing where the model looked");
    let request = explain::ExplainRequest {
        model: &run,
        inputs: &inputs,
        split: Some(Split::Test),
        method: None,
        findings: &[],
        operating_point: OperatingRule::Youden,
        batch: 32,
        most: 12,
        gate: Gate::Off,
        privacy: &Privacy::Named,
    };
    let explained = explain::draw(&request, &at("explain"), &context.device, &context.listener())?;
    stage("done");
    Ok(Output::done(
        format!(
            "{}\n{}",
            explained.figure.display(),
            evaluate::text(&written.evaluation, &written.page)
        ),
        written.metrics,
    ))
}

/// Draws the films in a temporary folder and renames it, so that `films` is always complete.
fn draw_films(args: &Quickstart, context: &Context) -> anyhow::Result<()> {
    let (films, part) = (args.out.join("films"), args.out.join("films.part"));
    if films.exists() {
        let mark = fs::read_to_string(films.join(PHANTOM_MARK)).unwrap_or_default();
        let says = |wanted: String| mark.lines().any(|line| line == wanted);
        if !says(format!("seed: {}", args.seed)) || !says(format!("films: {}", args.films)) {
            bail!(
                "`{}` contains other films than the {} of seed {}; choose another folder with \
                 `--out`",
                films.display(),
                args.films,
                args.seed
            );
        }
        return Ok(());
    }
    if part.exists() {
        fs::remove_dir_all(&part).context("could not delete unfinished films")?;
    }
    let settings =
        roentgen_phantom::PhantomSettings { films: args.films, size: FILM_SIZE, seed: args.seed };
    phantom::draw(&part, &settings, context)?;
    fs::rename(&part, &films).context("could not rename the folder of films")
}

fn train_in(args: &Quickstart, run: &Path, context: &Context) -> anyhow::Result<Output> {
    let file = args.out.join("experiment.toml");
    files::write_whole(&file, EXPERIMENT.as_bytes())?;
    let prepared = toml::Value::String(args.out.join("prepared").to_string_lossy().into_owned());
    let settings = [format!("data.prepared={prepared}"), format!("seed={}", args.seed)];
    let experiment = overrides::read(&file, &settings)?;
    train::experiment_into(&experiment, run, Start::Resume.into(), context)
}

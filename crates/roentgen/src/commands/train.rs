//! `train` runs an experiment; `show` prints it as it would run.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::split::{Split, SplitRule};
use roentgen_tasks::calibrate::calibrate_finished;
use roentgen_train::run_dir::{self, Start};
use roentgen_train::{Experiment, MemoryLimit, TrainOptions, TrainOutcome, overrides};
use serde_json::json;

use crate::cli::{Resume, Show, Train};
use crate::context::Context;
use crate::mlflow::Server;
use crate::output::{Ending, Output, note, quote};
use crate::progress::TrainingDisplay;

/// Trains, or resumes training.
pub(crate) fn run(args: &Train, context: &Context) -> anyhow::Result<Output> {
    let mut settings = args.settings.clone();
    settings.extend(args.seed.map(|seed| format!("seed={seed}")));
    let experiment = overrides::read(&args.experiment, &settings)?;
    if experiment.sweep.is_some() {
        bail!(
            "`{}` has a `[sweep]` table, so it describes several experiments; run them with \
             `roentgen sweep`",
            args.experiment.display()
        );
    }
    let server = args.mlflow.as_deref().map(Server::connect).transpose()?;
    let start = if args.resume { Start::Resume } else { Start::Fresh };
    let options = TrainOptions { start, memory: limit(args.force) };
    let output = experiment_into(&experiment, &args.out, options, context)?;
    if let Some(server) = server.filter(|_| output.ending == Ending::Done) {
        let stem = |path: &Path| {
            path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
        };
        server.record(&stem(&args.experiment), &stem(&args.out), &args.out)?;
    }
    Ok(output)
}

/// Returns what `--force` means.
pub(crate) fn limit(force: bool) -> MemoryLimit {
    if force { MemoryLimit::Ignore } else { MemoryLimit::Keep }
}

/// Runs an experiment into a folder.
pub(crate) fn experiment_into(
    experiment: &Experiment,
    out: &Path,
    options: TrainOptions,
    context: &Context,
) -> anyhow::Result<Output> {
    experiment_with(experiment, out, options, context, TrainingDisplay::new(context.bars))
}

/// Runs an experiment into a folder, with a listener that can stop the run.
pub(crate) fn experiment_with(
    experiment: &Experiment,
    out: &Path,
    options: TrainOptions,
    context: &Context,
    training: TrainingDisplay<'_>,
) -> anyhow::Result<Output> {
    let outcome = roentgen_train::train(experiment, out, options, &context.device, &training)?;
    drop(training);
    conclude(&outcome, experiment, out, &[], context)
}

/// Resumes a run from its folder, or lengthens it.
pub(crate) fn resume(args: &Resume, context: &Context) -> anyhow::Result<Output> {
    if args.epochs.is_none() && args.run.join(run_dir::FINISHED).exists() {
        note("the run has already finished; `--epochs N` lengthens it");
    }
    let training = TrainingDisplay::new(context.bars);
    let options = roentgen_train::ResumeOptions {
        epochs: args.epochs,
        memory: limit(args.force),
        data: args.data.clone(),
    };
    let outcome = roentgen_train::resume(&args.run, &options, &context.device, &training)?;
    drop(training);
    let experiment = overrides::read(&args.run.join(run_dir::EXPERIMENT), &[])?;
    conclude(&outcome, &experiment, &args.run, &args.data, context)
}

/// Calibrates a run that has finished, and says how it ended and what can be done with it.
fn conclude(
    outcome: &TrainOutcome,
    experiment: &Experiment,
    out: &Path,
    data: &[PathBuf],
    context: &Context,
) -> anyhow::Result<Output> {
    match outcome {
        TrainOutcome::Finished(best) => {
            calibrate_finished(out, experiment, data, &context.device, &context.listener())?;
            // The 2019 study's split by film has no test films.
            let side = if experiment.data.split == SplitRule::ByImage {
                Split::Valid
            } else {
                Split::Test
            };
            // After `--data` the experiment names a folder that may be gone.
            let prepared = if data.is_empty() {
                experiment.data.prepared.clone()
            } else {
                run_dir::data_set(out, experiment, data)?
            };
            let text = format!(
                "best: {best}\nnext: roentgen predict {} {} --split {} --out {}",
                quote(out),
                quote(&prepared),
                side.name(),
                quote(&out.join(format!("scores/{}.csv", side.name()))),
            );
            Ok(Output::done(text, json!({ "out": out, "finished": true, "best": best })))
        }
        TrainOutcome::Interrupted => Ok(Output {
            text: format!("stopped and saved; resume with `roentgen resume {}`", quote(out)),
            json: json!({ "out": out, "finished": false }),
            ending: Ending::Interrupted,
        }),
    }
}

/// Prints an experiment with all values resolved.
pub(crate) fn show(args: &Show) -> anyhow::Result<Output> {
    let experiment = overrides::read(&args.experiment, &args.settings)?;
    let text = toml::to_string(&experiment).context("could not print the experiment")?;
    Ok(Output::done(text, serde_json::to_value(&experiment)?))
}

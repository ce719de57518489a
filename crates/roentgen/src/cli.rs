//! All commands and flags, with their help texts.

mod bench;
mod data;
#[cfg(test)]
mod documents;
mod ensemble;
mod examples;
mod explain;
mod export;
mod fetch;
mod gate;
mod install;
mod predict;
mod privacy;
mod serve;
mod sweep;
mod train;
mod values;
pub(crate) mod version;
mod view;
mod weights;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use roentgen_tasks::device;

use values::{at_most, prevalence};

pub(crate) use bench::{
    Bench, BenchEvaluate, BenchInput, BenchNetwork, BenchPredict, BenchWhat, Steps,
};
pub(crate) use data::{Describe, Phantom, Prepare, Quickstart, Verify};
pub(crate) use ensemble::{Ensemble, RuleName};
pub(crate) use explain::Explain;
pub(crate) use export::{Export, Format};
pub(crate) use fetch::{ChestmnistSize, Fetch, FetchChestmnist, FetchNih, FetchWhat};
pub(crate) use install::{Completions, Man};
pub(crate) use predict::{Join, Predict};
pub(crate) use privacy::PrivacyFlags;
pub(crate) use serve::Serve;
pub(crate) use sweep::{Compare, Sweep};
pub(crate) use train::{Calibrate, Init, Resume, Show, Train};
pub(crate) use view::{View, ViewedPart};
pub(crate) use weights::{Import, Pull, Weights, WeightsWhat};

/// Train chest X-ray classifiers and evaluate them honestly.
#[derive(Parser, Debug)]
#[command(name = "roentgen", version, long_version = version::long(), propagate_version = true)]
#[command(after_help = examples::PROGRAM)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The heading of the flags that every command accepts.
const GLOBAL: &str = "Options of all commands";

/// Flags that every command accepts.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Print a single JSON document on standard output instead of text.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Device: auto, cpu, vulkan, cuda or metal; add a colon and a number to pick a GPU (`cuda:1`).
    #[arg(long, global = true, help_heading = GLOBAL, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: device::DeviceChoice,
    /// Number of threads; all cores by default. Does not affect results.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "N", value_parser = at_most::<1024>)]
    pub(crate) threads: Option<usize>,
    /// Do not show progress bars.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) no_progress: bool,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run all stages on synthetic films: phantom, prepare, train, predict, evaluate, explain.
    #[command(after_help = examples::QUICKSTART)]
    Quickstart(Quickstart),
    /// Draw a synthetic data set in the NIH layout: test data, no real patients.
    #[command(after_help = examples::PHANTOM)]
    Phantom(Phantom),
    /// Check, decode, resize and pack a data set once, before training.
    #[command(after_help = examples::PREPARE)]
    Prepare(Prepare),
    /// Count findings, co-occurrences, films per split and patients in more than one split.
    #[command(after_help = examples::DESCRIBE)]
    Describe(Describe),
    /// Hash the files of prepared data sets and models, and compare score tables with them.
    #[command(after_help = examples::VERIFY)]
    Verify(Verify),
    /// Write a commented experiment file to edit and train.
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Run one experiment into one run directory.
    #[command(after_help = examples::TRAIN)]
    Train(Train),
    /// Resume an unfinished run from its folder alone, or lengthen a finished one.
    #[command(after_help = examples::RESUME)]
    Resume(Resume),
    /// Fit calibration and thresholds to a run's validation films and store them in its model;
    /// `train` does this when it finishes.
    #[command(after_help = examples::CALIBRATE)]
    Calibrate(Calibrate),
    /// Run every point of an experiment file's `[sweep]` table once and compare them.
    #[command(after_help = examples::SWEEP)]
    Sweep(Sweep),
    /// Compare finished runs in a self-contained HTML page, Markdown and CSV.
    #[command(after_help = examples::COMPARE)]
    Compare(Compare),
    /// Print an experiment as it would run, with inherited values and all defaults except
    /// `train.precision = "f32"`.
    #[command(after_help = examples::SHOW)]
    Show(Show),
    /// Predict the findings of films, as text, as a score table or as a picture.
    #[command(after_help = examples::PREDICT)]
    Predict(Predict),
    /// Join the score tables of the parts of one prediction.
    #[command(after_help = examples::JOIN)]
    Join(Join),
    /// Evaluate score tables: metrics with intervals, plots and a self-contained HTML report.
    #[command(after_help = examples::EVALUATE)]
    Evaluate(Evaluate),
    /// Combine the score tables of several models into one.
    #[command(after_help = examples::ENSEMBLE)]
    Ensemble(Ensemble),
    /// Draw heat maps of where a model looked.
    #[command(after_help = examples::EXPLAIN)]
    Explain(Explain),
    /// Export a model to one file for ONNX Runtime, TensorRT or the browser.
    #[command(after_help = examples::EXPORT)]
    Export(Export),
    /// Serve models over HTTP until SIGTERM or Ctrl-C; SIGHUP loads them again.
    #[command(after_help = examples::SERVE)]
    Serve(Serve),
    /// Show a data set beside what a model says of it in a browser, the worst mistakes first.
    #[command(after_help = examples::VIEW)]
    View(View),
    /// Download, verify and unpack a data set; run again to resume.
    #[command(after_help = examples::FETCH)]
    Fetch(Fetch),
    /// List, download or import published weights.
    #[command(after_help = examples::WEIGHTS)]
    Weights(Weights),
    /// Measure the speed of this machine.
    #[command(after_help = examples::BENCH)]
    Bench(Bench),
    /// Show which devices and engines this build and this machine have.
    #[command(after_help = examples::DOCTOR)]
    Doctor,
    /// Print the script that completes commands and flags in a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Write a man page for each command.
    #[command(after_help = examples::MAN)]
    Man(Man),
}

impl Command {
    /// Returns whether the command computes on `--device` or reports it.
    pub(crate) fn uses_device(&self) -> bool {
        match self {
            Command::Quickstart(_)
            | Command::Train(_)
            | Command::Resume(_)
            | Command::Calibrate(_)
            | Command::Sweep(_)
            | Command::Compare(_)
            | Command::Predict(_)
            | Command::Explain(_)
            | Command::Serve(_)
            | Command::View(_)
            | Command::Weights(_)
            | Command::Bench(_)
            | Command::Doctor => true,
            Command::Phantom(_)
            | Command::Init(_)
            | Command::Prepare(_)
            | Command::Describe(_)
            | Command::Verify(_)
            | Command::Show(_)
            | Command::Join(_)
            | Command::Evaluate(_)
            | Command::Ensemble(_)
            | Command::Export(_)
            | Command::Fetch(_)
            | Command::Completions(_)
            | Command::Man(_) => false,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// Score tables; each further table is also compared with the first.
    #[arg(required = true)]
    pub(crate) scores: Vec<PathBuf>,
    /// Output folder for report.html, report.md, metrics.json and the plots.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Model directory that predicted the table; the report then states its architecture, epoch and
    /// initial weights.
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Score table of validation films to fit calibration and thresholds to; by default those of
    /// `--model` are used.
    #[arg(long, value_name = "CSV")]
    pub(crate) fit: Option<PathBuf>,
    /// `localization.json` of `explain --boxes` for the same model; the report then has a section on
    /// explanations.
    #[arg(long, value_name = "FILE")]
    pub(crate) localization: Option<PathBuf>,
    /// Prevalence of a finding where the model would be used, for PPV and NPV: `Mass=0.01`;
    /// repeatable.
    #[arg(long, value_name = "FINDING=SHARE", value_parser = prevalence)]
    pub(crate) prevalence: Vec<(String, f64)>,
    /// Also evaluate as the 2019 study did, and say how much of the difference is due to films of
    /// patients in training, to dropped films without a finding and to leaving out Hernia.
    #[arg(long)]
    pub(crate) protocols: bool,
    /// Number of bootstrap resamples of the patients for the intervals.
    #[arg(long, default_value_t = 1000, value_name = "N",
        value_parser = at_most::<100_000>)]
    pub(crate) resamples: usize,
    /// Seed of the resamples.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    /// Collects the help texts below the options of a command and of all commands below it.
    fn examples_of(command: &clap::Command, found: &mut Vec<(String, String)>) {
        let text = command.get_after_help().map_or_else(String::new, ToString::to_string);
        found.push((command.get_name().to_owned(), text));
        let below = command.get_subcommands().filter(|command| command.get_name() != "help");
        below.for_each(|command| examples_of(command, found));
    }

    #[test]
    fn each_command_has_two_examples_that_are_valid_command_lines() {
        let mut found = Vec::new();
        examples_of(&Cli::command(), &mut found);

        assert!(found.len() > 25, "{}", found.len());
        for (command, text) in found {
            let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("  ")).collect();
            assert_eq!(lines.len(), 2, "{command}: {text}");
            for line in lines {
                let line = line.split(['|', '>']).next().unwrap_or_default().replace('"', "");
                let parsed = Cli::try_parse_from(line.split_whitespace());
                let is_help =
                    parsed.as_ref().is_err_and(|error| error.kind() == ErrorKind::DisplayHelp);
                assert!(parsed.is_ok() || is_help, "{line}: {parsed:?}");
            }
        }
    }
}

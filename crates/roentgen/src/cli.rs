//! All commands and flags, with their help texts.

mod bench;
mod ensemble;
mod examples;
mod explain;
mod export;
mod fetch;
mod sweep;
mod weights;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use roentgen_data::split::Split;
use roentgen_eval::OperatingRule;
use roentgen_tasks::{device, engine};

use crate::output::{STANDARD, thousands};

pub(crate) use bench::{
    Bench, BenchEvaluate, BenchInput, BenchNetwork, BenchPredict, BenchWhat, Steps,
};
pub(crate) use ensemble::{Ensemble, Per, Rule};
pub(crate) use explain::Explain;
pub(crate) use export::{Export, Format};
pub(crate) use fetch::{ChestmnistSize, Fetch, FetchChestmnist, FetchNih, FetchWhat};
pub(crate) use sweep::{Compare, Sweep};
pub(crate) use weights::{Import, Pull, Weights, WeightsWhat};

/// Train chest X-ray classifiers and evaluate them honestly.
#[derive(Parser, Debug)]
#[command(name = "roentgen", version, propagate_version = true)]
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
    pub(crate) device: device::Choice,
    /// Number of threads; all cores by default. Does not affect results.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "N", value_parser = at_most::<1024>)]
    pub(crate) threads: Option<usize>,
    /// Do not show progress bars.
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) no_progress: bool,
}

/// Reads a number from 1 to a million, which is enough for films in a batch or a data set, and for
/// steps; more exhausts the memory before anything is said.
fn positive(text: &str) -> Result<usize, String> {
    at_most::<1_000_000>(text)
}

/// Reads a number from 1 to `MOST`.
fn at_most<const MOST: usize>(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if (1..=MOST).contains(&number) => Ok(number),
        _ => Err(format!("give a whole number from 1 to {}", thousands(MOST))),
    }
}

/// Reads the path of an output, where `-` is standard output.
fn output(text: &str) -> Result<PathBuf, String> {
    Ok(PathBuf::from(if text == "-" { STANDARD } else { text }))
}

/// Reads a split.
fn split() -> impl TypedValueParser<Value = Split> {
    PossibleValuesParser::new(["train", "valid", "test"]).map(|name| match name.as_str() {
        "train" => Split::Train,
        "valid" => Split::Valid,
        _ => Split::Test,
    })
}

/// Reads an engine.
fn engine() -> impl TypedValueParser<Value = engine::Choice> {
    PossibleValuesParser::new(["auto", "burn", "onnx"])
        .try_map(|name| name.parse::<engine::Choice>().map_err(std::io::Error::other))
}

/// Reads an operating point.
fn operating_point() -> impl TypedValueParser<Value = OperatingRule> {
    PossibleValuesParser::new(OperatingRule::ALL.map(OperatingRule::name)).try_map(|name| {
        let known = OperatingRule::ALL.into_iter().find(|rule| rule.name() == name);
        known.ok_or_else(|| std::io::Error::other("there is no such operating point"))
    })
}

/// Reads a prevalence, `FINDING=SHARE`.
fn prevalence(text: &str) -> Result<(String, f64), String> {
    let share = |text: &str| text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    let parsed =
        text.split_once('=').and_then(|(name, text)| Some((name.to_owned(), share(text)?)));
    parsed.ok_or_else(|| "give a finding and a share, such as `Mass=0.01`".to_owned())
}

fn setting(text: &str) -> Result<String, String> {
    let parts = text.split_once('=');
    let whole = parts.is_some_and(|(key, _)| key.split('.').all(|part| !part.trim().is_empty()));
    if whole {
        Ok(text.to_owned())
    } else {
        Err("give `key=value`, such as `train.epochs=5`".to_owned())
    }
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
    /// Hash the files of a prepared data set or a model and compare them with what was recorded.
    #[command(after_help = examples::VERIFY)]
    Verify(Verify),
    /// Write an experiment file with comments, to be changed and trained.
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Run one experiment into one run directory.
    #[command(after_help = examples::TRAIN)]
    Train(Train),
    /// Resume an unfinished run from its folder alone, or lengthen a finished one.
    #[command(after_help = examples::RESUME)]
    Resume(Resume),
    /// Fit calibration and thresholds to a run's validation films, and put them into its model;
    /// `train` does it at its end.
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
    /// Predict findings on films and write a score table.
    #[command(after_help = examples::PREDICT)]
    Predict(Predict),
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
            | Command::Weights(_)
            | Command::Bench(_)
            | Command::Doctor => true,
            Command::Phantom(_)
            | Command::Init(_)
            | Command::Prepare(_)
            | Command::Describe(_)
            | Command::Verify(_)
            | Command::Show(_)
            | Command::Evaluate(_)
            | Command::Ensemble(_)
            | Command::Export(_)
            | Command::Fetch(_) => false,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct Quickstart {
    /// Output folder; run again with the same folder to resume.
    #[arg(long, default_value = "quickstart", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Seed of the films, the split and the weights.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Phantom {
    /// Number of films to draw.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) images: usize,
    /// Height and width of the films, in pixels.
    #[arg(long, default_value_t = 256, value_name = "PX")]
    pub(crate) size: u32,
    /// Seed of the films.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Output folder, new or empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Prepare {
    /// Folder that holds `Data_Entry_2017*.csv` and the films, in any subfolder.
    pub(crate) source: PathBuf,
    /// Output folder for the prepared data set; run again with the same folder to resume.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Height and width of the prepared films, in pixels.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: u32,
    /// Resampling filter.
    #[arg(long, value_enum, default_value_t = Filter::Lanczos3)]
    pub(crate) filter: Filter,
    /// Label file; found below SOURCE by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Accept films of any size; by default films that differ from the common size are skipped and
    /// listed.
    #[arg(long)]
    pub(crate) any_size: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Filter {
    /// Lanczos, as Pillow's LANCZOS.
    Lanczos3,
    /// Bilinear, as Pillow's BILINEAR.
    Bilinear,
    /// Box, as Pillow's BOX.
    Box,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Prepared data set or model directory.
    pub(crate) folder: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// Prepared data set, or label file `Data_Entry_2017*.csv`.
    pub(crate) data: PathBuf,
    /// Rule by which to split the films.
    #[arg(long, value_enum, default_value_t = SplitRule::Official)]
    pub(crate) split: SplitRule,
    /// Seed of the split.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Output folder for the figures; none are drawn by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitRule {
    /// NIH's official lists; validation films are taken from the training list by patient.
    Official,
    /// By patient, 70/10/20.
    ByPatient,
    /// By film, as in the 2019 study; leaky: patients are in more than one split.
    ByImage,
}

#[derive(Args, Debug)]
pub(crate) struct Init {
    /// Experiment file to write, new; `-` for standard output.
    #[arg(default_value = "experiment.toml", value_parser = output)]
    pub(crate) file: PathBuf,
    /// Prepared data set that the file names.
    #[arg(long, value_name = "DIR", default_value = "PREPARED")]
    pub(crate) prepared: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Train {
    /// Experiment file.
    pub(crate) experiment: PathBuf,
    /// Run directory to write.
    #[arg(long, value_name = "RUN")]
    pub(crate) out: PathBuf,
    /// Override a key of the experiment, such as `train.epochs=5`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
    /// Shorthand for `--set seed=N`.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Resume an unfinished run of the same experiment.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Start even if the memory of this machine does not suffice by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
    /// Record the finished run on an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    pub(crate) mlflow: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Resume {
    /// Run directory.
    pub(crate) run: PathBuf,
    /// Number of epochs that the run shall have in all; by default it is left as it is.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) epochs: Option<usize>,
    /// Start even if the memory of this machine does not suffice by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Calibrate {
    /// Run directory.
    pub(crate) run: PathBuf,
    /// Also fit an isotonic regression, which needs many films.
    #[arg(long)]
    pub(crate) isotonic: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Experiment file.
    pub(crate) experiment: PathBuf,
    /// Override a key of the experiment, such as `train.epochs=5`; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// Run directory, or another folder that holds `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// PNG or JPEG files, folders of them, or prepared data sets.
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Score table to write, `-` for standard output; without it, the answer is printed.
    #[arg(long, value_name = "CSV", value_parser = output)]
    pub(crate) out: Option<PathBuf>,
    /// Predict only this split (train, valid or test) of a prepared data set; all films by default.
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    pub(crate) split: Option<Split>,
    /// Number of films in a batch.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Inference engine; Burn is built in, `roentgen doctor` shows whether ONNX Runtime was found.
    ///
    /// `auto` is ONNX Runtime for 100 or more films on the CPU, if it is found, and otherwise Burn,
    /// which starts faster.
    #[arg(long, default_value = "auto", value_name = "ENGINE", value_parser = engine())]
    pub(crate) engine: engine::Choice,
    /// Operating point of the calls, if the model has thresholds.
    #[arg(long, default_value = "youden", value_name = "NAME", value_parser = operating_point())]
    pub(crate) operating_point: OperatingRule,
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
    /// Number of bootstrap resamples of the patients for the intervals.
    #[arg(long, default_value_t = 1000, value_name = "N",
        value_parser = at_most::<100_000>)]
    pub(crate) resamples: usize,
    /// Seed of the resamples.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
}

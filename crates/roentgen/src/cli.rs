//! Every command and flag, with its help.

mod export;
mod fetch;
mod sweep;
mod weights;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use roentgen_models::Precision;

use crate::{device, engine};
pub(crate) use export::{Export, Format};
pub(crate) use fetch::{ChestmnistSize, Fetch, FetchChestmnist, FetchNih, FetchWhat};
pub(crate) use sweep::{Compare, Sweep};
pub(crate) use weights::{Import, Named, Pull, Weights, WeightsWhat};

/// Chest films to a trained, honestly evaluated classifier.
#[derive(Parser, Debug)]
#[command(name = "roentgen", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command knows.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Print one JSON document on standard output and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// auto, cpu, vulkan, cuda or metal; a GPU's number follows a colon: `cuda:1`.
    #[arg(long, global = true, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: device::Choice,
    /// Threads to use; all cores where it is left out. Changes no result.
    #[arg(long, global = true, value_name = "N", value_parser = positive)]
    pub(crate) threads: Option<usize>,
    /// Draw no progress bars.
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("give a whole number".to_owned()),
    }
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
    /// The whole line on drawn films: phantom, prepare, train, predict, evaluate, explain.
    Quickstart(Quickstart),
    /// Draw a data set of chest films in the NIH layout: test data, no patients.
    Phantom(Phantom),
    /// Check, decode, resize and pack a data set, once.
    Prepare(Prepare),
    /// Count findings, co-occurrence, sides of the split and patients on both of them.
    Describe(Describe),
    /// Run one experiment into one run directory.
    Train(Train),
    /// Run all points of an experiment file's `[sweep]`, each once, and compare them.
    Sweep(Sweep),
    /// Compare finished runs: one offline page, Markdown, CSV.
    Compare(Compare),
    /// Print an experiment as it will be run, with what it extends and every default but `train.precision = "f32"`.
    Show(Show),
    /// Predict films: a score table.
    Predict(Predict),
    /// Evaluate score tables: figures with intervals, pictures, one offline page.
    Evaluate(Evaluate),
    /// Combine score tables of several models into one.
    Ensemble(Ensemble),
    /// Draw where a model looked.
    Explain(Explain),
    /// Write a model as one file for ONNX Runtime, TensorRT or the browser.
    Export(Export),
    /// Download a data set: resumed where it broke off, verified, unpacked.
    Fetch(Fetch),
    /// Published weights: which there are, download them, take them from a file.
    Weights(Weights),
    /// Measure how fast this machine does it.
    Bench(Bench),
    /// Say what this build and this machine have.
    Doctor,
}

impl Command {
    /// Whether the command computes on `--device`, or reports it.
    pub(crate) fn uses_device(&self) -> bool {
        match self {
            Command::Quickstart(_)
            | Command::Train(_)
            | Command::Sweep(_)
            | Command::Predict(_)
            | Command::Explain(_)
            | Command::Weights(_)
            | Command::Bench(_)
            | Command::Doctor => true,
            Command::Phantom(_)
            | Command::Prepare(_)
            | Command::Describe(_)
            | Command::Compare(_)
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
    /// Where everything goes; a second call goes on where the first stopped.
    #[arg(long, default_value = "quickstart", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Decides films, split and weights.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Phantom {
    /// Films to draw.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) images: usize,
    /// Height and width in pixels.
    #[arg(long, default_value_t = 256, value_name = "PX")]
    pub(crate) size: u32,
    /// Decides everything about the films.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// A new or empty folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Prepare {
    /// The folder with `Data_Entry_2017*.csv` and the films, anywhere below it.
    pub(crate) source: PathBuf,
    /// Where the prepared data set goes; a killed call goes on where it stopped.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Height and width of the prepared films.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: u32,
    /// How films are resized.
    #[arg(long, value_enum, default_value_t = Filter::Lanczos3)]
    pub(crate) filter: Filter,
    /// The label file, where it does not lie below SOURCE.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Take films of any size; otherwise those unlike most are left out and named.
    #[arg(long)]
    pub(crate) any_size: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Filter {
    /// As Pillow's LANCZOS.
    Lanczos3,
    /// As Pillow's BILINEAR.
    Bilinear,
    /// As Pillow's BOX.
    Box,
}

#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// A prepared data set, or a label file `Data_Entry_2017*.csv`.
    pub(crate) data: PathBuf,
    /// How films would be divided.
    #[arg(long, value_enum, default_value_t = SplitRule::Official)]
    pub(crate) split: SplitRule,
    /// Decides the split.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Where the pictures go.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitRule {
    /// NIH's lists, validation cut by patient.
    Official,
    /// By patient, 70/10/20.
    ByPatient,
    /// By film as in 2019: patients stand on both sides.
    ByImage,
}

#[derive(Args, Debug)]
pub(crate) struct Train {
    /// The experiment file.
    pub(crate) experiment: PathBuf,
    /// The run directory.
    #[arg(long, value_name = "RUN")]
    pub(crate) out: PathBuf,
    /// Change the experiment: `train.epochs=5`. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
    /// Short for `--set seed=N`.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Go on with an unfinished run of the same experiment.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Record the finished run at an MLflow server, such as http://127.0.0.1:5000.
    #[arg(long, value_name = "URL")]
    pub(crate) mlflow: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Show {
    /// The experiment file.
    pub(crate) experiment: PathBuf,
    /// Change the experiment: `train.epochs=5`. Can be given again.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// A run directory, or another folder with `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// PNG or JPEG files, folders of them, or prepared data sets.
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// The score table to write.
    #[arg(long, value_name = "CSV")]
    pub(crate) out: PathBuf,
    /// Of prepared data sets, only this side of the model's own split.
    #[arg(long, value_enum)]
    pub(crate) split: Option<Side>,
    /// Films that pass through the network at once.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// What computes: Burn is always there, `doctor` says whether ONNX Runtime is.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) engine: engine::Choice,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Side {
    /// Trained on.
    Train,
    /// Validated on.
    Valid,
    /// Tested on.
    Test,
}

#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// Score tables; several are each evaluated and compared with the first.
    #[arg(required = true)]
    pub(crate) scores: Vec<PathBuf>,
    /// Where report.html, report.md, metrics.json and the pictures go.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Patients are drawn this many times for the intervals.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = positive)]
    pub(crate) resamples: usize,
    /// Decides the draws.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Ensemble {
    /// How members are combined.
    #[arg(long, value_enum, required_unless_present = "fit", conflicts_with = "fit")]
    pub(crate) rule: Option<Rule>,
    /// One weight a member, for `weighted-mean`: `--weights 0.5,0.3,0.2`.
    #[arg(long, value_delimiter = ',', value_name = "W,W,...")]
    pub(crate) weights: Vec<f64>,
    /// Learn the weights of a weighted mean from the score tables, which are then of validation films.
    #[arg(long, value_enum, requires = "apply", conflicts_with = "weights")]
    pub(crate) fit: Option<Per>,
    /// The members' tables of other films, in the same order, to which learned weights are applied.
    #[arg(long, num_args = 2.., value_name = "CSV", requires = "fit")]
    pub(crate) apply: Vec<PathBuf>,
    /// Score tables of the same films, one a member.
    #[arg(required = true, num_args = 2..)]
    pub(crate) scores: Vec<PathBuf>,
    /// The score table to write.
    #[arg(long, value_name = "CSV")]
    pub(crate) out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rule {
    /// The mean of the probabilities.
    Mean,
    /// Their weighted mean.
    WeightedMean,
    /// The share of members that say 0.5 or more.
    HardVote,
    /// The highest.
    Max,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Per {
    /// One weight a member.
    Model,
    /// One weight a member and finding.
    Finding,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A run directory of a model with attention.
    pub(crate) model: PathBuf,
    /// PNG or JPEG files, folders of them, or prepared data sets.
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where overlays, maps and the figure go.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Of prepared data sets, only this side of the model's own split.
    #[arg(long, value_enum)]
    pub(crate) split: Option<Side>,
    /// Draw so many films, the most confident of each finding in turn.
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub(crate) most: usize,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// What is measured.
    #[arg(value_enum)]
    pub(crate) what: BenchWhat,
    /// The network.
    #[arg(long, default_value = "mobilenet", value_name = "NAME")]
    pub(crate) architecture: String,
    /// Share of the paper's channels.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) width: f64,
    /// Height and width of the films.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: usize,
    /// Films at once.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Measured steps or passes.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = positive)]
    pub(crate) steps: usize,
    /// A safetensors file of weights, `films` and `targets` in place of random ones, for a network
    /// with a linear head: what `benches/peers/compare.py` shares with other programs.
    #[arg(long, value_name = "FILE")]
    pub(crate) like: Option<PathBuf>,
    /// A model directory for `predict`, in place of a network with random weights.
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// What activations are computed in: f32, or bf16 on an NVIDIA GPU.
    #[arg(long, default_value_t = Precision::F32, value_name = "TYPE")]
    pub(crate) precision: Precision,
    /// What computes the predictions; ONNX Runtime needs `--model`.
    #[arg(long, value_enum, default_value = "burn")]
    pub(crate) engine: engine::Choice,
    /// Films to decode for `input`, a folder of PNG files; drawn at 1024 px where it is left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) films: Option<PathBuf>,
    /// The score table for `evaluate`.
    #[arg(long, value_name = "CSV")]
    pub(crate) scores: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchWhat {
    /// Decode and resize PNG films; read prepared ones.
    Input,
    /// Optimizer steps.
    Train,
    /// Predictions.
    Predict,
    /// Figures with 1000 resamples of patients.
    Evaluate,
}

//! The flags of `bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use roentgen_models::Precision;
use roentgen_tasks::engine::EngineChoice;

use super::examples;
use super::values::{engine, positive};

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Part of the program to measure.
    #[command(subcommand)]
    pub(crate) what: BenchWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum BenchWhat {
    /// Decode and resize PNG films on one thread, read prepared films, and make batches of them.
    #[command(after_help = examples::BENCH_INPUT)]
    Input(BenchInput),
    /// Take optimizer steps.
    #[command(after_help = examples::BENCH_TRAIN)]
    Train(BenchNetwork),
    /// Predict.
    #[command(after_help = examples::BENCH_PREDICT)]
    Predict(BenchPredict),
    /// Compute metrics with 1000 resamples of the patients.
    #[command(after_help = examples::BENCH_EVALUATE)]
    Evaluate(BenchEvaluate),
}

/// Number of measurements.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// Number of steps or passes to measure.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = positive)]
    pub(crate) steps: usize,
}

#[derive(Args, Debug)]
pub(crate) struct BenchInput {
    /// Height and width of the films, in pixels.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: usize,
    /// Number of films in a batch.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Folder of PNG films to decode; synthetic 1024 px films by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) films: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) steps: Steps,
}

#[derive(Args, Debug)]
pub(crate) struct BenchNetwork {
    /// Architecture of the network.
    #[arg(long, default_value = "mobilenet", value_name = "NAME")]
    pub(crate) architecture: String,
    /// Channels of the network as a fraction of the paper's.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) width: f64,
    /// Height and width of the films, in pixels.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: usize,
    /// Number of films in a batch.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Safetensors file with weights, `films` and `targets` for a network with a linear head, as
    /// `benches/peers/compare.py` writes it; random values by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) like: Option<PathBuf>,
    /// Data type of the activations: f32, or bf16 or f16 on an NVIDIA GPU.
    #[arg(long, default_value_t = Precision::F32, value_name = "TYPE")]
    pub(crate) precision: Precision,
    /// Measure even if this needs more memory than is available, by the estimate.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) steps: Steps,
}

#[derive(Args, Debug)]
pub(crate) struct BenchPredict {
    #[command(flatten)]
    pub(crate) network: BenchNetwork,
    /// Model directory; a network with random weights by default.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["architecture", "width", "size"])]
    pub(crate) model: Option<PathBuf>,
    /// Inference engine: burn, onnx, or auto, which is burn here; ONNX Runtime needs `--model`.
    #[arg(long, default_value = "burn", value_name = "ENGINE", value_parser = engine())]
    pub(crate) engine: EngineChoice,
}

#[derive(Args, Debug)]
pub(crate) struct BenchEvaluate {
    /// Score table.
    #[arg(long, value_name = "CSV")]
    pub(crate) scores: PathBuf,
    /// Another score table to fit thresholds and calibration to; fitting is not timed.
    #[arg(long, value_name = "CSV")]
    pub(crate) fit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) steps: Steps,
}

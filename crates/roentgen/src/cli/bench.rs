//! The flags of `bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use roentgen_models::Precision;

use super::positive;
use crate::engine;

#[derive(Args, Debug)]
pub(crate) struct Bench {
    /// Part of the program to measure.
    #[arg(value_enum)]
    pub(crate) what: BenchWhat,
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
    /// Number of steps or passes to measure.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = positive)]
    pub(crate) steps: usize,
    /// Safetensors file with weights, `films` and `targets` for a network with a linear head, as
    /// `benches/peers/compare.py` writes it; random values by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) like: Option<PathBuf>,
    /// Model directory for `predict`; a network with random weights by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) model: Option<PathBuf>,
    /// Data type of the activations: f32, or bf16 on an NVIDIA GPU.
    #[arg(long, default_value_t = Precision::F32, value_name = "TYPE")]
    pub(crate) precision: Precision,
    /// Inference engine for `predict`; ONNX Runtime needs `--model`.
    #[arg(long, value_enum, default_value = "burn")]
    pub(crate) engine: engine::Choice,
    /// Folder of PNG films to decode for `input`; synthetic 1024 px films by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) films: Option<PathBuf>,
    /// Score table for `evaluate`.
    #[arg(long, value_name = "CSV")]
    pub(crate) scores: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchWhat {
    /// Decoding and resizing PNG films, and reading prepared films.
    Input,
    /// Optimizer steps.
    Train,
    /// Predictions.
    Predict,
    /// Metrics with 1000 resamples of the patients.
    Evaluate,
}

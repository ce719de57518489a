//! The flags of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use roentgen_models::weights::Storage;

use super::values::{output, storage};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Run directory, or another folder that contains `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// File format.
    #[arg(long, value_enum, default_value = "onnx")]
    pub(crate) format: Format,
    /// Number format of the weights in a bundle.
    #[arg(long, default_value = "f32", value_name = "FORMAT", value_parser = storage())]
    pub(crate) weights: Storage,
    /// Leave the list of the run's films, with patients, out of a bundle. Score tables then do not
    /// say which patients were in training.
    #[arg(long)]
    pub(crate) without_films: bool,
    /// File to write, `-` for standard output.
    #[arg(long, value_name = "FILE", value_parser = output)]
    pub(crate) out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// ONNX, operator set 18, any batch size.
    Onnx,
    /// The model as one file, which every command takes in place of its folder.
    Bundle,
}

//! The flags of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// A run directory, or another folder with `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// What to write.
    #[arg(long, value_enum, default_value = "onnx")]
    pub(crate) format: Format,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// ONNX, operator set 18, any number of films at once.
    Onnx,
}

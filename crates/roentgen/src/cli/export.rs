//! The flags of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Run directory, or another folder that contains `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// File format.
    #[arg(long, value_enum, default_value = "onnx")]
    pub(crate) format: Format,
    /// File to write, `-` for standard output.
    #[arg(long, value_name = "FILE", value_parser = super::values::output)]
    pub(crate) out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// ONNX, operator set 18, any batch size.
    Onnx,
}

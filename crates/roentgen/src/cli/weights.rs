//! The flags of `weights`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use roentgen_data::Finding;
use roentgen_models::Architecture;

use super::positive;

#[derive(Args, Debug)]
pub(crate) struct Weights {
    /// Action.
    #[command(subcommand)]
    pub(crate) what: WeightsWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum WeightsWhat {
    /// List all architectures with the source, licence and local copy of their published weights.
    List,
    /// Download and verify published weights for `weights = "imagenet"`.
    Pull(Pull),
    /// Import weights from a `.pth`, `.pt` or `.safetensors` file and print the map of names.
    Import(Import),
}

#[derive(Args, Debug)]
pub(crate) struct Pull {
    /// Names of architectures, such as `densenet121`.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) architectures: Vec<Architecture>,
    /// Download from a mirror that has all files directly below this address.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Accept files that do not match the published checksum, such as a mirror's own.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Give up after N attempts without progress.
    #[arg(long, default_value_t = crate::download::TRIES, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// Weight file or run directory to import.
    pub(crate) file: PathBuf,
    /// Architecture of the network that the weights belong to.
    #[arg(long, value_name = "NAME")]
    pub(crate) architecture: Architecture,
    /// Import a whole model whose outputs are these findings, in this order; by default only the
    /// backbone. `chexnet` means the fourteen findings in the order of CheXNet's
    /// re-implementations.
    #[arg(long, value_delimiter = ',', value_name = "FINDING,...", value_parser = findings,
        requires = "out")]
    pub(crate) findings: Vec<Named>,
    /// Output folder for the model, new, which `roentgen predict` can read.
    #[arg(long, value_name = "DIR", requires = "findings")]
    pub(crate) out: Option<PathBuf>,
    /// Size in pixels of the model's training films; the architecture's native size by default.
    #[arg(long, value_name = "PX", requires = "findings", value_parser = positive)]
    pub(crate) size: Option<usize>,
}

/// A value of `--findings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// The fourteen findings in CheXNet's order.
    Chexnet,
    /// One finding.
    One(Finding),
}

fn findings(text: &str) -> Result<Named, String> {
    match text {
        "chexnet" => Ok(Named::Chexnet),
        name => name.parse().map(Named::One).map_err(|error| format!("{error}")),
    }
}

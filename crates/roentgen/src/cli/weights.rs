//! The flags of `weights`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use roentgen_data::Finding;
use roentgen_models::Architecture;

use super::positive;

#[derive(Args, Debug)]
pub(crate) struct Weights {
    /// What to do.
    #[command(subcommand)]
    pub(crate) what: WeightsWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum WeightsWhat {
    /// Every architecture, where its weights are published, under which terms, and which are here.
    List,
    /// Download the published weights of architectures, verify and keep them for
    /// `weights = "imagenet"`.
    Pull(Pull),
    /// Take weights from a `.pth`, `.pt` or `.safetensors` file and print the map of names.
    Import(Import),
}

#[derive(Args, Debug)]
pub(crate) struct Pull {
    /// Architectures, such as `densenet121`.
    #[arg(required = true, value_name = "NAME")]
    pub(crate) architectures: Vec<Architecture>,
    /// A mirror: all files by their names directly below this address.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Take a file whose checksum is not the published one, such as a mirror's own.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Give up after so many tries without a new byte.
    #[arg(long, default_value_t = crate::download::TRIES, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The file; a run directory is one too.
    pub(crate) file: PathBuf,
    /// The network that the weights are of.
    #[arg(long, value_name = "NAME")]
    pub(crate) architecture: Architecture,
    /// What its classifier says, in its order: a whole model is imported, not a backbone alone.
    /// `chexnet` stands for the fourteen findings in the order of CheXNet's re-implementations.
    #[arg(long, value_delimiter = ',', value_name = "FINDING,...", value_parser = findings,
        requires = "out")]
    pub(crate) findings: Vec<Named>,
    /// Where the model goes, a new folder; `roentgen predict` takes it.
    #[arg(long, value_name = "DIR", requires = "findings")]
    pub(crate) out: Option<PathBuf>,
    /// Height and width of the films the model was trained on; the architecture's own otherwise.
    #[arg(long, value_name = "PX", requires = "findings", value_parser = positive)]
    pub(crate) size: Option<usize>,
}

/// What `--findings` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// The fourteen in CheXNet's order.
    Chexnet,
    /// One.
    One(Finding),
}

fn findings(text: &str) -> Result<Named, String> {
    match text {
        "chexnet" => Ok(Named::Chexnet),
        name => name.parse().map(Named::One).map_err(|error| format!("{error}")),
    }
}

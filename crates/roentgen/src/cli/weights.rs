//! The flags of `weights`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use roentgen_data::preprocess::Normalize;
use roentgen_models::Architecture;
use roentgen_models::pretrained::Outputs;

use super::examples;
use super::values::positive;

#[derive(Args, Debug)]
pub(crate) struct Weights {
    /// Action.
    #[command(subcommand)]
    pub(crate) what: WeightsWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum WeightsWhat {
    /// List all architectures with the source, licence and local copy of their published weights.
    #[command(after_help = examples::WEIGHTS_LIST)]
    List,
    /// Download and verify published weights for `weights = "imagenet"`.
    #[command(after_help = examples::WEIGHTS_PULL)]
    Pull(Pull),
    /// Import weights from a `.pth`, `.pt` or `.safetensors` file and print the map of names.
    #[command(after_help = examples::WEIGHTS_IMPORT)]
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
    /// Choose the copy of the network whose names begin with this prefix, in a file with several.
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// Import a whole model whose outputs are these findings, in this order, with `-` for an output
    /// to skip; by default only the backbone.
    ///
    /// `chexnet` means the fourteen findings in the order of CheXNet's re-implementations,
    /// `torchxrayvision` the eighteen outputs of that package's models.
    #[arg(long, value_name = "FINDING,...", requires = "out", allow_hyphen_values = true)]
    pub(crate) findings: Option<Outputs>,
    /// Output folder for the model, which must not exist; `roentgen predict` can read it.
    #[arg(long, value_name = "DIR", requires = "findings")]
    pub(crate) out: Option<PathBuf>,
    /// Size in pixels of the model's training films; the architecture's native size by default.
    #[arg(long, value_name = "PX", requires = "findings", value_parser = positive)]
    pub(crate) size: Option<usize>,
    /// How its input was scaled; by default as in the models with these outputs, or as the
    /// architecture's published weights expect.
    #[arg(long, value_name = "SCALE", requires = "findings", value_parser = normalize())]
    pub(crate) normalize: Option<Normalize>,
}

/// Reads the scale of an input, by the names of experiment files.
fn normalize() -> impl TypedValueParser<Value = Normalize> {
    PossibleValuesParser::new(Normalize::ALL.map(Normalize::name))
        .try_map(|name| name.parse::<Normalize>())
}

//! `weights`: lists, downloads and imports published weights and models trained elsewhere.

mod import;
mod list;
mod pull;

use std::collections::HashMap;
use std::path::PathBuf;

use roentgen_models::Architecture;
use roentgen_models::pretrained::{self, FitReport, WeightFile, store};

use crate::cli::{Weights, WeightsWhat};
use crate::context::Context;
use crate::output::Output;

/// Lists, downloads or imports weights.
pub(crate) fn run(args: &Weights, context: &Context) -> anyhow::Result<Output> {
    match &args.what {
        WeightsWhat::List => list::run(),
        WeightsWhat::Pull(args) => pull::run(args, context),
        WeightsWhat::Import(args) => import::run(args, context),
    }
}

/// Saves a backbone in the folder of weights, with its origin in the header.
fn keep(
    architecture: Architecture,
    file: &WeightFile,
    licence: &str,
) -> anyhow::Result<(PathBuf, FitReport)> {
    let folder = store::folder();
    roentgen_data::files::create_folder(&folder)?;
    let to = store::place(&folder, architecture);
    let facts = HashMap::from([
        (store::ORIGIN.to_owned(), file.origin()?),
        (store::LICENCE.to_owned(), licence.to_owned()),
    ]);
    let fit = pretrained::convert(architecture, file, &to, facts)?;
    Ok((to, fit))
}

/// The terms of use that may apply to the weights of any ImageNet network.
const IMAGENET_ASKS: &str = "ImageNet's images are for non-commercial research and education; \
    whether that applies to weights trained on them is for you to judge";

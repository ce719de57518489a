//! `fetch`: downloads, verifies and unpacks a data set, and resumes an interrupted download.

mod archive;
mod chestmnist;
mod journal;
mod nih;
mod published;
mod tail;
mod unpack;

use super::Context;
use crate::cli::{Fetch, FetchWhat};
use crate::output::Output;

/// The subfolder of the data set for unfinished archives.
const WORK: &str = "fetch.part";
/// The parts that `fetch nih --only` accepts.
pub(crate) const NIH_PARTS: [&str; 15] = [
    "labels",
    "boxes",
    "lists",
    "images_001",
    "images_002",
    "images_003",
    "images_004",
    "images_005",
    "images_006",
    "images_007",
    "images_008",
    "images_009",
    "images_010",
    "images_011",
    "images_012",
];

/// Fetches a data set.
pub(crate) fn run(args: &Fetch, context: &Context) -> anyhow::Result<Output> {
    match &args.what {
        FetchWhat::Nih(args) => nih::run(args, context),
        FetchWhat::Chestmnist(args) => chestmnist::run(args, context),
    }
}

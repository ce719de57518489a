//! `fetch`: downloads, verifies and unpacks a data set, and resumes an interrupted download.

mod archive;
mod chestmnist;
mod journal;
mod nih;
mod published;
mod tail;
mod unpack;

use crate::cli::{Fetch, FetchWhat};
use crate::context::Context;
use crate::output::Output;

/// The subfolder of the data set for unfinished archives.
const WORK: &str = "fetch.part";
/// The lock of the folder, hidden from `prepare`, which looks for films there.
const LOCK: &str = ".lock";
/// Fetches a data set.
pub(crate) fn run(args: &Fetch, context: &Context) -> anyhow::Result<Output> {
    match &args.what {
        FetchWhat::Nih(args) => nih::run(args, context),
        FetchWhat::Chestmnist(args) => chestmnist::run(args, context),
    }
}

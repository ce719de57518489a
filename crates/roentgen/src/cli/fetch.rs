//! The flags of `fetch`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::examples;

/// The parts that `fetch nih --only` accepts.
const NIH_PARTS: [&str; 15] = [
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

#[derive(Args, Debug)]
pub(crate) struct Fetch {
    /// Data set to download.
    #[command(subcommand)]
    pub(crate) what: FetchWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum FetchWhat {
    /// NIH ChestX-ray14: 112,120 films of 30,805 patients in twelve archives, 45 GB.
    #[command(after_help = examples::FETCH_NIH)]
    Nih(FetchNih),
    /// ChestMNIST: the same films, downscaled, without patient numbers; needs no `prepare`.
    #[command(after_help = examples::FETCH_CHESTMNIST)]
    Chestmnist(FetchChestmnist),
}

/// Flags of every download.
#[derive(Args, Debug)]
pub(crate) struct Downloads {
    /// Download from a mirror that has all files directly below this address.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Accept files that do not match the published checksum, such as a mirror's subset.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Keep the archives after unpacking.
    #[arg(long)]
    pub(crate) keep_archives: bool,
    /// Give up after N attempts without progress.
    #[arg(long, default_value_t = crate::download::TRIES, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
}

#[derive(Args, Debug)]
pub(crate) struct FetchNih {
    /// Output folder; run again with the same folder to resume.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Download only these parts (`labels`, `lists`, `boxes`, `images_001` to `images_012`),
    /// separated by commas; everything by default.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", value_parser = NIH_PARTS)]
    pub(crate) only: Vec<String>,
    #[command(flatten)]
    pub(crate) downloads: Downloads,
}

#[derive(Args, Debug)]
pub(crate) struct FetchChestmnist {
    /// Height and width of the films in pixels, one of MedMNIST's sizes.
    #[arg(long, value_enum, value_name = "PX")]
    pub(crate) size: ChestmnistSize,
    /// Output folder for the prepared data set; run again with the same folder to resume.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) downloads: Downloads,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ChestmnistSize {
    #[value(name = "28")]
    Px28,
    #[value(name = "64")]
    Px64,
    #[value(name = "128")]
    Px128,
    #[value(name = "224")]
    Px224,
}

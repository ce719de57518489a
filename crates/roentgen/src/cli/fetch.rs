//! The flags of `fetch`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct Fetch {
    /// Which data set.
    #[command(subcommand)]
    pub(crate) what: FetchWhat,
}

#[derive(Subcommand, Debug)]
pub(crate) enum FetchWhat {
    /// NIH ChestX-ray14: 112,120 films of 30,805 patients in twelve archives, 45 GB.
    Nih(FetchNih),
    /// ChestMNIST: the same films, small and packed, without patients; prepared at once.
    Chestmnist(FetchChestmnist),
}

/// Flags of every download.
#[derive(Args, Debug)]
pub(crate) struct Downloads {
    /// A mirror: all files by their names directly below this address.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Take files whose checksum is not the published one, such as a mirror's part of the data set.
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Keep the archives beside what was unpacked.
    #[arg(long)]
    pub(crate) keep_archives: bool,
    /// Give up after so many tries without a new byte.
    #[arg(long, default_value_t = crate::download::TRIES, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) tries: u32,
}

#[derive(Args, Debug)]
pub(crate) struct FetchNih {
    /// Where everything goes; a second call goes on where the first stopped.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Only these: `labels`, `lists`, `boxes`, `images_001` to `images_012`, parted by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...", value_parser = crate::commands::fetch::NIH_PARTS)]
    pub(crate) only: Vec<String>,
    #[command(flatten)]
    pub(crate) downloads: Downloads,
}

#[derive(Args, Debug)]
pub(crate) struct FetchChestmnist {
    /// Height and width of the films in pixels, as MedMNIST made them.
    #[arg(long, value_enum, value_name = "PX")]
    pub(crate) size: ChestmnistSize,
    /// Where the prepared data set goes; a second call goes on where the first stopped.
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

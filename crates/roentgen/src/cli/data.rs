//! The flags of the commands that make and check data sets, and of `quickstart`.

use std::path::PathBuf;

use clap::Args;
use roentgen_data::pixels::Filter;
use roentgen_data::split::SplitRule;

use super::values::{Choice, choice, positive};

const FILTERS: &[Choice<Filter>] = &[
    ("lanczos3", "Lanczos, as Pillow's LANCZOS", Filter::Lanczos3),
    ("bilinear", "Bilinear, as Pillow's BILINEAR", Filter::Bilinear),
    ("box", "Box, as Pillow's BOX", Filter::Box),
];

const SPLIT_RULES: &[Choice<SplitRule>] = &[
    (
        "official",
        "NIH's official lists; validation films are taken from the training list by patient",
        SplitRule::Official,
    ),
    ("by-patient", "By patient, 70/10/20", SplitRule::ByPatient),
    (
        "by-image",
        "By film, as in the 2019 study; leaky: patients are in more than one split",
        SplitRule::ByImage,
    ),
];

#[derive(Args, Debug)]
pub(crate) struct Quickstart {
    /// Output folder; run again with the same folder to resume.
    #[arg(long, default_value = "quickstart", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Seed of the films, the split and the weights.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Number of films to draw; with fewer, it takes less time and the figures are less reliable.
    #[arg(long, default_value_t = 2400, value_name = "N", value_parser = positive)]
    pub(crate) films: usize,
}

#[derive(Args, Debug)]
pub(crate) struct Phantom {
    /// Number of films to draw.
    #[arg(long, alias = "images", value_name = "N", value_parser = positive)]
    pub(crate) films: usize,
    /// Height and width of the films, in pixels.
    #[arg(long, default_value_t = 256, value_name = "PX")]
    pub(crate) size: u32,
    /// Seed of the films.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Output folder; run again with the same folder and settings to resume.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct Prepare {
    /// Folder that contains `Data_Entry_2017*.csv` and the films, in any subfolder.
    pub(crate) source: PathBuf,
    /// Output folder for the prepared data set; run again with the same folder to resume.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Height and width of the prepared films, in pixels.
    #[arg(long, default_value_t = 224, value_name = "PX")]
    pub(crate) size: u32,
    /// Resampling filter.
    #[arg(long, value_parser = choice(FILTERS), default_value = "lanczos3")]
    pub(crate) filter: Filter,
    /// Label file; found below SOURCE by default.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Accept films of any size; by default films that differ from the common size are skipped and
    /// listed.
    #[arg(long)]
    pub(crate) any_size: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Prepared data sets, model directories and score tables; a table is compared with the others.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Describe {
    /// Prepared data set, or label file `Data_Entry_2017*.csv`.
    pub(crate) data: PathBuf,
    /// Rule by which to split the films.
    #[arg(long, value_parser = choice(SPLIT_RULES), default_value = "official")]
    pub(crate) split: SplitRule,
    /// Seed of the split.
    #[arg(long, default_value_t = 2018)]
    pub(crate) seed: u64,
    /// Output folder for the figures; none are drawn by default.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

//! The flags of `view`.

use std::path::PathBuf;

use clap::Args;
use roentgen_data::split::Split;
use roentgen_eval::OperatingRule;
use roentgen_tasks::engine::EngineChoice;

use super::values::{Choice, choice, engine, operating_point, positive};

const PARTS: &[Choice<ViewedPart>] = &[
    ("train", "Training films", ViewedPart::Split(Split::Train)),
    ("valid", "Validation films", ViewedPart::Split(Split::Valid)),
    ("test", "Test films", ViewedPart::Split(Split::Test)),
    ("all", "All films of the data set", ViewedPart::All),
];

/// The films of a data set that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewedPart {
    /// Those of a split.
    Split(Split),
    /// All.
    All,
}

#[derive(Args, Debug)]
pub(crate) struct View {
    /// Run directory, bundle, or another folder that contains `model.toml` and `model.bpk`.
    #[arg(value_name = "RUN")]
    pub(crate) model: PathBuf,
    /// Prepared data set; that of the run by default.
    pub(crate) data: Option<PathBuf>,
    /// The films to show.
    #[arg(long, default_value = "valid", value_name = "SPLIT", value_parser = choice(PARTS))]
    pub(crate) split: ViewedPart,
    /// Score table of these films by this model; by default that of the run in `scores/`, and without
    /// one the films are predicted.
    #[arg(long, value_name = "CSV")]
    pub(crate) scores: Option<PathBuf>,
    /// Port on the loopback address; with 0 the system chooses one.
    #[arg(long, default_value_t = 8001, value_name = "N")]
    pub(crate) port: u16,
    /// Inference engine, if films are predicted.
    #[arg(long, default_value = "auto", value_name = "ENGINE", value_parser = engine())]
    pub(crate) engine: EngineChoice,
    /// Operating point of the calls, if the model has thresholds.
    #[arg(long, default_value = "youden", value_name = "NAME", value_parser = operating_point())]
    pub(crate) operating_point: OperatingRule,
    /// Number of films in a batch, if films are predicted.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
}

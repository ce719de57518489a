//! The flags of `ensemble`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use roentgen_eval::WeightScope;

use super::values::{Choice, choice};

const WEIGHT_SCOPES: &[Choice<WeightScope>] = &[
    ("model", "One weight per member", WeightScope::Model),
    ("finding", "One weight per member and finding", WeightScope::Finding),
];

#[derive(Args, Debug)]
pub(crate) struct Ensemble {
    /// Rule that combines the members; the mean by default.
    #[arg(long, value_enum, conflicts_with = "fit")]
    pub(crate) rule: Option<RuleName>,
    /// Weights for `weighted-mean`, one per member: `--weights 0.5,0.3,0.2`.
    #[arg(long, value_delimiter = ',', value_name = "W,W,...")]
    pub(crate) weights: Vec<f64>,
    /// Fit ensemble weights on these score tables; use tables of the validation films.
    #[arg(long, value_parser = choice(WEIGHT_SCOPES), requires = "apply", conflicts_with = "weights")]
    pub(crate) fit: Option<WeightScope>,
    /// Score tables of other films to apply the fitted weights to, in the same order of members.
    #[arg(long, num_args = 2.., value_name = "CSV", requires = "fit")]
    pub(crate) apply: Vec<PathBuf>,
    /// Score tables of the same films, one per member.
    #[arg(required = true, num_args = 2..)]
    pub(crate) scores: Vec<PathBuf>,
    /// Score table to write, `-` for standard output.
    #[arg(long, value_name = "CSV", value_parser = super::values::output)]
    pub(crate) out: PathBuf,
}

/// A rule without its weights, which have a flag of their own.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RuleName {
    /// Mean of the probabilities.
    Mean,
    /// Weighted mean of the probabilities.
    WeightedMean,
    /// Share of members whose probability is 0.5 or more.
    HardVote,
    /// Highest probability.
    Max,
}

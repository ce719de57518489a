//! Flags of `explain`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use roentgen_data::Finding;
use roentgen_data::split::Split;
use roentgen_eval::OperatingRule;
use roentgen_models::Method;

use super::gate::GateFlags;
use super::privacy::PrivacyFlags;
use super::values::{at_most, operating_point, positive, split};

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// Run directory, or another folder that contains `model.toml` and `model.bpk`.
    pub(crate) model: PathBuf,
    /// PNG, JPEG or DICOM files, folders of them, or prepared data sets.
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Output folder for the raw maps, the overlays and the figure.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Use only this split (train, valid or test) of a prepared data set; all films by default.
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    pub(crate) split: Option<Split>,
    /// Method; attention for a model with an attention mask, otherwise grad-cam.
    #[arg(long, value_name = "METHOD", value_parser = method())]
    pub(crate) method: Option<Method>,
    /// Finding to explain, such as Mass; repeatable. By default those that the model calls, or the
    /// most probable one of a film without calls.
    #[arg(long = "finding", value_name = "FINDING", value_delimiter = ',', value_parser = finding())]
    pub(crate) findings: Vec<Finding>,
    /// Operating point of the calls, if the model has thresholds.
    #[arg(long, default_value = "youden", value_name = "NAME", value_parser = operating_point())]
    pub(crate) operating_point: OperatingRule,
    #[command(flatten)]
    pub(crate) gate: GateFlags,
    #[command(flatten)]
    pub(crate) privacy: PrivacyFlags,
    /// Number of films in a batch.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = positive)]
    pub(crate) batch: usize,
    /// Number of films to draw, taking the most confident of each finding in turn; maps are written
    /// for all films.
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub(crate) most: usize,
    /// Compare the maps with the boxes of prepared data sets; only films and findings with boxes are
    /// explained.
    #[arg(long, conflicts_with = "de_identify")]
    pub(crate) boxes: bool,
    /// Number of bootstrap resamples of the patients for the intervals; needs `--boxes`.
    #[arg(long, default_value_t = 1000, value_name = "N", requires = "boxes",
        value_parser = at_most::<100_000>)]
    pub(crate) resamples: usize,
    /// Seed of the resamples, the random maps and the random weights; needs `--boxes`.
    #[arg(long, default_value_t = 2018, requires = "boxes")]
    pub(crate) seed: u64,
}

fn method() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::ALL.map(Method::name)).try_map(|name| name.parse::<Method>())
}

fn finding() -> impl TypedValueParser<Value = Finding> {
    PossibleValuesParser::new(Finding::ALL.map(Finding::name))
        .try_map(|name| name.parse::<Finding>())
}

//! The tables of the experiment file and their defaults.

use std::path::PathBuf;

use roentgen_data::Finding;
use roentgen_data::preprocess::Normalize;
use roentgen_data::sample::Sample;
use roentgen_data::selection::Normal;
use roentgen_data::split::Rule;
use roentgen_models::{Architecture, Freeze, Pool, Precision};
use serde::{Deserialize, Serialize};

use crate::augment::Augment;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::phase::Phase;
use crate::schedule::Schedule;

/// Which findings are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Findings {
    /// `"all"` fourteen, or `"over-1000"`: those on more than 1000 films, as in the 2019 study.
    Named(NamedFindings),
    /// A list, in the order of the network's outputs.
    List(Vec<Finding>),
}

/// A choice of findings by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedFindings {
    /// All fourteen.
    All,
    /// Those on more than 1000 films of the prepared data set.
    #[serde(rename = "over-1000")]
    Over1000,
}

/// `[data]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The folder that `prepare` left. `{size}` in it stands for `image.size`, or for the size that
    /// the backbone was made for.
    pub prepared: PathBuf,
    /// `official`, `by-patient`, or the 2019 study's `by-image`, which leaks patients.
    pub split: Rule,
    /// Lets patients stand on both sides; every table of the run then says so.
    pub leaky: bool,
    /// `keep` or `drop` films without a finding.
    pub normal: Normal,
    /// The 2019 study's weighted sampling; absent for all films.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// At most so many films, for a try on a laptop; whole patients, or so many of the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub films: Option<usize>,
}

/// `[image]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Image {
    /// Height and width, which must be those of the prepared films; absent for just those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// 1 is gray, 3 repeats it.
    pub channels: usize,
    /// `per-image` (the 2019 study's), `imagenet` or `minus-one-to-one`.
    pub normalize: Normalize,
    /// How training films are varied; absent for not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
}

/// `[model]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// The backbone.
    pub architecture: Architecture,
    /// What the backbone starts from: `none`, `imagenet`, or a file or run directory.
    pub weights: Weights,
    /// `nothing`, `backbone`, or a number of stages from the film on.
    pub freeze: Freeze,
    /// Share of the paper's channels.
    pub width: f64,
    /// `average`, `attention` or `linear`, each with its head.
    pub pool: Pool,
    /// Share of values dropped before each dense layer.
    pub dropout: f64,
}

/// What a backbone starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Weights {
    /// Random numbers from the seed.
    None,
    /// The published weights in the folder for them.
    Imagenet,
    /// A file of PyTorch's or of safetensors, or the folder of a run.
    At(PathBuf),
}

impl From<String> for Weights {
    fn from(text: String) -> Self {
        match text.as_str() {
            "none" => Weights::None,
            "imagenet" => Weights::Imagenet,
            _ => Weights::At(text.into()),
        }
    }
}

impl From<Weights> for String {
    fn from(weights: Weights) -> Self {
        match weights {
            Weights::None => "none".into(),
            Weights::Imagenet => "imagenet".into(),
            Weights::At(path) => path.display().to_string(),
        }
    }
}

/// `[train]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Train {
    /// Passes over the training films, at most.
    pub epochs: usize,
    /// Films the optimizer sees at once.
    pub batch_size: usize,
    /// Films that pass through the network at once; gradients are averaged over the batch. Absent
    /// for the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch_size: Option<usize>,
    /// What activations are computed in: `f32`, or `bf16` on a GPU.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// The rate the schedule starts from, or with `one-cycle` its peak.
    pub learning_rate: f64,
    /// Which optimizer.
    pub optimizer: Optimizer,
    /// How the rate changes.
    pub schedule: Schedule,
    /// What is minimized.
    pub loss: Loss,
    /// Which epoch's weights are kept.
    pub best_by: BestBy,
    /// Stops when nothing improves; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// In how many versions the features of a frozen backbone are kept where films are varied, one an
    /// epoch in turn; 0 computes them anew at each step. Absent for 1 where films are not varied, and
    /// 0 where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_draws: Option<usize>,
    /// Parts of the run, one after another, of `epochs` each unless they say otherwise; absent for a
    /// run of one part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
}

/// Whether it is in single precision: left out of what is written, since runs that began before there was a choice go on.
fn is_default(precision: &Precision) -> bool {
    *precision == Precision::F32
}

/// What makes an epoch the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BestBy {
    /// The least validation loss, as in the 2019 study.
    Loss,
    /// The highest mean validation AUROC.
    Auroc,
}

/// `[train.early_stopping]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without a better one before the run stops.
    pub patience: usize,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            prepared: PathBuf::new(),
            split: Rule::Official,
            leaky: false,
            normal: Normal::Keep,
            sample: None,
            films: None,
        }
    }
}

impl Default for Image {
    fn default() -> Self {
        Self { size: None, channels: 1, normalize: Normalize::PerImage, augment: None }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            architecture: Architecture::Mobilenet,
            weights: Weights::None,
            freeze: Freeze::Nothing,
            width: 1.0,
            pool: Pool::Average,
            dropout: 0.5,
        }
    }
}

impl Default for Train {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            micro_batch_size: None,
            precision: Precision::F32,
            learning_rate: 1e-3,
            optimizer: Optimizer::Adam,
            schedule: Schedule::Constant,
            loss: Loss::Bce,
            best_by: BestBy::Loss,
            early_stopping: None,
            feature_draws: None,
            phases: Vec::new(),
        }
    }
}

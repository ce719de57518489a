//! The tables of the experiment file and their defaults.

use std::path::PathBuf;

use roentgen_data::Finding;
use roentgen_data::preprocess::Normalize;
use roentgen_data::sample::Sample;
use roentgen_data::selection::Normal;
use roentgen_data::split::SplitRule;
use roentgen_models::{Architecture, Freeze, Pool, Precision};
use serde::{Deserialize, Serialize};

use crate::experiment::augment::Augment;
use crate::experiment::optimizer::Optimizer;
use crate::experiment::phase::Phase;
use crate::experiment::schedule::Schedule;
use crate::loss::Loss;

/// `extends`: paths relative to the folder of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a file name in quotes, or a list of them")]
pub enum Extends {
    /// One file.
    One(PathBuf),
    /// Several, each of which overrides those before it.
    Several(Vec<PathBuf>),
}

impl Extends {
    /// Returns the files in their order.
    pub fn files(&self) -> &[PathBuf] {
        match self {
            Extends::One(file) => std::slice::from_ref(file),
            Extends::Several(files) => files,
        }
    }
}

/// The findings to learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "`findings` must be \"all\", \"over-1000\" or a list of names such as [\"Mass\", \"Edema\"]; \
                 `roentgen init` lists them"
)]
pub enum Findings {
    /// `"all"` fourteen, or `"over-1000"`: the findings on more than 1000 films, as in the 2019
    /// study.
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
    /// The findings on more than 1000 films of the prepared data set.
    #[serde(rename = "over-1000")]
    Over1000,
}

/// `[data]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSettings {
    /// The folder written by `prepare`. `{size}` in it is replaced by `image.size`, or by the size
    /// that the backbone was designed for.
    pub prepared: PathBuf,
    /// `official`, `by-patient`, or the 2019 study's `by-image`, which leaks patients.
    pub split: SplitRule,
    /// Allows patients on both sides of the split; every table of the run then says so.
    pub leaky: bool,
    /// Whether to `keep` or `drop` films without a finding.
    pub normal: Normal,
    /// The 2019 study's weighted sampling; absent to use all films.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Upper limit on the number of films, for a try on a laptop: whole patients, or a smaller
    /// sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub films: Option<usize>,
}

/// `[image]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImageSettings {
    /// Height and width, which must be those of the prepared films; absent to accept their size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// 1 for gray, 3 to repeat the gray channel.
    pub channels: usize,
    /// `per-image` (the 2019 study's), `imagenet`, `minus-one-to-one` or `minus-1024-to-1024`.
    pub normalize: Normalize,
    /// Augmentation of training films; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
}

/// `[model]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The backbone.
    pub architecture: Architecture,
    /// Initial weights of the backbone: `none`, `imagenet`, or a file or run directory.
    pub weights: InitialWeights,
    /// Which copy of the network to take from a file with several: what its names begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights_prefix: Option<String>,
    /// `nothing`, `backbone`, or a number of stages counted from the input.
    pub freeze: Freeze,
    /// Number of channels, as a fraction of the paper's.
    pub width: f64,
    /// `average`, `attention` or `linear`, each with its head.
    pub pool: Pool,
    /// Fraction of values dropped before each dense layer.
    pub dropout: f64,
    /// Probability that the last block is skipped in training; the paper's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stochastic_depth: Option<f64>,
}

/// Initial weights of a backbone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum InitialWeights {
    /// Random numbers from the seed.
    None,
    /// The published weights in the folder of downloaded weights.
    Imagenet,
    /// A PyTorch or safetensors file, or the folder of a run.
    At(PathBuf),
}

impl From<String> for InitialWeights {
    fn from(text: String) -> Self {
        match text.as_str() {
            "none" => InitialWeights::None,
            "imagenet" => InitialWeights::Imagenet,
            _ => InitialWeights::At(text.into()),
        }
    }
}

impl From<InitialWeights> for String {
    fn from(weights: InitialWeights) -> Self {
        match weights {
            InitialWeights::None => "none".into(),
            InitialWeights::Imagenet => "imagenet".into(),
            InitialWeights::At(path) => path.display().to_string(),
        }
    }
}

/// `[train]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSettings {
    /// Maximum number of passes over the training films.
    pub epochs: usize,
    /// Number of folds in which the patients of training and validation are divided; absent for a
    /// single split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// The fold for validation, from 0; the others are for training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Films per optimizer step.
    pub batch_size: usize,
    /// Films that pass through the network at once; gradients are averaged over the batch. Absent
    /// for the whole batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch_size: Option<usize>,
    /// Precision of activations: `f32`, or `bf16` or `f16` on an NVIDIA GPU.
    #[serde(skip_serializing_if = "is_default")]
    pub precision: Precision,
    /// The learning rate at the start of the schedule, or its peak with `one-cycle`.
    pub learning_rate: f64,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The loss to minimize.
    pub loss: Loss,
    /// The criterion of the epoch whose weights are kept.
    pub best_by: BestBy,
    /// Stops when nothing improves; absent to never stop early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
    /// How many augmented versions of a frozen backbone's features to store; each epoch uses the
    /// next in turn. 0 computes features again at every step. Absent means 1 without augmentation
    /// and 0 with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature_draws: Option<usize>,
    /// Phases of the run, one after another, each of `epochs` epochs unless it says otherwise;
    /// absent for a run with a single phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
}

/// Whether the precision is the default, which is not written to files, so that runs started before
/// the key existed can resume.
fn is_default(precision: &Precision) -> bool {
    *precision == Precision::F32
}

/// The criterion of the best epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BestBy {
    /// The lowest validation loss, as in the 2019 study.
    Loss,
    /// The highest mean validation AUROC.
    Auroc,
}

/// `[train.early_stopping]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement before the run stops.
    pub patience: usize,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            prepared: PathBuf::new(),
            split: SplitRule::Official,
            leaky: false,
            normal: Normal::Keep,
            sample: None,
            films: None,
        }
    }
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self { size: None, channels: 1, normalize: Normalize::PerImage, augment: None }
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            architecture: Architecture::Mobilenet,
            weights: InitialWeights::None,
            weights_prefix: None,
            freeze: Freeze::Nothing,
            width: 1.0,
            pool: Pool::Average,
            dropout: 0.5,
            stochastic_depth: None,
        }
    }
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            epochs: 10,
            folds: None,
            fold: None,
            batch_size: 32,
            micro_batch_size: None,
            precision: Precision::F32,
            learning_rate: 1e-3,
            optimizer: Optimizer::ADAM,
            schedule: Schedule::Constant {},
            loss: Loss::Bce,
            best_by: BestBy::Loss,
            early_stopping: None,
            feature_draws: None,
            phases: Vec::new(),
        }
    }
}

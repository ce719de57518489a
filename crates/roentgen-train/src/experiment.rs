//! The experiment file: one TOML file decides a run.
//!
//! Every key has a default but `data.prepared`, and the run directory keeps the file with all of
//! them written out. A key that is not known is refused with its line: a misspelled one would
//! otherwise be a silent default.

use std::path::PathBuf;

use roentgen_data::Finding;
use roentgen_data::preprocess::{Input, Normalize};
use roentgen_data::sample::Sample;
use roentgen_data::selection::{Normal, Selection};
use roentgen_data::split::Rule;
use roentgen_models::{Architecture, ClassifierConfig, Freeze, Pool};
use serde::{Deserialize, Serialize};

use crate::augment::Augment;
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::phase::{Phase, ResolvedPhase};
use crate::schedule::Schedule;

/// One experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Experiment {
    /// Decides the split, the weights, the order of films, augmentation and dropout.
    pub seed: u64,
    /// What is learned.
    pub findings: Findings,
    /// `[data]`
    pub data: Data,
    /// `[image]`
    pub image: Image,
    /// `[model]`
    pub model: Model,
    /// `[train]`
    pub train: Train,
}

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
    /// The folder that `prepare` left.
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
    /// Parts of the run, one after another, in place of `epochs`; absent for a run of one part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
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

impl Default for Experiment {
    fn default() -> Self {
        Self {
            seed: 2018,
            findings: Findings::Named(NamedFindings::All),
            data: Data::default(),
            image: Image::default(),
            model: Model::default(),
            train: Train::default(),
        }
    }
}

impl Default for Data {
    fn default() -> Self {
        Self {
            prepared: PathBuf::new(),
            split: Rule::Official,
            leaky: false,
            normal: Normal::Keep,
            sample: None,
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

/// A value that cannot be.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("`{key}`: {what}")]
pub struct Invalid {
    /// The key, such as `train.batch_size`.
    pub key: &'static str,
    /// What is wrong with it and what to write.
    pub what: String,
}

impl Experiment {
    /// Checks every value that can be checked without the data.
    ///
    /// # Errors
    ///
    /// The first value that cannot be.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        let train = &self.train;
        if self.data.prepared.as_os_str().is_empty() {
            return refuse("data.prepared", "name the folder that `roentgen prepare` left".into());
        }
        self.phases().iter().try_for_each(|phase| phase.check(self.model.architecture))?;
        if train.batch_size == 0 {
            return refuse("train.batch_size", "a batch has at least one film".into());
        }
        let micro = self.micro_batch_size();
        if micro == 0 || !train.batch_size.is_multiple_of(micro) {
            let batch = train.batch_size;
            let what =
                format!("{micro} does not divide `train.batch_size` {batch}; choose one that does");
            return refuse("train.micro_batch_size", what);
        }
        if let Findings::List(list) = &self.findings {
            let mut sorted = list.clone();
            sorted.sort();
            sorted.dedup();
            if list.is_empty() || sorted.len() != list.len() {
                return refuse("findings", "name each finding once, at least one".into());
            }
        }
        if let Some(sample) = self.data.sample
            && (sample.films == 0 || !(sample.floor > 0.0 && sample.floor.is_finite()))
        {
            let what = "draw at least one film, with a floor above 0".into();
            return refuse("data.sample", what);
        }
        if train.early_stopping.is_some_and(|stopping| stopping.patience == 0) {
            let what = "wait at least one epoch; leave it out to never stop early".into();
            return refuse("train.early_stopping", what);
        }
        let size = self.image.size.unwrap_or(self.model.architecture.native_size());
        if let Err(error) = self.network().check(size, self.image.channels) {
            return refuse("model", error.to_string());
        }
        if let Some(augment) = &self.image.augment {
            augment.check()?;
        }
        train.optimizer.check()
    }

    /// The parts of the run: those named, or the whole as one.
    pub fn phases(&self) -> Vec<ResolvedPhase> {
        let train = &self.train;
        let whole = ResolvedPhase {
            epochs: train.epochs,
            freeze: self.model.freeze,
            learning_rate: train.learning_rate,
            schedule: train.schedule,
        };
        if train.phases.is_empty() {
            return vec![whole];
        }
        train.phases.iter().map(|phase| phase.resolve(whole)).collect()
    }

    /// In how many versions the features of a frozen backbone are kept; `None` where they are not.
    pub(crate) fn feature_draws(&self, freeze: Freeze) -> Option<usize> {
        match (&self.image.augment, self.train.feature_draws) {
            _ if freeze != Freeze::Backbone => None,
            (_, Some(0)) | (Some(_), None) => None,
            (None, _) => Some(1),
            (Some(_), draws) => draws,
        }
    }

    /// Films that pass through the network at once.
    pub fn micro_batch_size(&self) -> usize {
        self.train.micro_batch_size.unwrap_or(self.train.batch_size)
    }

    /// How films are chosen and divided.
    pub fn selection(&self) -> Selection {
        Selection {
            split: self.data.split,
            leaky: self.data.leaky,
            normal: self.data.normal,
            sample: self.data.sample,
        }
    }

    /// The network.
    pub fn network(&self) -> ClassifierConfig {
        ClassifierConfig {
            architecture: self.model.architecture,
            width: self.model.width,
            pool: self.model.pool,
            dropout: self.model.dropout,
        }
    }

    /// What the network takes, for prepared films of `size` pixels.
    pub fn input(&self, size: usize) -> Input {
        Input { size, channels: self.image.channels, normalize: self.image.normalize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_be_written_and_read_back() {
        let experiment = Experiment::default();
        let text = toml::to_string(&experiment).unwrap();

        assert_eq!(toml::from_str::<Experiment>(&text).unwrap(), experiment, "{text}");
    }

    #[test]
    fn a_misspelled_key_is_refused_with_its_line() {
        let error = toml::from_str::<Experiment>("seed = 1\n[train]\nepochs = 2\nbatchsize = 3\n");
        let text = error.unwrap_err().to_string();

        assert!(text.contains("line 4") && text.contains("batchsize"), "{text}");
    }

    #[test]
    fn a_micro_batch_that_does_not_divide_the_batch_is_refused() {
        let mut experiment = Experiment::default();
        experiment.data.prepared = "somewhere".into();
        experiment.train.batch_size = 10;
        experiment.train.micro_batch_size = Some(4);

        assert_eq!(experiment.check().unwrap_err().key, "train.micro_batch_size");
    }

    #[test]
    fn an_experiment_without_data_is_refused() {
        assert_eq!(Experiment::default().check().unwrap_err().key, "data.prepared");
    }
}

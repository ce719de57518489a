//! The experiment file: one TOML file defines a run.
//!
//! Every key except `data.prepared` has a default, and the run directory keeps the file with all
//! defaults written out. An unknown key is an error that names its line: otherwise a misspelled key
//! would silently mean the default.

mod tables;

use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use roentgen_models::{ClassifierConfig, Freeze};
use serde::{Deserialize, Serialize};

pub use tables::{
    BestBy, Data, EarlyStopping, Findings, Image, Model, NamedFindings, Train, Weights,
};

use crate::phase::ResolvedPhase;
use crate::sweep::Sweep;

/// One experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Experiment {
    /// Seed of the split, the initial weights, the order of films, augmentation and dropout.
    pub seed: u64,
    /// The findings to learn.
    pub findings: Findings,
    /// `[data]`
    pub data: Data,
    /// `[image]`
    pub image: Image,
    /// `[model]`
    pub model: Model,
    /// `[train]`
    pub train: Train,
    /// `[sweep]`: the points that the file defines; absent for a single experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
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
            sweep: None,
        }
    }
}

/// A value that is not allowed.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("`{key}`: {what}")]
pub struct Invalid {
    /// The key, such as `train.batch_size`.
    pub key: &'static str,
    /// The problem, and the values that are allowed.
    pub what: String,
}

impl Experiment {
    /// Checks every value that can be checked without the data.
    ///
    /// # Errors
    ///
    /// Returns an error for the first value that is not allowed.
    pub fn check(&self) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        let train = &self.train;
        if self.data.prepared.as_os_str().is_empty() {
            return refuse("data.prepared", "name the folder that `roentgen prepare` wrote".into());
        }
        self.phases().iter().try_for_each(|phase| phase.check(self.model.architecture))?;
        if train.batch_size == 0 {
            return refuse("train.batch_size", "must be at least 1".into());
        }
        let micro = self.micro_batch_size();
        if micro == 0 || !train.batch_size.is_multiple_of(micro) {
            let batch = train.batch_size;
            let what =
                format!("{micro} does not divide `train.batch_size` = {batch}; choose a divisor");
            return refuse("train.micro_batch_size", what);
        }
        if let Findings::List(list) = &self.findings {
            let mut sorted = list.clone();
            sorted.sort();
            sorted.dedup();
            if list.is_empty() || sorted.len() != list.len() {
                return refuse("findings", "name at least one finding, and each only once".into());
            }
        }
        if let Some(sample) = self.data.sample
            && (sample.films == 0 || !(sample.floor > 0.0 && sample.floor.is_finite()))
        {
            let what = "`films` must be at least 1 and `floor` above 0".into();
            return refuse("data.sample", what);
        }
        if self.data.films == Some(0) {
            return refuse("data.films", "must be at least 1".into());
        }
        if train.early_stopping.is_some_and(|stopping| stopping.patience == 0) {
            let what =
                "`patience` must be at least 1; leave the table out to never stop early".into();
            return refuse("train.early_stopping", what);
        }
        if self.model.weights_prefix.is_some() && !matches!(self.model.weights, Weights::At(_)) {
            let what = "chooses a copy in a file; `model.weights` must be the path of one".into();
            return refuse("model.weights_prefix", what);
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

    /// Replaces `{size}` in `data.prepared` by the size of the films, and requires that size.
    pub(crate) fn fill_in_size(&mut self) {
        const SIZE: &str = "{size}";
        let prepared = self.data.prepared.to_string_lossy();
        if prepared.contains(SIZE) {
            let size = self.image.size.unwrap_or(self.model.architecture.native_size());
            self.data.prepared = prepared.replace(SIZE, &size.to_string()).into();
            self.image.size = Some(size);
        }
    }

    /// Returns the phases of the run: those of the file, or a single phase for the whole run.
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

    /// Returns how many versions of a frozen backbone's features to store; `None` for none.
    pub(crate) fn feature_draws(&self, freeze: Freeze) -> Option<usize> {
        match (&self.image.augment, self.train.feature_draws) {
            _ if freeze != Freeze::Backbone => None,
            (_, Some(0)) | (Some(_), None) => None,
            (None, _) => Some(1),
            (Some(_), draws) => draws,
        }
    }

    /// Returns the number of films in a micro-batch.
    pub fn micro_batch_size(&self) -> usize {
        self.train.micro_batch_size.unwrap_or(self.train.batch_size)
    }

    /// Returns the selection and split of films.
    pub fn selection(&self) -> Selection {
        Selection {
            split: self.data.split,
            leaky: self.data.leaky,
            normal: self.data.normal,
            sample: self.data.sample,
            films: self.data.films,
        }
    }

    /// Returns the configuration of the network.
    pub fn network(&self) -> ClassifierConfig {
        ClassifierConfig {
            architecture: self.model.architecture,
            width: self.model.width,
            pool: self.model.pool,
            dropout: self.model.dropout,
            stochastic_depth: self.model.stochastic_depth,
        }
    }

    /// Returns the network's input, for prepared films of `size` pixels.
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
    fn a_prefix_without_a_file_of_weights_is_refused() {
        let with = |weights: &str| {
            let model = format!("weights = \"{weights}\"\nweights_prefix = \"teacher.\"");
            let text = format!("[data]\nprepared = \"p\"\n[model]\n{model}");
            toml::from_str::<Experiment>(&text).unwrap().check()
        };

        for weights in ["none", "imagenet"] {
            assert_eq!(with(weights).unwrap_err().key, "model.weights_prefix");
        }
        assert!(with("moco.pth").is_ok());
    }

    #[test]
    fn the_size_of_the_films_names_the_folder_of_films_of_that_size() {
        let mut experiment = Experiment::default();
        experiment.data.prepared = "nih-{size}".into();
        experiment.model.architecture = roentgen_models::Architecture::InceptionV3;
        let mut small = experiment.clone();
        small.image.size = Some(128);
        experiment.fill_in_size();
        small.fill_in_size();

        assert_eq!(experiment.data.prepared.to_str(), Some("nih-299"));
        assert_eq!(experiment.image.size, Some(299));
        assert_eq!(small.data.prepared.to_str(), Some("nih-128"));
    }

    #[test]
    fn an_experiment_without_data_is_refused() {
        assert_eq!(Experiment::default().check().unwrap_err().key, "data.prepared");
    }
}

//! The experiment file: one TOML file defines a run.
//!
//! Every key except `data.prepared` has a default, and the run directory keeps the file with all
//! defaults written out. An unknown key is an error that names its line: otherwise a misspelled key
//! would silently mean the default.

pub mod augment;
mod check;
pub mod optimizer;
pub mod overrides;
pub mod phase;
pub mod schedule;
pub mod sweep;
mod tables;

use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use roentgen_data::split::Fold;
use roentgen_models::{ClassifierConfig, Freeze};
use serde::{Deserialize, Serialize};

pub use tables::{
    BestBy, DataSettings, EarlyStopping, Extends, Findings, ImageSettings, InitialWeights,
    ModelSettings, NamedFindings, TrainSettings,
};

use phase::ResolvedPhase;
use sweep::SweepSettings;

/// One experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Experiment {
    /// Files that this file starts from. They are merged when it is read, so it is absent from a
    /// resolved experiment.
    #[serde(skip_serializing)]
    pub extends: Option<Extends>,
    /// Seed of the initial weights, the order of films, augmentation and dropout, and of sampling
    /// and splitting if there is no `split_seed`.
    pub seed: u64,
    /// Seed of sampling and splitting; absent for `seed`. Runs that differ only in `seed` then have
    /// the same films.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// The findings to learn.
    pub findings: Findings,
    /// `[data]`
    pub data: DataSettings,
    /// `[image]`
    pub image: ImageSettings,
    /// `[model]`
    pub model: ModelSettings,
    /// `[train]`
    pub train: TrainSettings,
    /// `[sweep]`: the points that the file defines; absent for a single experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepSettings>,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            extends: None,
            seed: 2018,
            split_seed: None,
            findings: Findings::Named(NamedFindings::All),
            data: DataSettings::default(),
            image: ImageSettings::default(),
            model: ModelSettings::default(),
            train: TrainSettings::default(),
            sweep: None,
        }
    }
}

impl Experiment {
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
            seed: self.split_seed,
            fold: self.fold(),
        }
    }

    /// Returns the seed of sampling and splitting.
    pub fn split_seed(&self) -> u64 {
        self.split_seed.unwrap_or(self.seed)
    }

    /// Returns the fold of a cross-validation, if the run is part of one.
    pub fn fold(&self) -> Option<Fold> {
        let TrainSettings { fold, folds, .. } = self.train;
        fold.zip(folds).map(|(number, of)| Fold { number, of })
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
    fn a_value_that_is_none_of_the_choices_is_refused_with_the_choices() {
        let refused = |text: &str| toml::from_str::<Experiment>(text).unwrap_err().to_string();
        for findings in ["\"every\"", "[\"Mas\"]", "3", "true"] {
            let text = refused(&format!("seed = 1\nfindings = {findings}\n"));
            assert!(text.contains("line 2") && text.contains("\"over-1000\""), "{text}");
        }
        for freeze in ["-1", "1.5", "[]"] {
            let text = refused(&format!("[model]\nfreeze = {freeze}\n"));
            assert!(text.contains("line 2") && text.contains("a number of stages"), "{text}");
        }
    }

    #[test]
    fn the_seed_of_the_split_is_absent_from_the_text_unless_it_is_set() {
        let experiment = Experiment::default();
        let split = Experiment { split_seed: Some(7), ..experiment.clone() };

        assert!(!toml::to_string(&experiment).unwrap().contains("split_seed"));
        assert!(toml::to_string(&split).unwrap().contains("split_seed = 7\n"));
        assert_eq!((experiment.selection().seed, split.selection().seed), (None, Some(7)));
        assert!(toml::from_str::<Experiment>("split_seed = -1").is_err());
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
}

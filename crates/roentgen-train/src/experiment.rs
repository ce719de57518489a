//! The experiment file: one TOML file defines a run.
//!
//! Every key except `data.prepared` has a default, and the run directory keeps the file with all
//! defaults written out. An unknown key is an error that names its line: otherwise a misspelled key
//! would silently mean the default.

mod tables;

use roentgen_data::preprocess::Input;
use roentgen_data::selection::Selection;
use roentgen_data::split::{Fold, Rule};
use roentgen_models::{ClassifierConfig, Freeze};
use serde::{Deserialize, Serialize};

pub use tables::{
    BestBy, Data, EarlyStopping, Findings, Image, Model, NamedFindings, Train, Weights,
};

use crate::phase::ResolvedPhase;
use crate::sweep::Sweep;

// Limits that catch slips of the pen, far above what anybody trains with.
const MOST_EPOCHS: usize = 100_000;
const MOST_FILMS_IN_A_BATCH: usize = 1_000_000;
const MOST_FEATURE_DRAWS: usize = 10_000;
const MOST_PHASES: usize = 1_000;
/// The largest size that `prepare` accepts.
const MOST_PIXELS: usize = 4096;

/// One experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Experiment {
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
            split_seed: None,
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
        let phases = self.phases();
        if phases.len() > MOST_PHASES {
            return refuse("train.phases", format!("must be at most {MOST_PHASES}"));
        }
        phases.iter().try_for_each(|phase| phase.check(self.model.architecture))?;
        let epochs = phases.iter().fold(0, |sum: usize, phase| sum.saturating_add(phase.epochs));
        if epochs > MOST_EPOCHS {
            return refuse("train.epochs", format!("must be at most {MOST_EPOCHS} in all phases"));
        }
        if !(1..=MOST_FILMS_IN_A_BATCH).contains(&train.batch_size) {
            let what = format!("must be 1 to {MOST_FILMS_IN_A_BATCH}");
            return refuse("train.batch_size", what);
        }
        if train.feature_draws.is_some_and(|draws| draws > MOST_FEATURE_DRAWS) {
            return refuse("train.feature_draws", format!("must be at most {MOST_FEATURE_DRAWS}"));
        }
        if self.image.size.is_some_and(|size| size > MOST_PIXELS) {
            return refuse("image.size", format!("must be at most {MOST_PIXELS}"));
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
        self.check_folds()?;
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

    fn check_folds(&self) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        match (self.train.folds, self.train.fold) {
            (None, None) => Ok(()),
            (None, Some(_)) => refuse("train.fold", "needs the number of folds, `folds`".into()),
            (Some(folds), _) if folds < 2 => {
                refuse("train.folds", "must be at least 2; leave it out for a single split".into())
            }
            (Some(folds), None) => {
                let last = folds - 1;
                let what = format!(
                    "name the fold for validation, 0 to {last}, with `fold`, or sweep over it: \
                     `[sweep.product]` with `train.fold = [0, ..., {last}]`"
                );
                refuse("train.folds", what)
            }
            (Some(folds), Some(fold)) if fold >= folds => {
                refuse("train.fold", format!("{fold} is not a fold; they are 0 to {}", folds - 1))
            }
            (Some(_), Some(_)) if self.data.split == Rule::ByImage => {
                let what = "folds divide patients, but `data.split = \"by-image\"` divides films";
                refuse("train.folds", what.into())
            }
            (Some(_), Some(_)) => Ok(()),
        }
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
        let Train { fold, folds, .. } = self.train;
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
    fn the_seed_of_the_split_is_absent_from_the_text_unless_it_is_set() {
        let experiment = Experiment::default();
        let split = Experiment { split_seed: Some(7), ..experiment.clone() };

        assert!(!toml::to_string(&experiment).unwrap().contains("split_seed"));
        assert!(toml::to_string(&split).unwrap().contains("split_seed = 7\n"));
        assert_eq!((experiment.selection().seed, split.selection().seed), (None, Some(7)));
        assert!(toml::from_str::<Experiment>("split_seed = -1").is_err());
    }

    #[test]
    fn a_fold_needs_its_number_of_folds_and_a_split_by_patient() {
        let refused = |train: &str, split: &str| {
            let text = format!("[data]\nprepared = \"x\"\nsplit = {split:?}\n[train]\n{train}\n");
            toml::from_str::<Experiment>(&text).unwrap().check().unwrap_err().key
        };

        assert_eq!(refused("fold = 0", "official"), "train.fold");
        assert_eq!(refused("folds = 5", "official"), "train.folds");
        assert_eq!(refused("folds = 1\nfold = 0", "official"), "train.folds");
        assert_eq!(refused("folds = 5\nfold = 5", "official"), "train.fold");
        assert_eq!(refused("folds = 5\nfold = 4", "by-image"), "train.folds");
        assert!(toml::from_str::<Experiment>("[train]\nfold = -1").is_err());
    }

    #[test]
    fn hostile_numbers_are_refused_by_their_key() {
        let most = i64::MAX;
        for (text, key) in [
            (format!("[train]\nepochs = {most}\n"), "train.epochs"),
            ("[train]\nepochs = 0\n".to_owned(), "train.epochs"),
            (
                format!("[[train.phases]]\nepochs = {most}\n[[train.phases]]\nepochs = {most}\n"),
                "train.epochs",
            ),
            ("[train]\nbatch_size = 0\n".to_owned(), "train.batch_size"),
            ("[train]\nbatch_size = 1000000000000000000\n".to_owned(), "train.batch_size"),
            ("[train]\nmicro_batch_size = 0\n".to_owned(), "train.micro_batch_size"),
            ("[train]\nlearning_rate = nan\n".to_owned(), "train.learning_rate"),
            ("[train]\nlearning_rate = -1\n".to_owned(), "train.learning_rate"),
            (format!("[train]\nfeature_draws = {most}\n"), "train.feature_draws"),
            (format!("[image]\nsize = {most}\n"), "image.size"),
            ("[image]\naugment = { rotate = nan }\n".to_owned(), "image.augment"),
            ("[model]\nwidth = inf\n".to_owned(), "model"),
            ("[model]\ndropout = nan\n".to_owned(), "model"),
            (format!("[model]\nfreeze = {most}\n"), "model.freeze"),
        ] {
            let mut experiment: Experiment = toml::from_str(&text).unwrap();
            experiment.data.prepared = "somewhere".into();
            assert_eq!(experiment.check().map_err(|error| error.key), Err(key), "{text}");
        }
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

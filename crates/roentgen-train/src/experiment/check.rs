//! Checks the values of an experiment that can be checked without the data.

use roentgen_data::split::SplitRule;

use super::{Experiment, Findings, InitialWeights};
use crate::invalid::Invalid;

// Limits that catch slips of the pen, far above what anybody trains with.
const MOST_EPOCHS: usize = 100_000;
const MOST_FILMS_IN_A_BATCH: usize = 1_000_000;
const MOST_FEATURE_DRAWS: usize = 10_000;
const MOST_PHASES: usize = 1_000;
/// The largest size that `prepare` accepts.
const MOST_PIXELS: usize = 4096;

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
        if self.model.weights_prefix.is_some()
            && !matches!(self.model.weights, InitialWeights::At(_))
        {
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
            (Some(_), Some(_)) if self.data.split == SplitRule::ByImage => {
                let what = "folds divide patients, but `data.split = \"by-image\"` divides films";
                refuse("train.folds", what.into())
            }
            (Some(_), Some(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("[image]\naugment = { rotate = nan }\n".to_owned(), "image.augment.rotate"),
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

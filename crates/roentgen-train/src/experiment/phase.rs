//! Phases of a run, one after another: the 2019 study's order, first frozen and then unfrozen.
//!
//! A phase starts with the last weights of the previous phase and a new optimizer, and its schedule
//! and patience start over; the best epoch is the best of the whole run.

use roentgen_models::{Architecture, Freeze};
use serde::{Deserialize, Serialize};

use crate::experiment::schedule::Schedule;
use crate::invalid::Invalid;

/// One of `[[train.phases]]`; keys that are absent are taken from `[model]` and `[train]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Maximum number of passes over the training films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// The part of the backbone that keeps its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// The learning rate at the start of its schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// How the learning rate changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// A phase with all keys present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedPhase {
    /// Maximum number of passes over the training films.
    pub epochs: usize,
    /// The part of the backbone that keeps its weights.
    pub freeze: Freeze,
    /// The learning rate at the start of its schedule.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
}

impl Phase {
    /// Fills in absent keys from the whole run.
    pub(crate) fn resolve(&self, whole: ResolvedPhase) -> ResolvedPhase {
        ResolvedPhase {
            epochs: self.epochs.unwrap_or(whole.epochs),
            freeze: self.freeze.unwrap_or(whole.freeze),
            learning_rate: self.learning_rate.unwrap_or(whole.learning_rate),
            schedule: self.schedule.unwrap_or(whole.schedule),
        }
    }
}

impl ResolvedPhase {
    /// Checks the values.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no epochs, if the learning rate is not positive and finite, or
    /// if more stages are frozen than the backbone has.
    pub(crate) fn check(&self, architecture: Architecture) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        if self.epochs == 0 {
            return refuse("train.epochs", "must be at least 1".into());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse(
                "train.learning_rate",
                format!("{} is not a learning rate", self.learning_rate),
            );
        }
        let stages = architecture.stages().len();
        if let Freeze::Stages(count) = self.freeze
            && count > stages
        {
            let what = format!(
                "{} has only {stages} stages; freeze at most that many",
                architecture.name()
            );
            return refuse("model.freeze", what);
        }
        self.schedule.check()
    }
}

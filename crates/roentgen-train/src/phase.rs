//! Parts of a run, one after another: the 2019 study's order, frozen first and then unfrozen.
//!
//! A phase begins with the weights that the one before ended with, a new optimizer, and its schedule
//! and patience from the start; the best epoch is the best of the whole run.

use roentgen_models::{Architecture, Freeze};
use serde::{Deserialize, Serialize};

use crate::experiment::Invalid;
use crate::schedule::Schedule;

/// One of `[[train.phases]]`; what it leaves out it takes from `[model]` and `[train]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Passes over the training films, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Which part of the backbone keeps its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// The rate its schedule starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// How its rate changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// A phase with nothing left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedPhase {
    /// Passes over the training films, at most.
    pub epochs: usize,
    /// Which part of the backbone keeps its weights.
    pub freeze: Freeze,
    /// The rate its schedule starts from.
    pub learning_rate: f64,
    /// How its rate changes.
    pub schedule: Schedule,
}

impl Phase {
    /// Takes what is left out from the whole run.
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
    /// No epochs, no rate, more stages than the backbone has.
    pub(crate) fn check(&self, architecture: Architecture) -> Result<(), Invalid> {
        let refuse = |key, what: String| Err(Invalid { key, what });
        if self.epochs == 0 {
            return refuse("train.epochs", "train at least one epoch".into());
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return refuse("train.learning_rate", format!("{} is no rate", self.learning_rate));
        }
        let stages = architecture.stages().len();
        if let Freeze::Stages(count) = self.freeze
            && count > stages
        {
            let what =
                format!("{} has {stages} stages; freeze that many at most", architecture.name());
            return refuse("model.freeze", what);
        }
        self.schedule.check()
    }
}

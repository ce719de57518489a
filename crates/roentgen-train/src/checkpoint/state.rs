//! `state.toml`: the position of a run. People edit files, so it is checked against the experiment.

use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use serde::{Deserialize, Serialize};

use super::{Error, FOLDER};
use crate::experiment::phase::ResolvedPhase;
use crate::experiment::schedule::Plateau;
use crate::loss_scale::LossScale;
use crate::progress::EpochRow;

const STATE: &str = "state.toml";
/// Most bytes of the file; an epoch takes some hundreds.
const LONGEST: u64 = 64 << 20;

/// Position of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// Optimizer steps done so far, including those that were skipped for their gradients.
    pub step: usize,
    /// Films of the current epoch done so far.
    pub films: usize,
    /// Sum of their losses.
    pub loss: f64,
    /// Seconds spent on the current epoch before this session.
    pub seconds: f64,
    /// Seconds in which the steps of the epoch waited for their films.
    #[serde(default)]
    pub waiting: f64,
    /// Epochs since the best one, or since the start of the phase.
    pub waited: usize,
    /// Current phase of the run, from 0.
    #[serde(default)]
    pub phase: usize,
    /// Epochs done before this phase.
    #[serde(default)]
    pub earlier: usize,
    /// The numbers of epochs that the run had before it was lengthened, one for each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengthened_from: Vec<usize>,
    /// SHA-256 of the run's table of films; `None` in checkpoints of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub films_sha256: Option<String>,
    /// The loss scale of the next step; only in a run whose precision needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScale>,
    /// State of the schedule.
    pub plateau: Plateau,
    /// Epochs done.
    #[serde(default)]
    pub epochs: Vec<EpochRow>,
}

/// What a state has to fit.
#[derive(Clone, Copy, Debug)]
pub struct RunShape<'a> {
    /// The phases of the run.
    pub phases: &'a [ResolvedPhase],
    /// Number of training films.
    pub films: usize,
    /// Films per optimizer step.
    pub batch_size: usize,
    /// The loss scale of the first step; `None` if the precision of the run needs none.
    pub loss_scale: Option<LossScale>,
}

impl RunState {
    /// Returns the best epoch so far.
    pub fn best(&self) -> Option<&EpochRow> {
        self.epochs.iter().rev().find(|row| row.is_best)
    }

    /// Returns the path of the state of the run in the folder `run`.
    pub fn path(run: &Path) -> PathBuf {
        run.join(FOLDER).join(STATE)
    }

    /// Reads the state of a run; returns `None` if it has no checkpoint.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or is not a state.
    pub fn read(run: &Path) -> Result<Option<Self>, Error> {
        let path = Self::path(run);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = files::read_at_most(&path, LONGEST)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        toml::from_str(&String::from_utf8_lossy(&bytes))
            .map(Some)
            .map_err(|source| Error::State { path, source: Box::new(source) })
    }

    /// Writes the state of a run; its weights must be there.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write(&self, run: &Path) -> Result<(), Error> {
        let path = Self::path(run);
        let text = toml::to_string(self).map_err(|error| WriteError {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        Ok(files::write_whole(&path, text.as_bytes())?)
    }

    /// Checks that the run in the folder `run` was trained on the films of a table, if that is known.
    ///
    /// # Errors
    ///
    /// Returns an error if the table has another SHA-256.
    pub(crate) fn check_films(&self, run: &Path, sha256: &str) -> Result<(), Error> {
        match &self.films_sha256 {
            Some(own) if own != sha256 => Err(Error::Inconsistent {
                path: Self::path(run),
                what: "it was trained on other films or another split".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that a run of this shape can be in this state.
    ///
    /// # Errors
    ///
    /// Returns what does not fit, in words.
    pub fn check(&self, shape: &RunShape<'_>) -> Result<(), String> {
        self.check_phase(shape.phases)?;
        self.check_position(shape)?;
        for (number, row) in (1..).zip(&self.epochs) {
            if row.epoch != number {
                return Err(format!("epoch {} is in the place of epoch {number}", row.epoch));
            }
            let numbers =
                [row.train_loss, row.valid_loss, row.learning_rate, row.seconds, row.waiting];
            let numbers = numbers.into_iter().chain(row.valid_auroc);
            if numbers.into_iter().any(|number| !number.is_finite()) {
                return Err(format!("epoch {number} has a value that is not a finite number"));
            }
        }
        if !self.epochs.is_empty() && self.best().is_none() {
            return Err("no epoch is the best one".to_owned());
        }
        let Plateau { scale, best, .. } = self.plateau;
        if !(scale > 0.0 && scale <= 1.0 && best.is_finite()) {
            return Err("`plateau` has a value that is out of range".to_owned());
        }
        self.check_loss_scale(shape)
    }

    fn check_loss_scale(&self, shape: &RunShape<'_>) -> Result<(), String> {
        let what = match (shape.loss_scale, self.loss_scale) {
            (None, None) => return Ok(()),
            (Some(_), Some(scale)) if scale.is_possible() => return Ok(()),
            (Some(_), Some(_)) => "has a value that is out of range",
            (Some(_), None) => "is missing, which the precision of the run needs",
            (None, Some(_)) => "is there, which the precision of the run does not need",
        };
        Err(format!("`loss_scale` {what}"))
    }

    fn check_phase(&self, phases: &[ResolvedPhase]) -> Result<(), String> {
        let done = self.epochs.len();
        let Some(phase) = phases.get(self.phase) else {
            return Err(format!("`phase` = {}, but there are {} phases", self.phase, phases.len()));
        };
        let before: usize = phases[..self.phase].iter().map(|phase| phase.epochs).sum();
        // Each phase has at least one epoch, and may have stopped early.
        if !(self.phase..=before.min(done)).contains(&self.earlier) {
            return Err(format!(
                "`earlier` = {} does not fit `phase` = {}",
                self.earlier, self.phase
            ));
        }
        if done - self.earlier > phase.epochs {
            return Err(format!(
                "{} epochs of a phase of {} are done",
                done - self.earlier,
                phase.epochs
            ));
        }
        if self.waited > done {
            return Err(format!("`waited` = {}, but only {done} epochs are done", self.waited));
        }
        Ok(())
    }

    fn check_position(&self, shape: &RunShape<'_>) -> Result<(), String> {
        let steps = shape.films.div_ceil(shape.batch_size);
        let done = self.epochs.len();
        let into = done.checked_mul(steps).and_then(|first| self.step.checked_sub(first));
        let Some(into) = into.filter(|into| *into <= steps) else {
            return Err(format!("`step` = {} is not in epoch {}", self.step, done + 1));
        };
        let films = into.saturating_mul(shape.batch_size).min(shape.films);
        if self.films != films {
            return Err(format!(
                "`films` = {}, but step {} is after {films}",
                self.films, self.step
            ));
        }
        if [self.loss, self.seconds, self.waiting].iter().any(|value| !value.is_finite()) {
            return Err("`loss`, `seconds` or `waiting` is not a finite number".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! Progress of a run, reported to the caller of [`train`](crate::train), who displays it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Plan of a run, reported before the first step.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPlan {
    /// Number of trainable parameters and running statistics.
    pub parameters: usize,
    /// Number of training films.
    pub train_films: usize,
    /// Number of their patients.
    pub train_patients: usize,
    /// Number of validation films.
    pub valid_films: usize,
    /// Number of findings to learn.
    pub findings: usize,
    /// Maximum number of epochs.
    pub epochs: usize,
    /// Number of optimizer steps per epoch.
    pub steps: usize,
    /// Estimate of the memory for training, in bytes; on the CPU an upper one.
    pub memory: usize,
    /// Name of the split, such as `official train`.
    pub split: String,
    /// Whether the films were drawn by `phantom`.
    pub is_phantom: bool,
    /// Steps that an earlier, interrupted run has already done.
    pub steps_done: usize,
}

impl fmt::Display for RunPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_phantom {
            writeln!(f, "films drawn by phantom: test data, no patients")?;
        }
        writeln!(
            f,
            "{}: {} films of {} patients, validated on {} films, {} findings",
            self.split, self.train_films, self.train_patients, self.valid_films, self.findings
        )?;
        write!(
            f,
            "{} parameters, at most {} epochs of {} steps, about {} MiB of memory",
            self.parameters,
            self.epochs,
            self.steps,
            self.memory >> 20
        )?;
        if self.steps_done > 0 {
            write!(f, "\nresuming after step {}", self.steps_done)?;
        }
        Ok(())
    }
}

/// A row of `epochs.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochRow {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the batches of the epoch, with augmentation and dropout.
    pub train_loss: f64,
    /// Loss on the validation films.
    pub valid_loss: f64,
    /// Mean AUROC on the validation films.
    pub valid_auroc: Option<f64>,
    /// Learning rate of the last step of the epoch.
    pub learning_rate: f64,
    /// Whether these weights are the best so far.
    pub is_best: bool,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// The part of `seconds` in which steps waited for their films.
    #[serde(default)]
    pub waiting: f64,
    /// Whether the loss chooses the best epoch in place of the AUROC, which is undefined.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_by_loss_instead: bool,
}

/// The share of an epoch above which the time spent waiting for films is shown.
const NOTABLE_WAIT: f64 = 0.02;

impl fmt::Display for EpochRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let auroc =
            self.valid_auroc.map_or_else(|| "n/a".to_owned(), |auroc| format!("{auroc:.4}"));
        let waiting = if self.waiting > NOTABLE_WAIT * self.seconds {
            format!(" (waiting for films {:.1} s)", self.waiting)
        } else {
            String::new()
        };
        write!(
            f,
            "epoch {:>3}  train loss {:.4}  valid loss {:.4}  valid AUROC {auroc}  rate {:.2e}  {:.1} s{waiting}{}{}",
            self.epoch,
            self.train_loss,
            self.valid_loss,
            self.learning_rate,
            self.seconds,
            if self.is_best { "  best" } else { "" },
            if self.is_by_loss_instead {
                "  (by loss, because the AUROC is undefined)"
            } else {
                ""
            }
        )
    }
}

/// Observes a run, provides its clock and can end it. An observer implements only the methods of the
/// events that it needs.
pub trait Progress {
    /// Called while the films are hashed, once per machine: bytes done and bytes in all.
    fn hashed(&self, _done: u64, _bytes: u64) {}

    /// Called before the first step.
    fn started(&self, _plan: &RunPlan) {}
    /// Called while the films pass a frozen backbone, once: films done and films in all.
    fn features(&self, _done: usize, _films: usize) {}
    /// Called after an optimizer step: `step` of the epoch's `steps`, from 1.
    fn step(&self, _epoch: usize, _step: usize, _loss: f64) {}
    /// Called during validation: films done.
    fn validated(&self, _epoch: usize, _films: usize) {}
    /// Called after an epoch.
    fn epoch(&self, _row: &EpochRow) {}
    /// Returns seconds since 1970; the value is only recorded, nothing is decided by it.
    fn seconds(&self) -> f64;
    /// Returns the peak memory of this run in MiB, if known.
    fn peak_memory_mib(&self) -> Option<u64>;
    /// Whether to save and stop after the current step.
    fn is_interrupted(&self) -> bool;
    /// Whether to end the run after these epochs, as if they were all, because other runs are
    /// better.
    fn is_hopeless(&self, _epochs: &[EpochRow]) -> bool {
        false
    }
}

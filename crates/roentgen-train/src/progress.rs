//! What a run tells while it goes on; whoever calls [`train`](crate::train) draws it.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a run is about to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Trainable parameters and running statistics.
    pub parameters: usize,
    /// Films trained on.
    pub train_films: usize,
    /// Their patients.
    pub train_patients: usize,
    /// Films validated on.
    pub valid_films: usize,
    /// Findings learned.
    pub findings: usize,
    /// Epochs, at most.
    pub epochs: usize,
    /// Optimizer steps in an epoch.
    pub steps: usize,
    /// What training takes at most, by estimate, in bytes.
    pub memory: usize,
    /// The side's name, such as `official train`.
    pub split: String,
    /// Whether the films were drawn by `phantom`.
    pub is_phantom: bool,
    /// Steps that an earlier, unfinished run has done already.
    pub steps_done: usize,
}

impl fmt::Display for Plan {
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
            write!(f, "\ngoing on after step {}", self.steps_done)?;
        }
        Ok(())
    }
}

/// One line of `epochs.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of the epoch's batches, as they were augmented and dropped out.
    pub train_loss: f64,
    /// Loss on the validation films.
    pub valid_loss: f64,
    /// Mean AUROC on the validation films.
    pub valid_auroc: Option<f64>,
    /// The rate of the epoch's last step.
    pub learning_rate: f64,
    /// Whether these weights are the best so far.
    pub is_best: bool,
    /// Time spent, in seconds.
    pub seconds: f64,
    /// The part of it in which steps waited for their films, in seconds.
    #[serde(default)]
    pub waiting: f64,
}

impl fmt::Display for EpochRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let auroc =
            self.valid_auroc.map_or_else(|| "n/a".to_owned(), |auroc| format!("{auroc:.4}"));
        write!(
            f,
            "epoch {:>3}  train loss {:.4}  valid loss {:.4}  valid AUROC {auroc}  rate {:.2e}  {:.1} s ({:.1} s waiting for films){}",
            self.epoch,
            self.train_loss,
            self.valid_loss,
            self.learning_rate,
            self.seconds,
            self.waiting,
            if self.is_best { "  best" } else { "" }
        )
    }
}

/// Listens to a run, keeps its clock and may end it.
pub trait Progress {
    /// Before the first step.
    fn started(&self, plan: &Plan);
    /// While the films pass a frozen backbone, once: films done of so many.
    fn features(&self, done: usize, films: usize);
    /// After an optimizer step: `step` of the epoch's `steps`, from 1.
    fn step(&self, epoch: usize, step: usize, loss: f64);
    /// While validating: films done.
    fn validated(&self, epoch: usize, films: usize);
    /// After an epoch.
    fn epoch(&self, row: &EpochRow);
    /// After the last epoch, with the run's folder.
    fn finished(&self, folder: &Path);
    /// Seconds since 1970; only ever written down, nothing is decided by it.
    fn seconds(&self) -> f64;
    /// The most memory held by this run, in MiB, where that can be told.
    fn peak_memory_mib(&self) -> Option<u64>;
    /// Whether to save and stop after the current step.
    fn is_interrupted(&self) -> bool;
    /// Whether to end the run here, after these epochs, as if they were all: there are better ones.
    fn is_hopeless(&self, _epochs: &[EpochRow]) -> bool {
        false
    }
}

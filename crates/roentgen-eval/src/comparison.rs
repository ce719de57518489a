//! A comparison of runs: which one is the best, and whether its lead is more than noise.
//!
//! The trap is selection: one of forty runs is the best by chance alone. So the best run is never
//! named without its difference to the runner-up, on the same resamples of patients. Even that
//! interval does not account for the selection, which the page points out.
//!
//! The best run is named by the criterion that chose the epoch of each run. By any other criterion
//! the epochs are arbitrary: a run can lead there only because its epoch was not chosen for it.

mod curves;
mod page;
mod repeats;
mod table;
mod verdict;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::evaluation::headline;
use crate::log_loss::{Measured, log_loss};
use crate::{BootstrapOptions, Error, Scores, file, render};

pub use repeats::{Repeats, Spread};
pub use verdict::{Criterion, Verdict};

/// A run to compare.
#[derive(Clone, Debug)]
pub struct Entrant {
    /// Its name.
    pub name: String,
    /// Keys and values in which it differs from the others.
    pub settings: Vec<(String, String)>,
    /// The criterion that chose its best epoch.
    pub best_by: Criterion,
    /// Epochs, in order.
    pub epochs: Vec<RunEpoch>,
    /// Whether it was stopped early.
    pub is_stopped: bool,
    /// Its score table of the validation films, at its best epoch.
    pub scores: Scores,
    /// Its cost.
    pub cost: Cost,
    /// The figures that others reported for it.
    pub reported: ReportedFigures,
}

/// An epoch of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunEpoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean loss of its batches.
    pub train_loss: f64,
    /// Loss on the validation films.
    pub valid_loss: f64,
    /// Mean AUROC on the validation films.
    pub valid_auroc: Option<f64>,
    /// Whether its weights were the best so far.
    pub is_best: bool,
}

/// The cost of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Number of weights and running statistics.
    pub parameters: usize,
    /// Wall time of all epochs, in seconds.
    pub seconds: f64,
    /// Number of training films per second.
    pub films_per_second: f64,
    /// Peak memory, if it is known.
    pub peak_memory_mib: Option<u64>,
}

/// The figures that others reported for a run, each `None` if they did not report it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReportedFigures {
    /// Loss on their validation films.
    pub valid_loss: Option<f64>,
    /// Mean AUROC.
    pub auroc: Option<f64>,
    /// Share of correct answers.
    pub binary_accuracy: Option<f64>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Its name.
    pub name: String,
    /// Why it failed.
    pub reason: String,
}

/// A comparison of runs.
#[derive(Clone, Debug)]
pub struct Comparison {
    title: String,
    rows: Vec<ComparedRun>,
    failed: Vec<Failure>,
    open: usize,
    options: BootstrapOptions,
    reported_by: String,
    /// The criterion that all runs were selected by; `None` if they differ in it.
    pub best_by: Option<Criterion>,
    /// The best by the criterion of the runs, then the best by the other one, each against its
    /// runner-up.
    pub verdicts: Vec<Verdict>,
    /// Runs that differ only in seed or fold, together.
    pub repeats: Vec<Repeats>,
}

/// A run with its metrics.
#[derive(Clone, Debug)]
struct ComparedRun {
    entrant: Entrant,
    loss: Option<Measured>,
    auroc: Option<Measured>,
    accuracy: Option<f64>,
    accuracy_all_negative: Option<f64>,
}

impl Comparison {
    /// Computes the figures of all runs on their validation films.
    ///
    /// # Errors
    ///
    /// Returns an error if a table has no labels, or has films of training patients in a split that
    /// is not marked as leaky.
    pub fn of(
        title: impl Into<String>,
        entrants: Vec<Entrant>,
        failed: Vec<Failure>,
        open: usize,
        options: &BootstrapOptions,
    ) -> Result<Self, Error> {
        let rows = entrants.into_iter().map(|entrant| ComparedRun::of(entrant, options));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let best_by = common_criterion(&rows);
        let verdicts = verdict::verdicts(&rows, best_by, options);
        Ok(Self {
            title: title.into(),
            repeats: repeats::groups(&rows),
            rows,
            failed,
            open,
            reported_by: String::new(),
            options: *options,
            best_by,
            verdicts,
        })
    }

    /// Sets the source of the reported figures.
    pub fn with_reported_by(self, reported_by: impl Into<String>) -> Self {
        Self { reported_by: reported_by.into(), ..self }
    }

    /// Writes `comparison.html`, `comparison.md` and `comparison.csv` into a folder, each under a
    /// temporary name first, and returns their paths.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be created or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Error> {
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        let files = [
            ("comparison.html", self.html()?),
            ("comparison.md", self.markdown()?),
            ("comparison.csv", table::csv(&self.rows, &self.failed)?),
        ];
        let written = files.into_iter().map(|(name, text)| {
            let path = folder.join(name);
            file::write(&path, text.as_bytes()).map(|()| path)
        });
        written.collect()
    }

    /// Returns the comparison as one self-contained HTML file.
    ///
    /// # Errors
    ///
    /// Returns an error if the template cannot be filled, which would be a bug in this crate.
    pub fn html(&self) -> Result<String, Error> {
        let template = include_str!("comparison/comparison.html");
        render::render("comparison.html", template, page::ComparisonPage::of(self))
    }

    /// Returns the comparison as Markdown.
    ///
    /// # Errors
    ///
    /// Returns an error if the template cannot be filled, which would be a bug in this crate.
    pub fn markdown(&self) -> Result<String, Error> {
        let template = include_str!("comparison/comparison.md");
        render::render("comparison.md", template, page::ComparisonPage::of(self))
    }
}

/// Returns the criterion that all runs were selected by; `None` if they differ in it.
fn common_criterion(rows: &[ComparedRun]) -> Option<Criterion> {
    let first = rows.first()?.entrant.best_by;
    rows.iter().all(|row| row.entrant.best_by == first).then_some(first)
}

impl ComparedRun {
    fn of(entrant: Entrant, options: &BootstrapOptions) -> Result<Self, Error> {
        let headline = headline(&entrant.scores, options)?;
        Ok(Self {
            loss: log_loss(&entrant.scores, options),
            auroc: headline.auroc,
            accuracy: headline.binary_accuracy,
            accuracy_all_negative: headline.binary_accuracy_all_negative,
            entrant,
        })
    }

    fn best_epoch(&self) -> Option<&RunEpoch> {
        self.entrant.epochs.iter().rev().find(|epoch| epoch.is_best)
    }
}

#[cfg(test)]
mod tests;

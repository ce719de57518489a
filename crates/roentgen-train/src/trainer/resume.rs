//! Resumes a run from its folder alone, and lengthens a run on purpose.
//!
//! A lengthened run does what a run with that number of epochs does from its start. So the learning
//! rates of the epochs that are done must not depend on the number of epochs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use burn::tensor::Device;
use roentgen_data::prepare::Prepared;

use super::{
    Error, LossScale, Material, MemoryLimit, ONE_RUN, TrainOutcome, initial, network, train_in,
};
use crate::checkpoint::RunState;
use crate::experiment::Experiment;
use crate::facts::Facts;
use crate::progress::Progress;
use crate::run_dir::{self, RunDir};

/// How a run is resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeOptions {
    /// The total number of epochs; `None` to leave it as it is. With
    /// phases, the last one is lengthened.
    pub epochs: Option<usize>,
    /// Whether the run may need more memory than there is.
    pub memory: MemoryLimit,
    /// Where the data set of the run is now, if it was moved.
    pub data: Vec<PathBuf>,
}

/// Why a run cannot be lengthened.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum NotLonger {
    /// It has as many epochs already.
    #[error("the run has {has} epochs already; ask for more than that, not {asked}")]
    HasAsMany {
        /// Its epochs.
        has: usize,
        /// The epochs that were asked for.
        asked: usize,
    },
    /// The learning rates follow from the number of epochs.
    #[error(
        "the schedule `{0}` spreads its learning rates over all epochs, so a longer run has other \
         rates from its start; start a new run with `train.epochs`, or use the schedule \
         `constant` or `reduce-on-plateau`"
    )]
    Schedule(&'static str),
    /// Early stopping has ended the run.
    #[error(
        "the run ended after {done} of at most {has} epochs, because nothing improved for \
         `train.early_stopping.patience` epochs, so more epochs would change nothing; start a new \
         run with more patience"
    )]
    StoppedEarly {
        /// Epochs done.
        done: usize,
        /// Epochs of the experiment.
        has: usize,
    },
    /// A sweep stopped the run early.
    #[error("the sweep stopped this run early, because other runs were better; start a new run")]
    GivenUp,
    /// There is no checkpoint to continue from.
    #[error(
        "the run has no checkpoint yet; start it with the total number of epochs in `train.epochs`"
    )]
    NoCheckpoint,
}

/// Resumes the run in `folder`, which needs nothing but the folder and the run's data set.
///
/// The data set is looked for at `options.data`, then where it was when the run started, then at the
/// experiment's `data.prepared`. A finished run is left as it is, unless it is lengthened. A run in
/// progress in this process is waited for.
///
/// # Errors
///
/// Returns an error if the folder contains no run, if the data set is not there or has changed, if
/// the run cannot be lengthened, and under the conditions of [`train`](super::train).
pub fn resume(
    folder: &Path,
    options: &ResumeOptions,
    device: &Device,
    progress: &dyn Progress,
) -> Result<TrainOutcome, Error> {
    let _alone = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let run_dir = RunDir::reopen(folder)?;
    let mut experiment = run_dir.experiment()?;
    let hashed = |done, bytes| progress.hashed(done, bytes);
    run_dir::check_given(folder, &options.data)?;
    let found = run_dir::data_set(folder, &experiment, &options.data)?;
    let prepared = Prepared::open_with(&found, &hashed)?;
    let material = Material::of(&experiment, Arc::new(prepared))?;
    let network = network(&experiment, &material, options.memory, device)?;
    if let Some(epochs) = options.epochs {
        experiment = lengthen(&run_dir, &experiment, epochs)?;
    }
    let initial = initial::weights(&experiment, &material, network)?;
    let loss_scale = LossScale::of(experiment.train.precision);
    train_in(&experiment, &material, initial, run_dir, loss_scale, device, progress)
}

/// Gives the run more epochs and records that it had fewer; returns the longer experiment.
fn lengthen(run_dir: &RunDir, experiment: &Experiment, asked: usize) -> Result<Experiment, Error> {
    let folder = &run_dir.path;
    let phases = experiment.phases();
    let has: usize = phases.iter().map(|phase| phase.epochs).sum();
    if asked <= has {
        return Err(NotLonger::HasAsMany { has, asked }.into());
    }
    if let Some(phase) = phases.last()
        && phase.schedule.depends_on_length()
    {
        return Err(NotLonger::Schedule(phase.schedule.name()).into());
    }
    if Facts::read(folder)?.is_some_and(|facts| facts.is_stopped) {
        return Err(NotLonger::GivenUp.into());
    }
    let mut state = RunState::read(folder)?.ok_or(NotLonger::NoCheckpoint)?;
    let done = state.epochs.len();
    let patience = experiment.train.early_stopping.map(|stopping| stopping.patience);
    let is_last_phase = state.phase + 1 == phases.len();
    if is_last_phase && patience.is_some_and(|patience| state.waited >= patience) {
        return Err(NotLonger::StoppedEarly { done, has }.into());
    }
    let longer = lengthen_by(experiment, asked - has);
    longer.check().map_err(|source| {
        let path = run_dir.file(run_dir::EXPERIMENT);
        Error::Experiment(crate::experiment::overrides::Error::Invalid { path, source })
    })?;
    // The state is written first: a run that is killed in between says too much, never too little.
    if state.lengthened_from.last() != Some(&has) {
        state.lengthened_from.push(has);
        state.write(folder)?;
    }
    run_dir.lengthen(&longer)?;
    run_dir.log(&format!("lengthened from {has} to {asked} epochs, after {done}"))?;
    Ok(longer)
}

fn lengthen_by(experiment: &Experiment, by: usize) -> Experiment {
    let mut longer = experiment.clone();
    let epochs = longer.train.epochs;
    match longer.train.phases.last_mut() {
        Some(last) => last.epochs = Some(last.epochs.unwrap_or(epochs).saturating_add(by)),
        None => longer.train.epochs = epochs.saturating_add(by),
    }
    longer
}

//! The training loop: epochs, batches, validation, the best model, early stopping.
//!
//! [`train`] opens the inputs and the run directory. `Run::run_phases` is the loop, and its steps
//! are in files of their own: `epoch.rs` trains, `epoch_end.rs` validates, `position.rs` knows
//! phases, learning rates and the end.
//!
//! Dropout draws from the device's single random stream, which is seeded again before each batch
//! from seed and step, so that a resumed run draws the same numbers as an uninterrupted one. Runs of
//! one process would disturb each other there, so [`train`] and [`resume`] wait for one another.

use std::sync::{Mutex, PoisonError};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use roentgen_data::files::WriteError;
use roentgen_data::split::Split;
use roentgen_kernels::GpuFailure;
use roentgen_models::model_dir::EarlierFilms;
use roentgen_models::{Classifier, Freeze, Precision, weights};

use crate::checkpoint::{self, RunShape, RunState};
use crate::dataset::SelectedFilms;
use crate::experiment::Experiment;
use crate::experiment::phase::ResolvedPhase;
use crate::experiment::sweep;
use crate::facts::Facts;
use crate::features::{self, Features};
use crate::loss_scale::LossScale;
use crate::progress::{EpochRow, Progress};
use crate::run_dir::{EXPERIMENT, RunDir};
use crate::tensorboard::Events;

mod best;
mod check;
mod describe;
mod earlier;
mod epoch;
mod epoch_end;
mod error;
mod initial;
mod input;
mod material;
mod need;
mod optimizer_step;
mod options;
mod pictures;
mod position;
mod resume;
#[cfg(test)]
mod tests;

pub use check::{Checker, check};
pub use error::Error;
pub use need::TooLittle;
pub use optimizer_step::{optimizer_step, weight_gradients};
pub use options::{MemoryLimit, TrainOptions};
pub use resume::{NotLonger, ResumeOptions, resume};

use initial::Initial;
use material::Material;
use need::Amounts;

/// Optimizer steps between two checkpoints within an epoch.
const CHECKPOINT_STEPS: usize = 200;
/// `findings = "over-1000"` selects findings on more than this many films of the data set.
const OVER: usize = 1000;
/// Held by the run that uses the devices' random streams.
static ONE_RUN: Mutex<()> = Mutex::new(());

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainOutcome {
    /// All epochs are done, or nothing improved for long enough.
    Finished(EpochRow),
    /// The run was stopped from outside; `--resume` resumes it.
    Interrupted,
}

/// Runs an experiment into a run directory. A [`Start`](crate::run_dir::Start) may be passed as the
/// options.
///
/// The same experiment, data and seed give the same weights, with any number of threads, whether or
/// not the run was stopped and resumed. A second call waits until the first has returned.
///
/// # Errors
///
/// Returns an error if the run cannot start or continue, see [`Error`]; everything saved before
/// remains.
pub fn train(
    experiment: &Experiment,
    folder: &std::path::Path,
    options: impl Into<TrainOptions>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<TrainOutcome, Error> {
    let _alone = ONE_RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let TrainOptions { start, memory: limit } = options.into();
    let material = Material::open(experiment, &|done, bytes| progress.hashed(done, bytes))?;
    let network = network(experiment, &material, limit, device)?;
    let initial = initial::weights(experiment, &material, network)?;
    let fingerprint = &material.prepared.description.fingerprint;
    let run_dir = RunDir::open(folder, experiment, fingerprint, start)?;
    let loss_scale = LossScale::of(experiment.train.precision);
    train_in(experiment, &material, initial, run_dir, loss_scale, device, progress)
}

/// Builds the network with random weights, unless the device or its memory does not allow the run.
/// Nothing is written before that.
fn network(
    experiment: &Experiment,
    material: &Material,
    limit: MemoryLimit,
    device: &Device,
) -> Result<Classifier, Error> {
    let Experiment { train, image, seed, .. } = experiment;
    if train.precision != Precision::F32 && !roentgen_kernels::is_cuda(device) {
        return Err(Error::Precision(train.precision));
    }
    let device = device.clone().autodiff();
    device.seed(*seed);
    let network = experiment.network().init(image.channels, material.findings.len(), &device);
    let network = weights::number_parameters(network)?;
    if limit == MemoryLimit::Keep {
        let amounts = Amounts {
            size: material.prepared.store.size(),
            films: material.rows(Split::Train).len(),
            weights: network.num_params(),
        };
        need::check(experiment, amounts, need::available(&device))?;
    }
    Ok(network)
}

/// Runs an experiment in an open run directory. `loss_scale` is that of the first step of a new run.
fn train_in(
    experiment: &Experiment,
    material: &Material,
    initial: Initial,
    run_dir: RunDir,
    loss_scale: Option<LossScale>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<TrainOutcome, Error> {
    let Material { prepared, findings, sides } = material;
    let (train_rows, valid_rows) = (material.rows(Split::Train), material.rows(Split::Valid));
    let input = experiment.input(prepared.store.size());
    let Initial { network, origin, earlier, log } = initial;
    let films = run_dir.film_table(&prepared.rows, sides, &earlier.films)?;
    log.map_or(Ok(()), |line| run_dir.log(&line))?;
    let phases = experiment.phases();
    let batch_size = experiment.train.batch_size;
    let shape = RunShape { phases: &phases, films: train_rows.len(), batch_size, loss_scale };
    let optimizer = experiment.train.optimizer.init();
    let (mut state, model, optimizer) =
        checkpoint::restore(&run_dir.path, &shape, network, optimizer)?;
    state.check_films(&run_dir.path, &films.sha256)?;
    // The table of a run that was trained on other films is not replaced.
    run_dir.write_films(&films)?;
    state.films_sha256 = Some(films.sha256);
    let freeze = phases.get(state.phase).map_or(Freeze::Nothing, |phase| phase.freeze);
    let model = model.freeze(experiment.model.architecture, freeze);
    let mut run = Run {
        experiment,
        phases,
        origin,
        earlier_films: earlier.known,
        dir: run_dir,
        train: SelectedFilms { prepared, findings, input, rows: &train_rows },
        valid: SelectedFilms { prepared, findings, input, rows: &valid_rows },
        device: device.clone().autodiff(),
        features: None,
        progress,
        began: progress.seconds() - state.seconds,
        state,
        weights: Some(model),
        optimizer,
    };
    progress.started(&run.plan());
    run.run_phases()
}

/// A run in progress.
struct Run<'a> {
    experiment: &'a Experiment,
    phases: Vec<ResolvedPhase>,
    /// Origin of the backbone's initial weights, in words.
    origin: Option<String>,
    /// What is known of the films on which those were trained.
    earlier_films: Option<EarlierFilms>,
    dir: RunDir,
    train: SelectedFilms<'a>,
    valid: SelectedFilms<'a>,
    device: Device,
    /// Features of the training and the validation films, while the backbone is frozen.
    features: Option<[Features; 2]>,
    progress: &'a dyn Progress,
    /// Start of the current epoch, as if it had not been interrupted.
    began: f64,
    state: RunState,
    /// The network; `None` only while the optimizer has it.
    weights: Option<Classifier>,
    optimizer: ModuleOptimizer,
}

impl Run<'_> {
    fn run_phases(&mut self) -> Result<TrainOutcome, Error> {
        // A run that was stopped early is finished too, even if it was killed afterwards.
        let was_stopped = Facts::read(&self.dir.path)?.is_some_and(|facts| facts.is_stopped);
        if was_stopped || self.is_over() {
            return self.finish(was_stopped);
        }
        let seconds = self.progress.seconds();
        let mut events = Events::open(&self.dir.path, self.state.epochs.len() + 1, seconds)?;
        if self.state.epochs.is_empty() {
            let values = sweep::values(self.experiment).map_err(|error| WriteError {
                path: self.dir.file(EXPERIMENT),
                source: std::io::Error::other(error),
            })?;
            let text = self.dir.experiment_text()?;
            events.experiment(seconds, &text, &values)?;
        }
        self.dir.log(&format!("{}", self.plan()))?;
        while !self.is_over() {
            if self.keep_features()? == Epoch::Interrupted || self.epoch()? == Epoch::Interrupted {
                return Ok(TrainOutcome::Interrupted);
            }
            self.validate(&mut events)?;
            if !self.is_over() && self.progress.is_hopeless(&self.state.epochs) {
                self.save()?;
                self.dir.log("stopped early: other runs are better")?;
                events.finished(self.progress.seconds())?;
                return self.finish(true);
            }
            if self.is_phase_over() && !self.is_over() {
                self.next_phase()?;
            }
            self.save()?;
        }
        events.finished(self.progress.seconds())?;
        self.finish(false)
    }

    fn model(&self) -> &Classifier {
        self.weights.as_ref().expect("the optimizer gives the network back")
    }

    /// Ends the run if a GPU has failed: weights that were never written must not be saved.
    fn check_device(&self) -> Result<(), Error> {
        self.device.sync().map_err(|error| {
            let memory = roentgen_kernels::gpu_memory(&self.device);
            Error::Gpu(GpuFailure::new(&format!("{error:?}"), memory))
        })?;
        roentgen_kernels::failure().map_or(Ok(()), |failure| Err(Error::Gpu(failure.clone())))
    }

    fn save(&mut self) -> Result<(), Error> {
        self.check_device()?;
        self.state.seconds = self.progress.seconds() - self.began;
        Ok(checkpoint::save(&self.dir.path, &self.state, self.model(), &self.optimizer)?)
    }

    fn finish(&self, is_stopped: bool) -> Result<TrainOutcome, Error> {
        features::discard(&self.dir.path)?;
        if Facts::read(&self.dir.path)?.is_none() {
            self.facts(is_stopped).write(&self.dir.path)?;
        }
        self.dir.finish()?;
        let best = self.state.best().ok_or(Error::NoFilms("training"))?;
        Ok(TrainOutcome::Finished(best.clone()))
    }
}

#[derive(PartialEq, Eq)]
enum Epoch {
    Done,
    Interrupted,
}

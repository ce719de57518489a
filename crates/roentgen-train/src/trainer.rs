//! The training loop: epochs, batches, validation, the best model, early stopping.
//!
//! Dropout draws from the device's single random stream, which is seeded again before each batch
//! from seed and step, so that a resumed run draws the same numbers as an uninterrupted one. Two
//! concurrent runs in one process would disturb each other there.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use roentgen_data::files::WriteError;
use roentgen_data::split::Split;
use roentgen_models::{Classifier, Freeze, Precision, weights};

use crate::checkpoint::{self, Shape, State};
use crate::dataset::Films;
use crate::experiment::Experiment;
use crate::facts::Facts;
use crate::features::{self, Features};
use crate::phase::ResolvedPhase;
use crate::progress::{EpochRow, Progress};
use crate::run_dir::{EXPERIMENT, RunDir, Start};
use crate::schedule::Plateau;
use crate::sweep;
use crate::tensorboard::Events;

mod best;
mod describe;
mod epoch_end;
mod error;
mod initial;
mod input;
mod material;
mod pictures;
mod resume;

pub use error::Error;
pub use resume::{NotLonger, Resume, resume};

use input::{Batch, Line, Part};
use material::Material;

/// Optimizer steps between two checkpoints within an epoch.
const CHECKPOINT_STEPS: usize = 200;
/// `findings = "over-1000"` selects findings on more than this many films of the data set.
const OVER: usize = 1000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All epochs are done, or nothing improved for long enough.
    Finished(EpochRow),
    /// The run was stopped from outside; `--resume` resumes it.
    Interrupted,
}

/// Runs an experiment into a run directory.
///
/// The same experiment, data and seed give the same weights, with any number of threads, whether or
/// not the run was stopped and resumed.
///
/// # Errors
///
/// Returns an error if the run cannot start or continue, see [`Error`]; everything saved before
/// remains.
pub fn train(
    experiment: &Experiment,
    folder: &std::path::Path,
    start: Start,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Outcome, Error> {
    let material = Material::open(experiment)?;
    let fingerprint = &material.prepared.description.fingerprint;
    let run_dir = RunDir::open(folder, experiment, fingerprint, start)?;
    train_in(experiment, material, run_dir, device, progress)
}

/// Runs an experiment in an open run directory.
fn train_in(
    experiment: &Experiment,
    material: Material,
    run_dir: RunDir,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Outcome, Error> {
    let Material { prepared, findings, sides } = material;
    if experiment.train.precision != Precision::F32 && !roentgen_kernels::is_cuda(device) {
        return Err(Error::Precision(experiment.train.precision));
    }
    let size = prepared.store.size();
    let rows =
        |side| -> Vec<usize> { (0..sides.len()).filter(|&row| sides[row] == Some(side)).collect() };
    let (train_rows, valid_rows) = (rows(Split::Train), rows(Split::Valid));
    let films = |rows| Films {
        prepared: &prepared,
        findings: &findings,
        input: experiment.input(size),
        rows,
    };
    let (train_films, valid_films) = (films(&train_rows), films(&valid_rows));

    let films_sha256 = Some(run_dir.write_films(&prepared.rows, &sides)?);
    let device = device.clone().autodiff();
    device.seed(experiment.seed);
    let model = experiment.network().init(experiment.image.channels, findings.len(), &device);
    let model = weights::numbered(model)?;
    let (model, origin) = initial::weights(experiment, model, &run_dir)?;
    let phases = experiment.phases();
    let batch_size = experiment.train.batch_size;
    let shape = Shape { phases: &phases, films: train_rows.len(), batch_size };
    let optimizer = experiment.train.optimizer.init();
    let (state, model, optimizer) = checkpoint::restore(&run_dir.path, &shape, model, optimizer)?;
    let freeze = phases.get(state.phase).map_or(Freeze::Nothing, |phase| phase.freeze);
    let model = model.frozen(experiment.model.architecture, freeze);
    let mut run = Run {
        experiment,
        phases,
        origin,
        dir: run_dir,
        films_sha256,
        train: train_films,
        valid: valid_films,
        device,
        features: None,
        progress,
        began: progress.seconds() - state.seconds,
        state,
        weights: Some(model),
        optimizer,
    };
    progress.started(&run.plan());
    run.go()
}

/// Checks, without a step, everything that [`train`] would refuse before its first step.
///
/// # Errors
///
/// Returns an error if films are missing or of another size, if the split leaks or leaves a split
/// without films, or if weights are missing.
pub fn check(experiment: &Experiment) -> Result<(), Error> {
    Material::open(experiment)?;
    initial::find(experiment).map(|_| ())
}

/// A run in progress.
struct Run<'a> {
    experiment: &'a Experiment,
    phases: Vec<ResolvedPhase>,
    /// Origin of the backbone's initial weights, in words.
    origin: Option<String>,
    dir: RunDir,
    /// Of the table of films.
    films_sha256: Option<String>,
    train: Films<'a>,
    valid: Films<'a>,
    device: Device,
    /// Features of the training and the validation films, while the backbone is frozen.
    features: Option<[Features; 2]>,
    progress: &'a dyn Progress,
    /// Start of the current epoch, as if it had not been interrupted.
    began: f64,
    state: State,
    /// The network; `None` only while the optimizer has it.
    weights: Option<Classifier>,
    optimizer: ModuleOptimizer,
}

impl Run<'_> {
    fn go(&mut self) -> Result<Outcome, Error> {
        // A run that was given up is finished too, even if it was killed afterwards.
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
                return Ok(Outcome::Interrupted);
            }
            self.validate(&mut events)?;
            if !self.is_over() && self.progress.is_hopeless(&self.state.epochs) {
                self.save()?;
                self.dir.log("given up: other runs are better")?;
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

    /// Passes all films through a frozen backbone once, if the experiment allows it.
    fn keep_features(&mut self) -> Result<Epoch, Error> {
        let Some(draws) = self.experiment.feature_draws(self.phase().freeze) else {
            return Ok(Epoch::Done);
        };
        if self.features.is_some() {
            return Ok(Epoch::Done);
        }
        self.save()?;
        let Experiment { seed, image, .. } = self.experiment;
        let augment = image.augment.as_ref().map(|augment| (augment, *seed, draws));
        let keep = |name, films, augment| {
            let batch = self.experiment.micro_batch_size();
            let plan = features::Plan { name, films, augment, batch };
            features::keep(&self.dir.path, self.model(), plan, &self.device, |done, all| {
                self.progress.features(done, all);
                self.progress.is_interrupted()
            })
        };
        let train = keep("train", self.train, augment)?;
        let valid = if train.is_some() { keep("valid", self.valid, None)? } else { None };
        self.features = train.zip(valid).map(|(train, valid)| [train, valid]);
        Ok(if self.features.is_some() { Epoch::Done } else { Epoch::Interrupted })
    }

    /// Trains from the current position to the end of the epoch.
    fn epoch(&mut self) -> Result<Epoch, Error> {
        let Experiment { seed, image, train, .. } = self.experiment;
        let epoch = self.state.epochs.len() + 1;
        let order = self.train.shuffled(*seed, epoch);
        let first = self.state.step - (epoch - 1) * self.steps();
        let batches = order.chunks(train.batch_size).skip(first).map(<[usize]>::to_vec);
        // Taken out of `self`, because the input pipeline reads them while steps change `self`.
        let (features, device) = (self.features.take(), self.device.clone());
        let line = Line {
            films: self.train,
            augment: image.augment.as_ref(),
            features: features.as_ref().map(|[train, _]| train),
            seed: *seed,
            epoch,
            micro_batch: self.experiment.micro_batch_size(),
            device: &device,
        };
        let ended = line.run(batches, |batches| {
            for step in first.. {
                let asked = self.progress.seconds();
                let Ok(batch) = batches.recv() else { break };
                let batch = batch?;
                self.state.waiting += self.progress.seconds() - asked;
                let films = batch.labels.len() / self.train.findings.len();
                let loss = self.batch(batch, line.features.is_some());
                self.state.step += 1;
                self.state.films += films;
                self.state.loss += loss * films as f64;
                self.progress.step(epoch, step + 1, self.state.loss / self.state.films as f64);

                let is_interrupted = self.progress.is_interrupted();
                if is_interrupted || (step + 1) % CHECKPOINT_STEPS == 0 {
                    self.save()?;
                }
                if is_interrupted {
                    return Ok(Epoch::Interrupted);
                }
            }
            Ok(Epoch::Done)
        });
        self.features = features;
        ended
    }

    /// Takes one optimizer step on one batch of films or of features; returns its mean loss.
    fn batch(&mut self, batch: Batch, is_features: bool) -> f64 {
        let Experiment { seed, train, .. } = self.experiment;
        // The bits of the golden ratio make the streams of neighboring steps independent.
        let stream = (self.state.step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.device.seed(seed ^ stream);
        let weights = train.loss.weights(&batch.labels);
        let mut gradients = GradientsAccumulator::new();
        let mut loss = 0.0;
        for Part { input, labels } in batch.parts {
            // Burn sums the gradients of micro-batches; a share of the loss makes the sum a mean.
            let [films, findings] = labels.dims();
            let share = (films * findings) as f64 / batch.labels.len() as f64;
            let logits = if is_features {
                self.model().head(input)
            } else {
                self.model().forward(train.precision.films(input))
            };
            let share_of_loss = weights.loss(logits, labels) * share;
            let parts = GradientsParams::from_grads(share_of_loss.backward(), self.model());
            gradients.accumulate(self.model(), parts);
            loss += share_of_loss.into_scalar::<f64>();
        }
        let rate = self.rate(self.state.step);
        // Without a second handle, so that on the CPU the optimizer updates the weights in place.
        if let Some(model) = self.weights.take() {
            self.weights = Some(self.optimizer.step(rate, model, gradients.grads()));
            roentgen_kernels::flush();
        }
        loss
    }

    fn model(&self) -> &Classifier {
        self.weights.as_ref().expect("the optimizer gives the network back")
    }

    /// Ends the run if a GPU has failed: weights that were never written must not be saved.
    fn check_device(&self) -> Result<(), Error> {
        self.device.sync().map_err(|error| Error::Gpu(format!("{error:?}")))?;
        roentgen_kernels::failure().map_or(Ok(()), |failure| Err(Error::Gpu(failure.to_owned())))
    }

    fn save(&mut self) -> Result<(), Error> {
        self.check_device()?;
        self.state.seconds = self.progress.seconds() - self.began;
        Ok(checkpoint::save(&self.dir.path, &self.state, self.model(), &self.optimizer)?)
    }

    fn finish(&self, is_stopped: bool) -> Result<Outcome, Error> {
        features::discard(&self.dir.path)?;
        if Facts::read(&self.dir.path)?.is_none() {
            self.facts(is_stopped).write(&self.dir.path)?;
        }
        self.dir.finish("finished")?;
        self.progress.finished(&self.dir.path);
        let best = self.state.best().ok_or(Error::NoFilms("training"))?;
        Ok(Outcome::Finished(best.clone()))
    }

    fn phase(&self) -> ResolvedPhase {
        self.phases[self.state.phase]
    }

    /// Returns the learning rate of a step of the run in the current phase.
    fn rate(&self, step: usize) -> f64 {
        let ResolvedPhase { epochs, learning_rate, schedule, .. } = self.phase();
        let steps = self.steps();
        let step = step - self.state.earlier * steps;
        schedule.rate(learning_rate, step, steps * epochs, &self.state.plateau)
    }

    fn is_phase_over(&self) -> bool {
        let stopping = self.experiment.train.early_stopping;
        let waited_enough = stopping.is_some_and(|stopping| self.state.waited >= stopping.patience);
        self.state.epochs.len() - self.state.earlier >= self.phase().epochs || waited_enough
    }

    fn is_over(&self) -> bool {
        self.state.phase + 1 == self.phases.len() && self.is_phase_over()
    }

    /// Continues with the current weights in a new network, because frozen weights cannot be
    /// unfrozen.
    fn next_phase(&mut self) -> Result<(), Error> {
        self.features = None;
        features::discard(&self.dir.path)?;
        self.state.phase += 1;
        self.state.earlier = self.state.epochs.len();
        self.state.waited = 0;
        self.state.plateau = Plateau::default();
        let Experiment { image, model, train, .. } = self.experiment;
        let bytes = weights::to_bytes(&self.model().valid())?;
        let network = self.experiment.network();
        let thawed = network.init(image.channels, self.train.findings.len(), &self.device);
        let thawed = weights::load(thawed, bytes.to_vec())?;
        self.weights = Some(thawed.frozen(model.architecture, self.phase().freeze));
        self.optimizer = train.optimizer.init();
        let (phase, phases) = (self.state.phase + 1, self.phases.len());
        self.dir.log(&format!("phase {phase} of {phases}"))?;
        Ok(())
    }

    fn steps(&self) -> usize {
        self.train.len().div_ceil(self.experiment.train.batch_size)
    }
}

#[derive(PartialEq, Eq)]
enum Epoch {
    Done,
    Interrupted,
}

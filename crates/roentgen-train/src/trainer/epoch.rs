//! One epoch of training: batches, and an optimizer step on each.

use burn::optim::GradientsAccumulator;

use super::input::{Batch, InputPipeline, MicroBatch};
use super::optimizer_step::{optimizer_step, weight_gradients};
use super::{CHECKPOINT_STEPS, Epoch, Error, Run};
use crate::experiment::Experiment;
use crate::features;
use crate::loss_scale::StepOutcome;
use crate::seed::{self, Purpose};

/// What a batch contains.
#[derive(Clone, Copy)]
pub(super) enum InputKind {
    Films,
    /// The features that a frozen backbone computed of films.
    Features,
}

impl Run<'_> {
    /// Passes all films through a frozen backbone once, if the experiment allows it.
    pub(super) fn keep_features(&mut self) -> Result<Epoch, Error> {
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
            let plan = features::FeaturePlan { name, films, augment, batch };
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
    pub(super) fn epoch(&mut self) -> Result<Epoch, Error> {
        let Experiment { seed, image, train, .. } = self.experiment;
        let epoch = self.state.epochs.len() + 1;
        let order = self.train.shuffled_rows(*seed, epoch);
        let first = self.state.step - (epoch - 1) * self.steps();
        let batches = order.chunks(train.batch_size).skip(first).map(<[usize]>::to_vec);
        // Taken out of `self`, because the input pipeline reads them while steps change `self`.
        let (features, device) = (self.features.take(), self.device.clone());
        let pipeline = InputPipeline {
            films: self.train,
            augment: image.augment.as_ref(),
            features: features.as_ref().map(|[train, _]| train),
            seed: *seed,
            epoch,
            micro_batch: self.experiment.micro_batch_size(),
            device: &device,
        };
        let kind = if features.is_some() { InputKind::Features } else { InputKind::Films };
        let ended = pipeline.run(batches, |batches| {
            for step in first.. {
                let asked = self.progress.seconds();
                let Ok(batch) = batches.recv() else { break };
                let batch = batch?;
                self.state.waiting += self.progress.seconds() - asked;
                let films = batch.labels.len() / self.train.findings.len();
                let loss = self.batch(batch, kind)?;
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
    pub(super) fn batch(&mut self, batch: Batch, kind: InputKind) -> Result<f64, Error> {
        let Experiment { seed, train, .. } = self.experiment;
        self.device.seed(seed::derive(*seed, Purpose::Step(self.state.step)));
        let weights = train.loss.weights(&batch.labels);
        let mut gradients = GradientsAccumulator::new();
        let mut loss = 0.0;
        for MicroBatch { input, labels } in batch.parts {
            // Burn sums the gradients of micro-batches; a share of the loss makes the sum a mean.
            let [films, findings] = labels.dims();
            let share = (films * findings) as f64 / batch.labels.len() as f64;
            let logits = match kind {
                InputKind::Features => self.model().head(input),
                InputKind::Films => self.model().forward(train.precision.films(input)),
            };
            let share_of_loss = weights.loss(logits, labels) * share;
            let parts = weight_gradients(&share_of_loss, self.model(), self.state.loss_scale);
            gradients.accumulate(self.model(), parts);
            loss += share_of_loss.into_scalar::<f64>();
        }
        if !loss.is_finite() {
            // Before the step is counted: the checkpoint of an earlier step remains.
            self.check_device()?;
            return Err(Error::Diverged { epoch: self.state.epochs.len() + 1, loss });
        }
        let rate = self.rate(self.state.step);
        // Without a second handle, so that on the CPU the optimizer updates the weights in place.
        if let Some(model) = self.weights.take() {
            let (scale, gradients) = (self.state.loss_scale.as_mut(), gradients.grads());
            let (model, outcome) =
                optimizer_step(&mut self.optimizer, rate, model, gradients, scale);
            self.weights = Some(model);
            self.check_step(outcome)?;
        }
        Ok(loss)
    }

    /// Logs a step that was skipped, and ends a run in which all steps would be.
    fn check_step(&self, outcome: StepOutcome) -> Result<(), Error> {
        if outcome != StepOutcome::Taken {
            self.check_device()?;
        }
        let step = self.state.step + 1;
        match (outcome, self.state.loss_scale) {
            (StepOutcome::Skipped, Some(halved)) => Ok(self.dir.log(&format!(
                "step {step} skipped, because a gradient is not a finite number; loss scale {}",
                halved.scale
            ))?),
            (StepOutcome::Impossible, _) => Err(Error::NotFinite { step }),
            (StepOutcome::Taken | StepOutcome::Skipped, _) => Ok(()),
        }
    }
}

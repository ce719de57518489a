//! The end of an epoch: validation, the best model, records.

use burn::module::Module;
use roentgen_models::model_dir;

use super::{Error, Run, best, pictures};
use crate::experiment::Experiment;
use crate::progress::EpochRow;
use crate::tensorboard::Events;
use crate::validation::{self, Validated};

impl Run<'_> {
    /// Validates, keeps the best model, and records the epoch in all files.
    pub(super) fn validate(&mut self, events: &mut Events) -> Result<(), Error> {
        let epoch = self.state.epochs.len() + 1;
        let Experiment { train, .. } = self.experiment;
        let train_loss = self.state.loss / self.state.films as f64;
        let Validated { loss, auroc } = validation::validate(
            self.model(),
            &self.valid,
            self.features.as_ref().map(|[_, valid]| valid),
            train.loss,
            self.experiment.micro_batch_size(),
            train.precision,
            &self.device,
            |films| self.progress.validated(epoch, films),
        )?;
        if !train_loss.is_finite() || !loss.is_finite() {
            let loss = if train_loss.is_finite() { loss } else { train_loss };
            return Err(Error::Diverged { epoch, loss });
        }
        let by = best::criterion(train.best_by, &self.state.epochs, auroc);
        let is_best = best::is_better(by, loss, auroc, self.state.best());
        let now = self.progress.seconds();
        let row = EpochRow {
            epoch,
            train_loss,
            valid_loss: loss,
            valid_auroc: auroc,
            learning_rate: self.rate(self.state.step - 1),
            is_best,
            seconds: now - self.began,
            waiting: self.state.waiting,
            is_by_loss_instead: by != train.best_by,
        };
        if is_best {
            self.check_device()?;
            model_dir::save(&self.dir.path, &self.description(&row), &self.model().valid())?;
        }
        self.phase().schedule.epoch_done(loss, &mut self.state.plateau);
        self.began = now;
        self.state.epochs.push(row.clone());
        self.state.waited = if is_best { 0 } else { self.state.waited + 1 };
        (self.state.films, self.state.loss, self.state.waiting) = (0, 0.0, 0.0);

        let mut scalars = vec![
            ("loss/train", row.train_loss),
            ("loss/valid", row.valid_loss),
            ("learning_rate", row.learning_rate),
            ("seconds", row.seconds),
            ("waiting", row.waiting),
        ];
        scalars.extend(row.valid_auroc.map(|auroc| ("auroc/valid", auroc)));
        let pictures = pictures::films(self.model(), &self.valid, &self.device)?;
        events.step(now, epoch, &scalars, pictures)?;
        self.dir.write_epochs(&self.state.epochs)?;
        self.dir.log(&row.to_string())?;
        self.progress.epoch(&row);
        Ok(())
    }
}

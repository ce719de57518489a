//! Prepares batches on a separate thread, ahead of the step that takes them.
//!
//! `prepare` has already decoded the films; normalizing and augmenting them remains, which would
//! delay the step. Nothing here draws from the device's random stream, whose state dropout relies
//! on.

use std::sync::mpsc::{Receiver, sync_channel};

use burn::tensor::{Device, Tensor, TensorData};

use crate::dataset::SelectedFilms;
use crate::experiment::augment::Augment;
use crate::features::{self, Features};

/// Number of batches that wait for their step.
const AHEAD: usize = 2;
/// Number of batches on the device: those that wait, the one in preparation, and that of the step.
pub(super) const HELD: usize = AHEAD + 2;

/// The source of batches.
#[derive(Clone, Copy)]
pub(super) struct InputPipeline<'a> {
    pub(super) films: SelectedFilms<'a>,
    pub(super) augment: Option<&'a Augment>,
    /// Used in place of films while the backbone is frozen.
    pub(super) features: Option<&'a Features>,
    pub(super) seed: u64,
    pub(super) epoch: usize,
    /// Films that pass through the network at once.
    pub(super) micro_batch: usize,
    pub(super) device: &'a Device,
}

/// The input of an optimizer step.
pub(super) struct Batch {
    /// Labels, 0 or 1, film by film.
    pub(super) labels: Vec<f32>,
    pub(super) parts: Vec<MicroBatch>,
}

/// The part of a batch that passes through the network at once.
pub(super) struct MicroBatch {
    /// Films, or their stored features: `[films, channels, height, width]`.
    pub(super) input: Tensor<4>,
    /// `[films, findings]`
    pub(super) labels: Tensor<2>,
}

impl InputPipeline<'_> {
    /// Prepares batches of `rows` while `take` takes them in turn.
    pub(super) fn run<T>(
        &self,
        rows: impl Iterator<Item = Vec<usize>> + Send,
        take: impl FnOnce(Receiver<Result<Batch, features::Error>>) -> T,
    ) -> T {
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for rows in rows {
                    // The receiver is gone: the run was stopped.
                    if sender.send(self.batch(&rows)).is_err() {
                        return;
                    }
                }
            });
            take(receiver)
        })
    }

    fn batch(&self, rows: &[usize]) -> Result<Batch, features::Error> {
        let parts =
            rows.chunks(self.micro_batch).map(|rows| self.part(rows)).collect::<Result<_, _>>();
        Ok(Batch { labels: self.films.labels(rows), parts: parts? })
    }

    fn part(&self, rows: &[usize]) -> Result<MicroBatch, features::Error> {
        let input = match (self.features, self.augment) {
            (Some(features), _) => features.tensor(&self.films, rows, self.epoch, self.device)?,
            (None, None) => self.films.tensor(rows, self.device)?,
            (None, Some(augment)) => {
                let films = self.films.tensor(rows, self.device)?;
                augment.apply(films, rows, self.seed, self.epoch)
            }
        };
        let labels =
            TensorData::new(self.films.labels(rows), [rows.len(), self.films.findings.len()]);
        Ok(MicroBatch { input, labels: Tensor::from_data(labels, self.device) })
    }
}

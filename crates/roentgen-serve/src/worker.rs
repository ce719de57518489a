//! The thread that computes a model's predictions: it gathers films that wait into batches.
//!
//! The last digits of a probability may depend on the other films of its batch, because a matrix
//! product of another shape adds in another order. So [`equal_sizes`] predicts a few films alone and
//! in batches of each size when a model is loaded, and only the sizes that give the same bits are
//! used. A film therefore has the same answer alone and among others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use roentgen_data::pixels::Plane;
use roentgen_tasks::sources::Gate;
use roentgen_tasks::{Film, FilmClassifier, FilmPrediction, FilmReader};
use serde_json::json;
use tokio::sync::oneshot;

use crate::config::Batching;
use crate::log::{Level, Log};
use crate::metrics::Metrics;

/// A film to predict.
pub(crate) struct Job {
    pub(crate) film: Film,
    /// Gets the prediction, or nothing if it failed.
    pub(crate) reply: oneshot::Sender<Option<FilmPrediction>>,
}

/// What computes.
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) classifier: FilmClassifier,
    /// The sizes of batches, ascending, from 1.
    pub(crate) sizes: Vec<usize>,
    pub(crate) batching: Batching,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
}

impl Worker {
    /// Starts the thread, which ends when the sender is dropped.
    pub(crate) fn start(self) -> SyncSender<Job> {
        let (sender, jobs) = sync_channel(self.batching.queue);
        thread::spawn(move || self.work(&jobs));
        sender
    }

    fn work(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let until = Instant::now() + self.batching.wait;
            let mut films = vec![first];
            while films.len() < self.batching.films {
                let Ok(job) = jobs.recv_timeout(until.saturating_duration_since(Instant::now()))
                else {
                    break;
                };
                films.push(job);
            }
            // A client that has gone needs no answer.
            films.retain(|job| !job.reply.is_closed());
            while !films.is_empty() {
                let size = largest(&self.sizes, films.len());
                let rest = films.split_off(size);
                self.predict(films);
                films = rest;
            }
        }
    }

    fn predict(&mut self, jobs: Vec<Job>) {
        let (films, replies): (Vec<Film>, Vec<_>) =
            jobs.into_iter().map(|job| (job.film, job.reply)).unzip();
        // A fault of an engine must not end the thread, which other films wait for.
        let predicted = catch_unwind(AssertUnwindSafe(|| self.classifier.predict(&films)));
        let problem = match predicted {
            Ok(Ok(predictions)) => {
                self.metrics.batch(&self.name, predictions.len());
                for (reply, prediction) in replies.into_iter().zip(predictions) {
                    let _ = reply.send(Some(prediction));
                }
                return;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "a fault in the engine".to_owned(),
        };
        let about = json!({ "model": self.name, "films": films.len(), "problem": problem });
        self.log.write(Level::Error, "prediction failed", about);
        for reply in replies {
            let _ = reply.send(None);
        }
    }
}

/// Returns the largest of the ascending sizes that is not above `films`; 1 is always one of them.
fn largest(sizes: &[usize], films: usize) -> usize {
    sizes.iter().copied().take_while(|&size| size <= films).last().unwrap_or(1)
}

/// Returns 1 and the powers of two up to `most` at which a batch gives the same bits as its films
/// alone. A size that does not fit into memory is left out.
///
/// # Errors
///
/// Returns an error if a film cannot be predicted alone.
pub(crate) fn equal_sizes(
    classifier: &mut FilmClassifier,
    most: usize,
) -> Result<Vec<usize>, String> {
    let sizes: Vec<usize> =
        (1..usize::BITS).map(|bit| 1 << bit).take_while(|&size| size <= most).collect();
    let films = probes(classifier.description().input.size, sizes.last().copied().unwrap_or(1))?;
    let mut alone = Vec::new();
    for film in &films {
        let predicted = classifier.predict(std::slice::from_ref(film));
        alone.extend(predicted.map_err(|error| format!("{error:#}"))?);
    }
    let is_equal = |&size: &usize| {
        classifier.predict(&films[..size]).is_ok_and(|together| together == alone[..size])
    };
    Ok(std::iter::once(1).chain(sizes.into_iter().filter(is_equal)).collect())
}

/// Draws planes of noise over a slope, no two alike.
fn probes(size: usize, count: usize) -> Result<Vec<Film>, String> {
    let reader = FilmReader::new(Gate::Off, size);
    let mut state = 2018_u32;
    let mut film = |number: usize| {
        let pixel = |at: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let slope = (at * (number + 1) / size) as u32;
            ((slope + (state >> 25)) % 256) as u8
        };
        let pixels = (0..size * size).map(pixel).collect();
        let plane = Plane { width: size as u32, height: size as u32, pixels };
        reader.read_plane(plane).map_err(|error| error.to_string())
    };
    (0..count).map(&mut film).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_are_divided_into_the_largest_sizes_that_are_allowed() {
        assert_eq!(largest(&[1, 2, 8], 7), 2);
        assert_eq!(largest(&[1, 2, 8], 8), 8);
        assert_eq!(largest(&[1], 40), 1);
    }
}

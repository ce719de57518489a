//! What all requests share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Doorkeeper;
use crate::body::Budget;
use crate::config::{Batching, Limits};
use crate::log::{Log, RequestIds};
use crate::metrics::Metrics;
use crate::models::Models;
use crate::problem::Problem;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) models: RwLock<Arc<Models>>,
    pub(crate) limits: Limits,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) bodies: Budget,
    /// Places for films that are taken and not yet answered.
    pub(crate) places: Arc<Semaphore>,
    /// Films that are decoded at the same time.
    pub(crate) decoders: Arc<Semaphore>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
    pub(crate) ids: RequestIds,
    pub(crate) is_stopping: AtomicBool,
    /// Held while models are loaded again.
    pub(crate) reloading: Mutex<()>,
}

impl App {
    pub(crate) fn new(
        models: Models,
        limits: Limits,
        batching: Batching,
        doorkeeper: Doorkeeper,
        metrics: Arc<Metrics>,
        log: Log,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            models: RwLock::new(Arc::new(models)),
            limits,
            doorkeeper,
            bodies: Budget::new(limits.bodies),
            places: Arc::new(Semaphore::new(batching.queue)),
            decoders: Arc::new(Semaphore::new(cores)),
            metrics,
            log,
            ids: RequestIds::new(),
            is_stopping: AtomicBool::new(false),
            reloading: Mutex::new(()),
        }
    }

    /// Returns the models of this moment; a request keeps them, whatever is loaded meanwhile.
    pub(crate) fn models(&self) -> Arc<Models> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves other models from now on.
    pub(crate) fn replace(&self, models: Models) {
        *self.models.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(models);
    }

    /// Takes places for films, which are given back when the value is dropped.
    ///
    /// # Errors
    ///
    /// Returns a problem if there are not enough of them.
    pub(crate) fn take(self: &Arc<Self>, films: usize) -> Result<Places, Problem> {
        let count = u32::try_from(films).unwrap_or(u32::MAX);
        match self.places.clone().try_acquire_many_owned(count) {
            Ok(permit) => {
                self.metrics.waiting.inc_by(films as i64);
                Ok(Places { app: self.clone(), films, _permit: permit })
            }
            Err(_) => Err(Problem::busy("the queue of films is full")),
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}

/// Places of films in the queue.
#[derive(Debug)]
pub(crate) struct Places {
    app: Arc<App>,
    films: usize,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Places {
    fn drop(&mut self) {
        self.app.metrics.waiting.dec_by(self.films as i64);
    }
}

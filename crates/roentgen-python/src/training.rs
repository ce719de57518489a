//! Training, with a Python function that watches and may stop it.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use roentgen_tasks::calibrate::calibrate_finished;
use roentgen_train::progress::{EpochRow, RunPlan};
use roentgen_train::run_dir::Start;
use roentgen_train::{MemoryLimit, Progress, TrainOptions, TrainOutcome, overrides};
use serde_json::{Value, json};

use crate::argument::device;
use crate::error::{detached, raise, raise_error};
use crate::listener::PythonListener;

/// Runs an experiment into a folder; returns the best epoch as JSON, or `None` if it was stopped.
/// `progress` gets the name of an event and its values as JSON, and stops the run by `False`.
#[pyfunction]
#[pyo3(signature = (experiment, out, *, settings, resume, ignore_memory, device, progress))]
#[expect(clippy::too_many_arguments, reason = "all but the first are named in Python")]
pub(crate) fn train(
    py: Python<'_>,
    experiment: PathBuf,
    out: PathBuf,
    settings: Vec<String>,
    resume: bool,
    ignore_memory: bool,
    device: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Option<String>> {
    let device = self::device(device)?;
    let options = TrainOptions {
        start: if resume { Start::Resume } else { Start::Fresh },
        memory: if ignore_memory { MemoryLimit::Ignore } else { MemoryLimit::Keep },
    };
    detached(py, || {
        let experiment = overrides::read(&experiment, &settings).map_err(raise_error)?;
        let watcher =
            Watcher { progress, is_stopped: Cell::new(false), failure: RefCell::new(None) };
        let outcome = roentgen_train::train(&experiment, &out, options, &device, &watcher);
        if let Some(failure) = watcher.failure.into_inner() {
            return Err(failure);
        }
        match outcome.map_err(raise_error)? {
            TrainOutcome::Finished(best) => {
                let listener = PythonListener::new(None);
                let calibrated = calibrate_finished(&out, &experiment, &[], &device, &listener);
                listener.finish(calibrated.map_err(raise))?;
                Ok(Some(json!(best).to_string()))
            }
            TrainOutcome::Interrupted => Ok(None),
        }
    })
}

/// Watches a run for Python.
struct Watcher {
    progress: Option<Py<PyAny>>,
    is_stopped: Cell<bool>,
    /// The exception that stopped the run.
    failure: RefCell<Option<PyErr>>,
}

impl Watcher {
    fn tell(&self, event: &str, values: &Value) {
        let Some(progress) = &self.progress else { return };
        let answer = Python::attach(|py| {
            let answer = progress.call1(py, (event, values.to_string()))?;
            Ok(answer.bind(py).extract::<bool>().is_ok_and(|go_on| !go_on))
        });
        match answer {
            Ok(stops) => self.is_stopped.set(self.is_stopped.get() || stops),
            Err(error) => self.fail(error),
        }
    }

    fn fail(&self, error: PyErr) {
        self.is_stopped.set(true);
        self.failure.borrow_mut().get_or_insert(error);
    }
}

impl Progress for Watcher {
    fn started(&self, plan: &RunPlan) {
        self.tell(
            "started",
            &json!({
                "epochs": plan.epochs,
                "steps": plan.steps,
                "train_films": plan.train_films,
                "valid_films": plan.valid_films,
                "parameters": plan.parameters,
            }),
        );
    }

    fn features(&self, done: usize, films: usize) {
        self.tell("features", &json!({ "done": done, "films": films }));
    }

    fn step(&self, epoch: usize, step: usize, loss: f64) {
        self.tell("step", &json!({ "epoch": epoch, "step": step, "loss": loss }));
    }

    fn validated(&self, epoch: usize, films: usize) {
        self.tell("validated", &json!({ "epoch": epoch, "done": films }));
    }

    fn epoch(&self, row: &EpochRow) {
        self.tell("epoch", &json!(row));
    }

    fn seconds(&self) -> f64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
    }

    fn peak_memory_mib(&self) -> Option<u64> {
        // The peak of the process is that of all that ran in it.
        None
    }

    fn is_interrupted(&self) -> bool {
        if let Err(error) = Python::attach(|py| py.check_signals()) {
            self.fail(error);
        }
        self.is_stopped.get()
    }
}

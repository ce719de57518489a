//! Passes what a task says to Python's logging, and its progress to a function.

use std::cell::RefCell;

use pyo3::prelude::*;
use roentgen_tasks::Listener;

/// Listens to a task for Python.
pub(crate) struct PythonListener {
    /// Called with the numbers of films done and in all.
    progress: Option<Py<PyAny>>,
    /// The first exception of a callback.
    failure: RefCell<Option<PyErr>>,
}

impl PythonListener {
    pub(crate) fn new(progress: Option<Py<PyAny>>) -> Self {
        Self { progress, failure: RefCell::new(None) }
    }

    /// Returns a result, or the exception that a callback raised meanwhile.
    pub(crate) fn finish<T>(self, result: PyResult<T>) -> PyResult<T> {
        match self.failure.into_inner() {
            Some(failure) => Err(failure),
            None => result,
        }
    }

    fn call(&self, call: impl FnOnce(Python<'_>) -> PyResult<()>) {
        if let Err(error) = Python::attach(call) {
            self.failure.borrow_mut().get_or_insert(error);
        }
    }
}

impl Listener for PythonListener {
    fn note(&self, line: &str) {
        self.call(|py| log(py, line));
    }

    fn hashed(&self, _done: u64, _bytes: u64) {}

    fn predicted(&self, done: usize, films: usize) {
        let Some(progress) = &self.progress else { return };
        self.call(|py| progress.call1(py, (done, films)).map(drop));
    }
}

/// Logs a line for the user.
fn log(py: Python<'_>, line: &str) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("roentgen",))?;
    let (level, line) = match line.strip_prefix("warning: ") {
        Some(warning) => ("warning", warning),
        None => ("info", line),
    };
    logger.call_method1(level, ("%s", line)).map(drop)
}

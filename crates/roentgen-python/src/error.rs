//! Errors of Rust as exceptions of Python.

use std::error::Error;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use roentgen_tasks::fault;

pyo3::create_exception!(
    roentgen,
    RoentgenError,
    PyException,
    "What the package could not do, and why."
);

/// Turns an error and its causes into an exception.
pub(crate) fn raise(error: impl Into<anyhow::Error>) -> PyErr {
    RoentgenError::new_err(format!("{:#}", error.into()))
}

/// Turns an error of a library and its causes into an exception.
pub(crate) fn raise_error<E: Error + Send + Sync + 'static>(error: E) -> PyErr {
    raise(anyhow::Error::new(error))
}

/// Does `work` without Python's lock, and raises an exception if it panics.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> PyResult<T> + Send,
) -> PyResult<T> {
    py.detach(|| fault::catch(|| Ok(work()))).map_err(raise)?
}

//! The native part of the Python package `roentgen`, in its module `roentgen._native`.
//!
//! It has plain values only: numbers, texts, bytes and tuples of them. The package in `python/` turns
//! them into NumPy arrays, pandas tables and PyTorch data sets, and has the docstrings, so that
//! neither NumPy's interface in C nor a version of Python is compiled in. Python's lock is released
//! while Rust works, and taken for each callback.

mod argument;
mod error;
mod evaluation;
mod film;
mod listener;
mod model;
mod prepared;
mod training;

use pyo3::prelude::*;

#[pymodule]
#[pyo3(name = "_native")]
mod native {
    #[pymodule_export]
    use super::error::RoentgenError;
    #[pymodule_export]
    use super::evaluation::{evaluate, write_report};
    #[pymodule_export]
    use super::film::{Film, films_below, overlay};
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::prepared::{PreparedFiles, phantom, prepare};
    #[pymodule_export]
    use super::training::train;
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        roentgen_tasks::fault::silence();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

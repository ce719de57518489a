//! Figures of score tables.

use std::path::PathBuf;

use pyo3::prelude::*;
use roentgen_eval::{BootstrapOptions, Scores};
use roentgen_tasks::evaluate::{EvaluateRequest, write_report as write};

use crate::error::{detached, raise, raise_error};
use crate::listener::PythonListener;

/// Computes the figures of a table; returns them as JSON, without their provenance.
#[pyfunction]
pub(crate) fn evaluate(
    py: Python<'_>,
    table: PathBuf,
    resamples: usize,
    seed: u64,
) -> PyResult<String> {
    detached(py, || {
        let scores = Scores::read(&table).map_err(raise_error)?;
        let options = BootstrapOptions { resamples, seed };
        let evaluation = roentgen_eval::evaluate(&scores, &options).map_err(raise_error)?;
        evaluation.to_json().map_err(raise_error)
    })
}

/// Writes the report of a table into a folder.
#[pyfunction]
#[pyo3(signature = (table, out, *, model, resamples, seed, date))]
pub(crate) fn write_report(
    py: Python<'_>,
    table: PathBuf,
    out: PathBuf,
    model: Option<PathBuf>,
    resamples: usize,
    seed: u64,
    date: String,
) -> PyResult<()> {
    detached(py, || {
        let scores = Scores::read(&table).map_err(raise_error)?;
        let request = EvaluateRequest {
            scores: &scores,
            path: &table,
            model: model.as_deref(),
            fit: None,
            prevalence: Default::default(),
            against: None,
            by_protocols: false,
            localization: None,
            date: Some(date),
        };
        let listener = PythonListener::new(None);
        let written = write(&request, &BootstrapOptions { resamples, seed }, &out, &listener);
        listener.finish(written.map(drop).map_err(raise))
    })
}

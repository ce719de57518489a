//! Data sets: phantoms, and prepared ones.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use roentgen_data::Finding;
use roentgen_data::manifest::{List, ManifestRow};
use roentgen_data::prepare::{self as preparation, PrepareProgress, PrepareSettings, Prepared};
use roentgen_data::selection::Selection;
use roentgen_data::split::{Split, SplitRule};
use roentgen_phantom::PhantomSettings;
use roentgen_resample::Filter;
use serde_json::json;

use crate::argument::named;
use crate::error::{detached, raise_error};

/// Prepares a data set; returns what was done, as JSON. `progress` gets the name of the step and the
/// numbers of films done and in all.
#[pyfunction]
#[pyo3(signature = (source, out, *, size, filter, labels, any_size, progress))]
#[expect(clippy::too_many_arguments, reason = "all but the first are named in Python")]
pub(crate) fn prepare(
    py: Python<'_>,
    source: PathBuf,
    out: PathBuf,
    size: u32,
    filter: &str,
    labels: Option<PathBuf>,
    any_size: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let name = |filter: Filter| match filter {
        Filter::Lanczos3 => "lanczos3",
        Filter::Bilinear => "bilinear",
        Filter::Box => "box",
    };
    let all = [Filter::Lanczos3, Filter::Bilinear, Filter::Box];
    let filter = named("filter", all, name, filter)?;
    let settings = PrepareSettings { size, filter, labels, any_size };
    let failure: Mutex<Option<PyErr>> = Mutex::new(None);
    let outcome = detached(py, || {
        let tell = |step: PrepareProgress| {
            let Some(progress) = &progress else { return };
            let (name, done, films) = match step {
                PrepareProgress::Checking(done, films) => ("checking", done, films),
                PrepareProgress::Packing(done, films) => ("packing", done, films),
                PrepareProgress::Sealing => ("sealing", 0, 0),
            };
            let called = Python::attach(|py| progress.call1(py, (name, done, films)).map(drop));
            if let Err(error) = called {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        };
        preparation::prepare(&source, &out, &settings, &tell).map_err(raise_error)
    });
    if let Some(failure) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(failure);
    }
    let outcome = outcome?;
    let document = json!({
        "prepared": outcome.description,
        "bad": outcome.bad,
        "duplicates": outcome.duplicates,
    });
    Ok(document.to_string())
}

/// The tables of a prepared data set.
#[pyclass(frozen, module = "roentgen._native")]
pub(crate) struct PreparedFiles(Prepared);

// Python's objects lie at no larger multiples.
const _: () = assert!(align_of::<PreparedFiles>() <= align_of::<usize>());

#[pymethods]
impl PreparedFiles {
    /// Opens a folder and checks that its files are those that `prepare` wrote.
    #[new]
    fn new(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        detached(py, || Prepared::open(&folder).map(Self).map_err(raise_error))
    }

    /// What `prepare.toml` says, as JSON.
    fn describe(&self) -> String {
        json!(self.0.description).to_string()
    }

    /// The columns of the manifest.
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let rows = &self.0.rows;
        let columns = PyDict::new(py);
        let texts = |of: fn(&ManifestRow) -> &str| rows.iter().map(of).collect::<Vec<_>>();
        columns.set_item("image", texts(|row| &row.image))?;
        columns.set_item("patient", rows.iter().map(|row| row.patient).collect::<Vec<_>>())?;
        columns.set_item("follow_up", rows.iter().map(|row| row.follow_up).collect::<Vec<_>>())?;
        columns.set_item("age", rows.iter().map(|row| row.age).collect::<Vec<_>>())?;
        columns.set_item("sex", texts(|row| &row.sex))?;
        columns.set_item("view", texts(|row| &row.view))?;
        columns.set_item("list", texts(|row| row.list.map_or("", name_of_list)))?;
        Ok(columns)
    }

    /// Labels, `[films, findings]` of 0 and 1, one byte each, and the names of the findings.
    fn labels<'py>(&self, py: Python<'py>) -> (Vec<&'static str>, Bound<'py, PyBytes>) {
        let label = |row: &ManifestRow| Finding::ALL.map(|of| u8::from(row.findings.contains(of)));
        let labels: Vec<u8> = self.0.rows.iter().flat_map(label).collect();
        (Finding::ALL.map(Finding::name).to_vec(), PyBytes::new(py, &labels))
    }

    /// The split of each film, `None` for one that is not used.
    fn splits(
        &self,
        py: Python<'_>,
        rule: &str,
        leaky: bool,
        seed: u64,
    ) -> PyResult<Vec<Option<&'static str>>> {
        let all = [SplitRule::Official, SplitRule::ByPatient, SplitRule::ByImage];
        let split = named("rule", all, SplitRule::name, rule)?;
        let selection = Selection { split, leaky, ..Selection::OFFICIAL };
        let sides = detached(py, || {
            selection.sides(&self.0.rows, &Finding::ALL, seed).map_err(raise_error)
        })?;
        Ok(sides.into_iter().map(|side| side.map(Split::name)).collect())
    }
}

fn name_of_list(list: List) -> &'static str {
    match list {
        List::TrainVal => "train_val",
        List::Test => "test",
        List::Train => "train",
        List::Valid => "valid",
    }
}

/// Draws synthetic films in the NIH layout; returns the numbers of films and patients.
#[pyfunction]
pub(crate) fn phantom(
    py: Python<'_>,
    out: PathBuf,
    films: usize,
    size: u32,
    seed: u64,
) -> PyResult<(usize, usize)> {
    let settings = PhantomSettings { films, size, seed };
    detached(py, || {
        let counts = roentgen_phantom::write(&out, &settings, &|_| ()).map_err(raise_error)?;
        Ok((counts.films, counts.patients))
    })
}

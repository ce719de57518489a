//! Films between Python and a model.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use roentgen_data::nih;
use roentgen_data::pixels::Plane;
use roentgen_eval::HeatMap;
use roentgen_models::Method;
use roentgen_models::overlay as drawing;
use roentgen_tasks::{FilmReader, sources};

use crate::argument::parsed;
use crate::error::{detached, raise_error};

/// What a film is read from.
#[derive(FromPyObject)]
pub(crate) enum Source {
    /// Gray values row by row, height and width.
    Gray(PyBackedBytes, u32, u32),
    /// The content of a file.
    Content(PyBackedBytes),
    /// A file.
    File(PathBuf),
}

/// A film that was read for a model.
#[pyclass(frozen, module = "roentgen._native")]
pub(crate) struct Film(pub(crate) roentgen_tasks::Film);

// Python's objects lie at no larger multiples.
const _: () = assert!(align_of::<Film>() <= align_of::<usize>());

#[pymethods]
impl Film {
    /// Height and width in pixels.
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// `size * size` gray values, row by row.
    #[getter]
    fn pixels<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.pixels())
    }

    /// How the film lay before it was corrected.
    #[getter]
    fn correction(&self) -> Option<String> {
        self.0.correction().map(|position| position.to_string())
    }
}

impl Source {
    pub(crate) fn read(&self, reader: FilmReader) -> Result<roentgen_tasks::Film, sources::Error> {
        match self {
            Self::File(path) => reader.read_file(path),
            Self::Content(bytes) => reader.read_bytes(bytes),
            &Self::Gray(ref pixels, height, width) => {
                reader.read_plane(Plane { width, height, pixels: pixels.to_vec() })
            }
        }
    }
}

/// Lists the films below a folder, as `predict` finds them.
#[pyfunction]
pub(crate) fn films_below(py: Python<'_>, folder: PathBuf) -> PyResult<Vec<PathBuf>> {
    let paths = detached(py, || nih::walk(&folder).map_err(raise_error))?;
    Ok(paths.into_iter().filter(|path| nih::holds_film(path)).collect())
}

/// Draws a map over a film: `size * size` pixels of red, green and blue.
#[pyfunction]
pub(crate) fn overlay<'py>(
    py: Python<'py>,
    film: &Film,
    height: usize,
    width: usize,
    values: Vec<f32>,
    method: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    if values.len() != height * width || values.is_empty() {
        let problem = format!("a map has {} values, but {height} rows of {width}", values.len());
        return Err(PyValueError::new_err(problem));
    }
    let map = HeatMap { height, width, values };
    let ends = match parsed("method", method)? {
        Method::Attention => drawing::mask_ends(&map),
        Method::Cam | Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => {
            drawing::evidence_ends(&map)
        }
    };
    let size = film.0.size() as u32;
    let plane = Plane { width: size, height: size, pixels: film.0.pixels().to_vec() };
    Ok(PyBytes::new(py, &drawing::overlay(&plane, &map, ends)))
}

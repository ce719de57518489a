//! A loaded model.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyList};
use rayon::prelude::*;
use roentgen_data::split::Split;
use roentgen_eval::{CalibrationMethod, OperatingRule};
use roentgen_models::explainer::WantedMap;
use roentgen_models::{Method, Precision};
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::predict::{self, PredictRequest};
use roentgen_tasks::sources::Privacy;
use roentgen_tasks::{ClassifierOptions, FilmClassifier, FilmPrediction, FilmReader, Shard};
use serde_json::{Map, json};

use crate::argument::{device, gate, named, parsed};
use crate::error::{detached, raise};
use crate::film::{Film, Source};
use crate::listener::PythonListener;

/// A loaded model, which threads use in turn; they read films at the same time.
#[pyclass(frozen, module = "roentgen._native")]
pub(crate) struct Model {
    // Boxed, because parts of it must lie at multiples of 64 bytes, and Python's objects do not.
    classifier: Box<Mutex<FilmClassifier>>,
    reader: FilmReader,
    path: PathBuf,
    device: Box<Device>,
}

const _: () = assert!(align_of::<Model>() <= align_of::<usize>());

/// Probabilities, calibrated probabilities and calls, each `[films, findings]` in double precision;
/// what is unknown is not a number.
type Columns<'py> = [Bound<'py, PyByteArray>; 3];

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (path, *, engine, operating_point, calibration, gate, device))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        engine: &str,
        operating_point: &str,
        calibration: Option<&str>,
        gate: &str,
        device: &str,
    ) -> PyResult<Self> {
        let calibration = calibration.map(|name| {
            named("calibration", CalibrationMethod::ALL, CalibrationMethod::name, name)
        });
        let options = ClassifierOptions {
            engine: parsed::<EngineChoice>("engine", engine)?,
            operating_point: named(
                "operating_point",
                OperatingRule::ALL,
                OperatingRule::name,
                operating_point,
            )?,
            calibration: calibration.transpose()?,
            gate: self::gate(gate)?,
        };
        let device = self::device(device)?;
        detached(py, || {
            let listener = PythonListener::new(None);
            let opened = FilmClassifier::open(&path, &options, &device, &listener);
            let classifier = listener.finish(opened.map_err(raise))?;
            let reader = classifier.reader();
            let classifier = Box::new(Mutex::new(classifier));
            Ok(Self { classifier, reader, path, device: Box::new(device) })
        })
    }

    /// What the model says of itself, as JSON.
    fn describe(&self, py: Python<'_>) -> String {
        py.detach(|| {
            let classifier = self.classifier();
            let description = classifier.description();
            let thresholds: Map<_, _> = description
                .findings
                .iter()
                .filter_map(|&finding| {
                    let threshold = classifier.threshold(finding)?;
                    Some((finding.name().to_owned(), json!(threshold)))
                })
                .collect();
            let pool = description.network.pool;
            let methods: Vec<&str> = Method::ALL
                .into_iter()
                .filter(|method| method.check(pool).is_ok())
                .map(Method::name)
                .collect();
            json!({
                "findings": description.findings,
                "size": description.input.size,
                "channels": description.input.channels,
                "architecture": description.network.architecture.name(),
                "identity": classifier.identity(),
                "engine": classifier.engine(),
                "calibration": classifier.calibration().map(CalibrationMethod::name),
                "operating_point": classifier.options().operating_point.name(),
                "thresholds": thresholds,
                "methods": methods,
                "method": Method::default_for(pool).name(),
                "trained_on": description.training.as_ref().map(|of| of.dataset.to_string()),
            })
            .to_string()
        })
    }

    /// Reads films on all cores; a film that cannot be used is its reason.
    fn read<'py>(&self, py: Python<'py>, films: Vec<Source>) -> PyResult<Bound<'py, PyList>> {
        let read: Vec<_> =
            detached(py, || Ok(films.par_iter().map(|film| film.read(self.reader)).collect()))?;
        let list = PyList::empty(py);
        for film in read {
            match film {
                Ok(film) => list.append(Film(film))?,
                Err(reason) => list.append(reason.to_string())?,
            }
        }
        Ok(list)
    }

    /// Predicts films as one batch.
    fn predict<'py>(&self, py: Python<'py>, films: Vec<Py<Film>>) -> PyResult<Columns<'py>> {
        let films = unwrapped(&films);
        let predicted = detached(py, || self.classifier().predict(&films).map_err(raise))?;
        Ok(columns(py, &predicted))
    }

    /// Predicts films as one batch and computes maps, each of a film and an output: height, width
    /// and values in single precision.
    #[expect(clippy::type_complexity, reason = "plain values for Python")]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        films: Vec<Py<Film>>,
        method: &str,
        wanted: Vec<(usize, usize)>,
    ) -> PyResult<(Columns<'py>, Vec<(usize, usize, Bound<'py, PyByteArray>)>)> {
        let method = parsed::<Method>("method", method)?;
        let films = unwrapped(&films);
        let wanted: Vec<WantedMap> =
            wanted.into_iter().map(|(film, output)| WantedMap { film, output }).collect();
        let explained = detached(py, || {
            self.classifier().explain(&films, Some(method), &wanted).map_err(raise)
        });
        let (predicted, maps) = explained?;
        let maps = maps.iter().map(|map| {
            let bytes: Vec<u8> = map.values.iter().flat_map(|value| value.to_ne_bytes()).collect();
            (map.height, map.width, PyByteArray::new(py, &bytes))
        });
        Ok((columns(py, &predicted), maps.collect()))
    }

    /// Predicts inputs of the command line and writes their score table; returns what was done, as
    /// JSON.
    #[pyo3(signature = (inputs, out, *, split, batch, progress))]
    fn write_scores(
        &self,
        py: Python<'_>,
        inputs: Vec<PathBuf>,
        out: PathBuf,
        split: Option<&str>,
        batch: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let all = [Split::Train, Split::Valid, Split::Test];
        let split = split.map(|name| named("split", all, Split::name, name)).transpose()?;
        detached(py, || {
            let options = *self.classifier().options();
            let request = PredictRequest {
                model: &self.path,
                inputs: &inputs,
                split,
                batch,
                engine: options.engine,
                precision: Precision::F32,
                onnx: None,
                operating_point: options.operating_point,
                calibration: options.calibration,
                gate: options.gate,
                privacy: &Privacy::Named,
                shard: Shard::WHOLE,
            };
            let listener = PythonListener::new(progress);
            let table = predict::table(&request, &self.device, &listener);
            let table = listener.finish(table.map_err(raise))?;
            roentgen_data::files::create_folder_of(&out).map_err(raise)?;
            table.scores.write(&out).map_err(raise)?;
            let document = json!({
                "out": out,
                "films": table.scores.len(),
                "engine": table.engine,
                "bad": table.predicted.bad,
                "corrected": table.predicted.corrected,
            });
            Ok(document.to_string())
        })
    }
}

impl Model {
    fn classifier(&self) -> MutexGuard<'_, FilmClassifier> {
        self.classifier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwrapped(films: &[Py<Film>]) -> Vec<roentgen_tasks::Film> {
    films.iter().map(|film| film.get().0.clone()).collect()
}

fn columns<'py>(py: Python<'py>, films: &[FilmPrediction]) -> Columns<'py> {
    let column = |of: fn(&roentgen_tasks::FindingPrediction) -> Option<f64>| {
        let findings = films.iter().flat_map(|film| &film.findings);
        let values = findings.map(|finding| of(finding).unwrap_or(f64::NAN));
        let bytes: Vec<u8> = values.flat_map(f64::to_ne_bytes).collect();
        PyByteArray::new(py, &bytes)
    };
    [
        column(|finding| Some(finding.probability)),
        column(|finding| finding.calibrated),
        column(|finding| finding.call.map(|call| f64::from(u8::from(call)))),
    ]
}

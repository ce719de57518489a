//! A loaded model that predicts films in memory, for a server and for other languages.
//!
//! A film passes the same gate, decoder and resampling as a film of [`predict`](mod@crate::predict),
//! and the numbers are those of its score table for a batch of the same films: the last digits of a
//! prediction may depend on the other films of its batch.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::gate::Position;
use roentgen_data::pixels::{self, FilmFile, Plane};
use roentgen_eval::{CalibrationMethod, FindingCalibration, HeatMap, OperatingRule, decimal};
use roentgen_models::explainer::WantedMap;
use roentgen_models::predictor::Prediction;
use roentgen_models::{Explainer, Method, ModelInfo};

use crate::batch::check_batch;
use crate::engine::{Engine, EngineChoice};
use crate::listener::Listener;
use crate::predict::calibration_method;
use crate::sources::{self, Gate};

/// How films are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassifierOptions {
    /// The engine. The number of films is not known beforehand, so `auto` is Burn.
    pub engine: EngineChoice,
    /// The operating point of the calls, if the model has thresholds.
    pub operating_point: OperatingRule,
    /// The method of the calibrated probabilities, which the model must then have; by default Platt
    /// scaling, if the model has it.
    pub calibration: Option<CalibrationMethod>,
    /// What happens to films that do not look like upright frontal chest films.
    pub gate: Gate,
}

/// A loaded model.
pub struct FilmClassifier {
    engine: Engine,
    options: ClassifierOptions,
    method: CalibrationMethod,
    /// Loaded when the first map is asked for.
    explainer: Option<Explainer>,
    model: PathBuf,
    device: Device,
}

/// Reads films as a model takes them. It needs no model, so any number of threads can read while
/// another predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmReader {
    gate: Gate,
    size: usize,
}

/// A film that was read for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    size: usize,
    /// `size * size` values.
    pixels: Vec<u8>,
    correction: Option<Position>,
}

/// The prediction of a film.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmPrediction {
    /// The findings, in the order of the model.
    pub findings: Vec<FindingPrediction>,
    /// The attention mask in 0..1, if the model has one.
    pub mask: Option<HeatMap>,
}

/// The prediction of a finding on a film.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FindingPrediction {
    /// The finding.
    pub finding: Finding,
    /// Its probability, as the [decimal] of score tables.
    pub probability: f64,
    /// Its calibrated probability, if the model has a calibration of the finding.
    pub calibrated: Option<f64>,
    /// The threshold of the call, if the model has one for the finding.
    pub threshold: Option<f64>,
    /// Whether the probability is at least the threshold.
    pub call: Option<bool>,
}

impl FilmReader {
    /// Returns the reader for a model whose films have `size` x `size` pixels.
    pub fn new(gate: Gate, size: usize) -> Self {
        Self { gate, size }
    }

    /// Reads a PNG, JPEG or DICOM file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be decoded, or if the gate refuses the film.
    pub fn read_file(&self, path: &Path) -> Result<Film, sources::Error> {
        self.film(self.gate.input(FilmFile::open(path)?, self.size))
    }

    /// Reads the bytes of a PNG, JPEG or DICOM file.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be decoded, or if the gate refuses the film.
    pub fn read_bytes(&self, bytes: &[u8]) -> Result<Film, sources::Error> {
        self.film(self.gate.input(FilmFile::from_bytes(bytes), self.size))
    }

    /// Reads the bytes of a PNG, JPEG or DICOM file for the model and, for drawing, in its own size.
    ///
    /// # Errors
    ///
    /// Returns an error if the bytes cannot be decoded, or if the gate refuses the film.
    pub fn read_whole(&self, bytes: &[u8]) -> Result<(Film, Plane), sources::Error> {
        let read = self.gate.whole(FilmFile::from_bytes(bytes), self.size)?;
        let film = self.film(Ok((read.input, read.correction)))?;
        Ok((film, read.own))
    }

    /// Reads a picture that is decoded already; bones are white, as in NIH's films.
    ///
    /// # Errors
    ///
    /// Returns an error if the picture does not have `height * width` pixels, or if the gate refuses
    /// the film.
    pub fn read_plane(&self, plane: Plane) -> Result<Film, sources::Error> {
        let Plane { width, height, .. } = plane;
        let count = plane.pixels.len();
        if u64::from(width) * u64::from(height) != count as u64 {
            let problem = format!("it has {count} pixels, but {height} rows of {width}");
            return Err(pixels::Error::Resize(problem).into());
        }
        self.film(self.gate.plane(plane, self.size))
    }

    fn film(
        &self,
        read: Result<(Vec<u8>, Option<Position>), sources::Error>,
    ) -> Result<Film, sources::Error> {
        read.map(|(pixels, correction)| Film { size: self.size, pixels, correction })
    }
}

impl Film {
    /// Returns the pixels that the network sees, `[size, size]`, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns height and width in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns how the film lay before it was corrected, if it was.
    pub fn correction(&self) -> Option<Position> {
        self.correction
    }
}

impl FilmClassifier {
    /// Loads the model in the folder `model`, which may be a bundle.
    ///
    /// # Errors
    ///
    /// Returns an error if the model cannot be loaded, if it lacks the calibration that was asked
    /// for, if its calibration was fitted for another model, or if the engine is missing.
    pub fn open(
        model: &Path,
        options: &ClassifierOptions,
        device: &Device,
        listener: &dyn Listener,
    ) -> anyhow::Result<Self> {
        let description = ModelInfo::read(model)?;
        let method = calibration_method(&description, options.calibration, model)?;
        let engine = Engine::load(model, options.engine, 0, false, device, listener)?;
        check_calibration(&description, engine.identity(), model)?;
        Ok(Self {
            engine,
            options: *options,
            method,
            explainer: None,
            model: model.to_owned(),
            device: device.clone(),
        })
    }

    /// Returns what reads films for this model.
    pub fn reader(&self) -> FilmReader {
        FilmReader::new(self.options.gate, self.description().input.size)
    }

    /// Returns what the model says of itself.
    pub fn description(&self) -> &ModelInfo {
        self.engine.description()
    }

    /// Returns the identity of the model, as score tables have it.
    pub fn identity(&self) -> &str {
        self.engine.identity()
    }

    /// Returns the engine in words.
    pub fn engine(&self) -> String {
        self.engine.to_string()
    }

    /// Returns the options.
    pub fn options(&self) -> &ClassifierOptions {
        &self.options
    }

    /// Returns the method of the calibrated probabilities; `None` if the model has no calibration.
    pub fn calibration(&self) -> Option<CalibrationMethod> {
        self.description().calibration.as_ref().map(|_| self.method)
    }

    /// Returns the threshold of the calls of a finding; `None` if the model has none.
    pub fn threshold(&self, finding: Finding) -> Option<f64> {
        self.fitted(finding)?.thresholds.get(&self.options.operating_point).copied()
    }

    /// Predicts films as one batch.
    ///
    /// # Errors
    ///
    /// Returns an error if a film was read for a model of another size, if the batch does not fit
    /// into memory, if the engine fails, or if a probability is not a number.
    pub fn predict(&mut self, films: &[Film]) -> anyhow::Result<Vec<FilmPrediction>> {
        let planes = self.planes(films)?;
        let predictions = self.engine.predict(&planes)?;
        predictions.into_iter().map(|prediction| self.describe(prediction)).collect()
    }

    /// Predicts films as one batch and computes heat maps of them, each of a film and an output. The
    /// values of a map are in units of the logit for all methods but attention, whose mask is the
    /// same for all outputs. Maps are computed by Burn, whatever the engine is.
    ///
    /// # Errors
    ///
    /// Returns an error as [`predict`](Self::predict) does, if the head of the model does not allow
    /// the method, or if a wanted film or output does not exist.
    pub fn explain(
        &mut self,
        films: &[Film],
        method: Option<Method>,
        wanted: &[WantedMap],
    ) -> anyhow::Result<(Vec<FilmPrediction>, Vec<HeatMap>)> {
        let pool = self.description().network.pool;
        let method = method.unwrap_or_else(|| Method::default_for(pool));
        method.check(pool)?;
        let outputs = self.description().findings.len();
        let is_there = |map: &WantedMap| map.film < films.len() && map.output < outputs;
        if let Some(map) = wanted.iter().find(|map| !is_there(map)) {
            bail!(
                "there are {} films and {outputs} findings, which do not include film {} and \
                 finding {}, counted from 0",
                films.len(),
                map.film,
                map.output
            );
        }
        let planes = self.planes(films)?;
        if planes.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let predictions = self.engine.predict(&planes)?;
        let explainer = match &mut self.explainer {
            Some(explainer) => explainer,
            none => none.insert(explainer(&self.engine, &self.model, &self.device)?),
        };
        let maps = heat_maps(explainer, &planes, method, wanted)?;
        let predictions: anyhow::Result<_> =
            predictions.into_iter().map(|prediction| self.describe(prediction)).collect();
        Ok((predictions?, maps))
    }

    /// Returns what explains this model, apart from it. With Burn both share the weights; with ONNX
    /// Runtime they are read again.
    ///
    /// # Errors
    ///
    /// Returns an error if the files of the model cannot be read, or were replaced since.
    pub fn explainer(&self) -> anyhow::Result<Explainer> {
        explainer(&self.engine, &self.model, &self.device)
    }

    /// Returns the pixels of films that this model can take as one batch.
    fn planes<'a>(&self, films: &'a [Film]) -> anyhow::Result<Vec<&'a [u8]>> {
        let size = self.description().input.size;
        if let Some(film) = films.iter().find(|film| film.size != size) {
            bail!("a film was read at {} px, but the model takes {size} px", film.size);
        }
        check_batch(self.description(), films.len(), films.len(), &self.device)?;
        Ok(films.iter().map(Film::pixels).collect())
    }

    fn fitted(&self, finding: Finding) -> Option<&FindingCalibration> {
        self.description().calibration.as_ref()?.finding(finding.name())
    }

    fn describe(&self, prediction: Prediction) -> anyhow::Result<FilmPrediction> {
        let findings = self.description().findings.iter().zip(&prediction.probabilities);
        let describe = |(&finding, &probability): (&Finding, &f32)| {
            if !(0.0..=1.0).contains(&probability) {
                bail!("the probability of {finding} is {probability}, which is not in 0..1");
            }
            let fitted = self.fitted(finding);
            let probability = decimal(probability);
            Ok(FindingPrediction {
                finding,
                probability,
                calibrated: fitted.and_then(|fitted| fitted.apply(self.method, probability)),
                threshold: self.threshold(finding),
                call: fitted
                    .and_then(|fitted| fitted.call(self.options.operating_point, probability)),
            })
        };
        let findings = findings.map(describe).collect::<anyhow::Result<_>>()?;
        Ok(FilmPrediction { findings, mask: prediction.mask })
    }
}

/// Refuses a calibration that was fitted for another model.
pub(crate) fn check_calibration(
    description: &ModelInfo,
    identity: &str,
    model: &Path,
) -> anyhow::Result<()> {
    let fitted_for = description.calibration.as_ref().and_then(|fitted| fitted.model.as_ref());
    if let Some(other) = fitted_for.filter(|other| *other != identity) {
        bail!(
            "calibration and thresholds of `{}` were fitted for the model `{other}`, but it is \
             `{identity}`; `roentgen calibrate` fits them again",
            model.display()
        );
    }
    Ok(())
}

/// Returns what explains the model of an engine.
fn explainer(engine: &Engine, model: &Path, device: &Device) -> anyhow::Result<Explainer> {
    let explainer = match engine {
        Engine::Burn(predictor) => Explainer::of(predictor),
        Engine::Onnx(..) => Explainer::load(model, device).context("could not explain")?,
    };
    if explainer.identity != engine.identity() {
        bail!("the model in `{}` was replaced while it was loaded; load it again", model.display());
    }
    Ok(explainer)
}

/// Computes heat maps of planes of the model's size.
///
/// # Errors
///
/// Returns an error if the GPU failed, which leaves unwritten memory behind.
///
/// # Panics
///
/// Panics if a plane has another size, or if the head does not allow the method.
pub fn heat_maps(
    explainer: &Explainer,
    planes: &[&[u8]],
    method: Method,
    wanted: &[WantedMap],
) -> anyhow::Result<Vec<HeatMap>> {
    let look = explainer.look(planes);
    let maps = explainer.maps(method, &look, wanted);
    match roentgen_kernels::failure() {
        Some(failure) => bail!("the GPU failed: {failure}"),
        None => Ok(maps),
    }
}

#[cfg(test)]
mod tests;

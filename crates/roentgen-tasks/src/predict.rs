//! Predicts films, and makes their score table.

mod auroc;
mod picture;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use rayon::prelude::*;
use roentgen_data::gate::Position;
use roentgen_data::prepare::BadFilm;
use roentgen_data::split::Split;
use roentgen_eval::{CalibrationMethod, OperatingRule, ScoredFinding, Scores};
use roentgen_models::predictor::Prediction;
use roentgen_models::{ModelInfo, Precision};
use serde::Serialize;

use crate::batch::check_batch;
use crate::engine::{Engine, EngineChoice, check_precision};
use crate::listener::Listener;
use crate::shard::Shard;
use crate::sources::{Gate, Privacy, SourceFilm, Sources};

pub use auroc::{PredictedAuroc, auroc};
pub use picture::picture;

/// What to predict, and how.
#[derive(Clone, Debug)]
pub struct PredictRequest<'a> {
    /// Run directory, bundle, or another folder that holds `model.toml` and `model.bpk`.
    pub model: &'a Path,
    /// Films, folders of films, or prepared data sets.
    pub inputs: &'a [PathBuf],
    /// The split of a prepared data set; all films if there is none.
    pub split: Option<Split>,
    /// Films in a batch.
    pub batch: usize,
    /// The engine.
    pub engine: EngineChoice,
    /// The type in which Burn stores activations: another than single precision needs an NVIDIA GPU.
    pub precision: Precision,
    /// An ONNX file that was made of the exported model, to be predicted with by ONNX Runtime instead
    /// of the model's own network.
    pub onnx: Option<&'a Path>,
    /// The operating point of the calls, if the model has thresholds.
    pub operating_point: OperatingRule,
    /// The method of the calibrated probabilities, which the model must then have; by default Platt
    /// scaling, if the model has it.
    pub calibration: Option<CalibrationMethod>,
    /// What happens to files that do not look like upright frontal chest films.
    pub gate: Gate,
    /// Whether what is written may say whose films they are.
    pub privacy: &'a Privacy,
    /// The part of the films to predict. It consists of whole batches, because the last digits of a
    /// prediction may depend on the other films of its batch.
    pub shard: Shard,
}

/// The predictions of a model.
pub struct Predicted {
    /// The films.
    pub sources: Sources,
    /// The number of each film in `sources` with its prediction, without the bad films.
    pub predictions: Vec<(usize, Prediction)>,
    /// The films that could not be read, or that the input gate refuses.
    pub bad: Vec<BadFilm>,
    /// The films that were corrected.
    pub corrected: Vec<CorrectedFilm>,
}

/// A film that was turned or inverted before it was predicted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CorrectedFilm {
    /// The name of the film.
    pub image: String,
    /// What it was, such as `upside down`.
    pub was: String,
}

/// Films that are not read as they are.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    pub(crate) bad: Vec<BadFilm>,
    pub(crate) corrected: Vec<CorrectedFilm>,
}

/// The score table of a [`PredictRequest`].
pub struct PredictedTable {
    /// The table, which lacks the bad films.
    pub scores: Scores,
    /// The films and predictions of which it was made, in the same order.
    pub predicted: Predicted,
    /// The thresholds of the calls, by finding; a finding without one has no call.
    pub thresholds: BTreeMap<String, f64>,
    /// The operating point of these thresholds.
    pub operating_point: OperatingRule,
    /// The method of the calibrated probabilities; `None` if the model has no calibration.
    pub calibration: Option<CalibrationMethod>,
    /// Identity of the model.
    pub model: String,
    /// The engine in words.
    pub engine: String,
}

/// Predicts the films of a request.
///
/// # Errors
///
/// Returns an error if the model or an input cannot be opened, if the model lacks the calibration
/// that was asked for, if no film can be read, or if the engine fails.
pub fn table(
    request: &PredictRequest<'_>,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<PredictedTable> {
    let choice = request.onnx.map_or(request.engine, |_| EngineChoice::Onnx);
    check_precision(request.precision, choice, device)?;
    let description = ModelInfo::read(request.model)?;
    let method = calibration_method(&description, request.calibration, request.model)?;
    let sources = open(request, &description, listener)?.with_gate(request.gate);
    let (films, are_decoded) = (sources.films.len(), sources.are_decoded());
    check_batch(&description, request.batch, films, device)?;
    let engine = match request.onnx {
        Some(file) => Engine::onnx_file(request.model, file, are_decoded)?,
        None => Engine::load(request.model, request.engine, films, are_decoded, device, listener)?,
    };
    let mut engine = engine.with_precision(request.precision, device)?;
    let predicted = predict(&mut engine, sources, request.batch, request.shard, listener)?;
    if predicted.predictions.is_empty() {
        for film in &predicted.bad {
            listener.note(&format!("skipped {}: {}", film.image, film.reason));
        }
        bail!("none of the {} films could be predicted", predicted.bad.len());
    }
    let scores = scores(&predicted, &engine, method, request.operating_point)?;
    let fitted = description.calibration.iter().flat_map(|fitted| &fitted.findings);
    let thresholds = fitted
        .filter_map(|finding| {
            let threshold = finding.thresholds.get(&request.operating_point)?;
            Some((finding.finding.clone(), *threshold))
        })
        .collect();
    Ok(PredictedTable {
        scores,
        predicted,
        thresholds,
        operating_point: request.operating_point,
        calibration: description.calibration.as_ref().map(|_| method),
        model: engine.identity().to_owned(),
        engine: engine.to_string(),
    })
}

fn open(
    request: &PredictRequest<'_>,
    description: &ModelInfo,
    listener: &dyn Listener,
) -> anyhow::Result<Sources> {
    let PredictRequest { model, inputs, split, privacy, .. } = *request;
    Sources::open(model, description, inputs, split, privacy, listener)
}

/// Makes the score table of predictions, with calibrated probabilities and calls if the model has a
/// calibration.
///
/// # Errors
///
/// Returns an error if nothing was predicted, if a probability is not a number, or if the
/// calibration does not fit the model.
pub(crate) fn scores(
    predicted: &Predicted,
    engine: &Engine,
    method: CalibrationMethod,
    operating_point: OperatingRule,
) -> anyhow::Result<Scores> {
    let description = engine.description();
    let scores = predicted.scores(description, engine.identity())?;
    annotate(&scores, description, method, operating_point)
}

/// Adds calibrated probabilities and calls to a table if the model has a calibration.
///
/// # Errors
///
/// Returns an error if the calibration does not fit the model.
pub(crate) fn annotate(
    scores: &Scores,
    description: &ModelInfo,
    method: CalibrationMethod,
    operating_point: OperatingRule,
) -> anyhow::Result<Scores> {
    match &description.calibration {
        Some(fitted) => fitted.annotate(scores, method, operating_point).context(
            "the calibration of the model cannot be used; `roentgen calibrate` fits it again",
        ),
        None => Ok(scores.clone()),
    }
}

/// Returns the method of the calibrated probabilities, and refuses one that the model has for none of
/// its findings; Platt scaling if none is asked for.
pub(crate) fn calibration_method(
    description: &ModelInfo,
    asked: Option<CalibrationMethod>,
    model: &Path,
) -> anyhow::Result<CalibrationMethod> {
    let Some(method) = asked else { return Ok(CalibrationMethod::Platt) };
    if description.calibration.as_ref().is_some_and(|fitted| fitted.has(method)) {
        return Ok(method);
    }
    let flag = match method {
        CalibrationMethod::Isotonic => " --isotonic",
        CalibrationMethod::Platt | CalibrationMethod::Temperature => "",
    };
    let model = model.display();
    bail!(
        "`{model}` has no calibration by `{}`, which `--calibration` asks for; `roentgen calibrate \
         {model}{flag}` fits it to the validation films of a run",
        method.name()
    )
}

/// Predicts the films of a part, and decodes each batch on all cores before it passes through the
/// network.
pub fn predict(
    engine: &mut Engine,
    sources: Sources,
    batch: usize,
    shard: Shard,
    listener: &dyn Listener,
) -> anyhow::Result<Predicted> {
    let size = engine.description().input.size;
    let mut predictions = Vec::with_capacity(sources.films.len());
    let mut exceptions = Exceptions::default();
    let mut done = 0;
    let numbers: Vec<usize> = (0..sources.films.len()).collect();
    let batches: Vec<&[usize]> = numbers.chunks(batch).collect();
    let batches = &batches[shard.range(batches.len())];
    let asked: usize = batches.iter().map(|numbers| numbers.len()).sum();
    if asked == 0 {
        bail!(
            "part {shard} contains no films: there are {} films, in batches of {batch}; divide them \
             into fewer parts, or give a smaller `--batch`",
            numbers.len()
        );
    }
    if shard != Shard::WHOLE {
        listener.note(&format!("part {shard}: {asked} of {} films", numbers.len()));
    }
    for numbers in batches {
        let good = read(&sources, numbers, size, &mut exceptions);
        let films: Vec<&[u8]> = good.iter().map(|(_, plane)| plane.as_slice()).collect();
        let predicted = engine.predict(&films)?;
        predictions.extend(good.iter().map(|(number, _)| *number).zip(predicted));
        done += numbers.len();
        listener.predicted(done, asked);
    }
    let Exceptions { bad, corrected } = exceptions;
    Ok(Predicted { sources, predictions, bad, corrected })
}

/// Reads films by number on all cores; returns those that can be used, and lists the others and the
/// corrected.
pub(crate) fn read(
    sources: &Sources,
    numbers: &[usize],
    size: usize,
    exceptions: &mut Exceptions,
) -> Vec<(usize, Vec<u8>)> {
    let inputs: Vec<_> =
        numbers.par_iter().map(|&number| sources.input(&sources.films[number], size)).collect();
    let mut good = Vec::new();
    for (&number, input) in numbers.iter().zip(inputs) {
        let image = || sources.films[number].image.clone();
        match input {
            Ok((pixels, correction)) => {
                good.push((number, pixels));
                let corrected =
                    |was: Position| CorrectedFilm { image: image(), was: was.to_string() };
                exceptions.corrected.extend(correction.map(corrected));
            }
            Err(error) => {
                exceptions.bad.push(BadFilm { image: image(), reason: error.to_string() });
            }
        }
    }
    good
}

impl Predicted {
    /// Makes the score table of the films.
    ///
    /// # Errors
    ///
    /// Returns an error if there are no films, or if a probability is not a number.
    pub fn scores(&self, description: &ModelInfo, identity: &str) -> anyhow::Result<Scores> {
        let films: Vec<&SourceFilm> =
            self.predictions.iter().map(|(number, _)| &self.sources.films[*number]).collect();
        let findings = description.findings.iter().enumerate().map(|(output, &finding)| {
            let probabilities: Vec<f32> =
                self.predictions.iter().map(|(_, film)| film.probabilities[output]).collect();
            let labels = films
                .iter()
                .map(|film| film.findings.map(|shown| shown.contains(finding)))
                .collect();
            ScoredFinding::from_f32(finding.name(), &probabilities, labels)
        });
        let column =
            |cell: &dyn Fn(&SourceFilm) -> String| films.iter().map(|film| cell(film)).collect();
        let scores = Scores::new(
            column(&|film| film.image.clone()),
            column(&|film| film.patient.clone()),
            findings.collect(),
        )?;
        let in_training = |film: &SourceFilm| {
            film.patient_in_training.map_or_else(String::new, |is| u8::from(is).to_string())
        };
        Ok(scores
            .with_column("view", column(&|film| film.view.clone()))?
            .with_column("age", column(&|film| film.age.clone()))?
            .with_column("sex", column(&|film| film.sex.clone()))?
            .with_column("source", column(&|film| film.source.clone()))?
            .with_column("dataset", column(&|film| film.dataset.clone()))?
            .with_column("split", column(&|film| film.split.clone()))?
            .with_column("patient_in_training", column(&|film| in_training(film)))?
            .with_column("model", column(&|_| identity.to_owned()))?
            .with_column("dataset_id", column(&|film| film.dataset_id.clone()))?)
    }
}

/// Returns the number of the highest probability.
pub(crate) fn find_most_probable(probabilities: &[f32]) -> usize {
    let numbered = probabilities.iter().copied().enumerate();
    numbered.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map_or(0, |(output, _)| output)
}

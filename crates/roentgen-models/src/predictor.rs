//! Computes probabilities from planes, for `predict`, `explain` and serving.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_eval::HeatMap;

use crate::classifier::Classifier;
use crate::model_dir::{self, Error, Model, ModelInfo};
use crate::precision::Precision;

/// A loaded model, ready to predict.
#[derive(Debug)]
pub struct Predictor {
    /// The description of the model.
    pub description: ModelInfo,
    /// The identity of the model.
    pub identity: String,
    /// The type in which activations are stored while predicting; explanations use single precision.
    pub precision: Precision,
    pub(crate) model: Classifier,
    pub(crate) device: Device,
}

/// A model's prediction for one film.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One probability per finding, in the order of the description.
    pub probabilities: Vec<f32>,
    /// The attention mask in 0..1, if the model has one.
    pub mask: Option<HeatMap>,
}

impl Predictor {
    /// Loads the model in `folder`, to predict in single precision.
    ///
    /// # Errors
    ///
    /// Returns an error if files are missing, were written by another version, or do not fit each
    /// other.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, Error> {
        let device = device.clone().without_autodiff();
        let Model { description, identity, network } = model_dir::load(folder, &device)?;
        Ok(Self { description, identity, precision: Precision::F32, model: network, device })
    }

    /// Predicts a batch of planes of the model's size.
    ///
    /// # Panics
    ///
    /// Panics if a plane has another size.
    pub fn predict(&self, planes: &[&[u8]]) -> Vec<Prediction> {
        if planes.is_empty() {
            return Vec::new();
        }
        let input = self.description.input;
        let shape = [planes.len(), input.channels, input.size, input.size];
        let batch = TensorData::new(input.batch(planes), shape);
        let films = Tensor::<4>::from_data(batch, &self.device);
        predictions(&self.model, self.precision.films(films))
    }
}

/// Predicts films that are already on the device, with a model in validation mode or training mode.
///
/// # Shapes
///
/// - `films`: `[batch, channels, height, width]`
pub fn predictions(model: &Classifier, films: Tensor<4>) -> Vec<Prediction> {
    let (logits, mask) = model.valid().forward_with_mask(films);
    let [_, findings] = logits.dims();
    let masks = mask.map(|mask| {
        let [_, _, height, width] = mask.dims();
        ([height, width], values(mask))
    });
    let masks = masks.as_ref().map(|(size, values)| (*size, values.as_slice()));
    Prediction::of_logits(&values(logits), findings, masks)
}

impl Prediction {
    /// Splits a batch of results into films: logits, `[films, findings]`, and with attention the
    /// height, width and values of the masks, `[films, height, width]`.
    pub fn of_logits(
        logits: &[f32],
        findings: usize,
        masks: Option<([usize; 2], &[f32])>,
    ) -> Vec<Self> {
        let mask = |film, ([height, width], values): ([usize; 2], &[f32])| HeatMap {
            height,
            width,
            values: values[film * height * width..(film + 1) * height * width].to_vec(),
        };
        let films = logits.chunks_exact(findings).enumerate();
        films
            .map(|(film, logits)| Self {
                probabilities: logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
                mask: masks.map(|masks| mask(film, masks)),
            })
            .collect()
    }
}

/// Reads a tensor from its device in row-major order.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().expect("converted to f32 just before")
}

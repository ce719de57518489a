//! Planes in, probabilities out: the one path for `predict`, `explain` and whatever serves.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::classifier::Classifier;
use crate::model_dir::{self, Description, Error};

/// A loaded model, ready to predict.
#[derive(Debug)]
pub struct Predictor {
    /// What the model is and says.
    pub description: Description,
    model: Classifier,
    device: Device,
}

/// What a model says of one film.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One probability a finding, in the order of the description.
    pub probabilities: Vec<f32>,
    /// With attention, where the model looked.
    pub mask: Option<Mask>,
}

/// A map over a film, coarser than it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Rows.
    pub height: usize,
    /// Values in a row.
    pub width: usize,
    /// `height * width` values in 0..1.
    pub values: Vec<f32>,
}

impl Predictor {
    /// Loads the model in `folder`.
    ///
    /// # Errors
    ///
    /// Files that are missing, of another version, or do not fit each other.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, Error> {
        let device = device.clone().without_autodiff();
        let (description, model) = model_dir::load(folder, &device)?;
        Ok(Self { description, model, device })
    }

    /// Predicts a batch of planes of the model's size.
    ///
    /// # Panics
    ///
    /// If a plane has another size.
    pub fn predict(&self, planes: &[&[u8]]) -> Vec<Prediction> {
        if planes.is_empty() {
            return Vec::new();
        }
        let input = self.description.input;
        let shape = [planes.len(), input.channels, input.size, input.size];
        let batch = TensorData::new(input.batch(planes), shape);
        let films = Tensor::<4>::from_data(batch, &self.device);
        predictions(&self.model, films)
    }
}

/// Predicts films that are on the device already, with a model in validation mode or training mode.
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
    /// Cuts what a network gave for a batch into films: logits, `[films, findings]`, and with
    /// attention the masks' height and width and their values, `[films, height, width]`.
    pub fn of_logits(
        logits: &[f32],
        findings: usize,
        masks: Option<([usize; 2], &[f32])>,
    ) -> Vec<Self> {
        let mask = |film, ([height, width], values): ([usize; 2], &[f32])| Mask {
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

/// Reads a tensor from its device, row by row.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_to_vec().expect("converted to f32 just before")
}

//! Computes heat maps of films with a loaded model.
//!
//! The backbone runs in inference. Gradients are taken from the feature map through the head alone:
//! the feature map is the only tensor that keeps a graph, and the weights of the head are constants
//! to it. The films of a batch do not see each other there, so one backward pass serves all maps of
//! a batch.

mod patches;

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use roentgen_eval::HeatMap;

use crate::classifier::Classifier;
use crate::explanation::{Method, grad_cam, grad_cam_plus_plus, weighted};
use crate::model_dir::{self, Error, Model, ModelInfo};
use crate::predictor::{Prediction, values};
use patches::Patches;

/// Maps that are computed at once; more would only take more memory.
const AT_ONCE: usize = 32;

/// A loaded model, ready to explain.
#[derive(Debug)]
pub struct Explainer {
    /// The description of the model.
    pub description: ModelInfo,
    /// The identity of the model.
    pub identity: String,
    network: Classifier,
    device: Device,
}

/// What the network computed of a batch of films.
#[derive(Debug)]
pub struct Look {
    /// The predictions of the films.
    pub predictions: Vec<Prediction>,
    /// The input, film by film, `[films, channels, size, size]`.
    input: Vec<f32>,
    /// `[films, channels, h, w]`.
    features: Tensor<4>,
    /// `[films, findings]`.
    logits: Vec<f32>,
}

/// A map to compute: the number of a film in its batch, and the number of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedMap {
    /// The film.
    pub film: usize,
    /// The output of the network.
    pub output: usize,
}

impl Explainer {
    /// Loads the model in `folder`.
    ///
    /// # Errors
    ///
    /// Returns an error if files are missing, were written by another version, or do not fit each
    /// other.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, Error> {
        let device = device.clone().without_autodiff();
        let Model { description, identity, network } = model_dir::load(folder, &device)?;
        Ok(Self::new(description, identity, network, device))
    }

    pub(crate) fn new(
        description: ModelInfo,
        identity: String,
        network: Classifier,
        device: Device,
    ) -> Self {
        Self { description, identity, network: network.valid(), device }
    }

    /// Returns the same network with random weights, for the parameter-randomization check of
    /// [Adebayo et al. 2018](https://arxiv.org/abs/1810.03292).
    pub fn with_random_weights(&self, seed: u64) -> Self {
        let ModelInfo { network, input, findings, .. } = &self.description;
        self.device.seed(seed);
        let network = network.init(input.channels, findings.len(), &self.device).valid();
        Self {
            description: self.description.clone(),
            identity: self.identity.clone(),
            network,
            device: self.device.clone(),
        }
    }

    /// Predicts a batch of planes of the model's size and keeps what maps are computed from.
    ///
    /// # Panics
    ///
    /// Panics if a plane has another size.
    pub fn look(&self, planes: &[&[u8]]) -> Look {
        let input = self.description.input.batch(planes);
        let features = self.network.features(self.tensor(input.clone()));
        let (logits, mask) = self.network.head_with_mask(features.clone());
        let findings = self.description.findings.len();
        let masks = mask.map(|mask| {
            let [_, _, height, width] = mask.dims();
            ([height, width], values(mask))
        });
        let masks = masks.as_ref().map(|(size, values)| (*size, values.as_slice()));
        let logits = values(logits);
        let predictions = Prediction::of_logits(&logits, findings, masks);
        Look { predictions, input, features, logits }
    }

    /// Computes maps of the films that were looked at. The values of a map are in units of the logit
    /// for all methods but attention.
    ///
    /// # Panics
    ///
    /// Panics if the head does not allow the method.
    pub fn maps(&self, method: Method, look: &Look, wanted: &[WantedMap]) -> Vec<HeatMap> {
        let of_features = |maps: &dyn Fn(&[WantedMap]) -> Tensor<3>| {
            wanted.chunks(AT_ONCE).flat_map(|wanted| split(maps(wanted))).collect()
        };
        match method {
            Method::Attention => {
                let mask = |wanted: &WantedMap| {
                    let mask = look.predictions[wanted.film].mask.clone();
                    mask.expect("attention is allowed only for models with a mask")
                };
                wanted.iter().map(mask).collect()
            }
            Method::Cam => {
                let (weights, _) =
                    self.network.linear_head().expect("CAM is allowed only for linear heads");
                of_features(&|wanted| {
                    let outputs = self.numbers(wanted, |wanted| wanted.output);
                    let weights = weights.clone().select(1, outputs).transpose();
                    weighted(self.features(look, wanted), weights)
                })
            }
            Method::GradCam => of_features(&|wanted| {
                let features = self.features(look, wanted);
                let weights = grad_cam(self.gradients(features.clone(), wanted));
                weighted(features, weights).clamp_min(0.0)
            }),
            Method::GradCamPlusPlus => of_features(&|wanted| {
                let features = self.features(look, wanted);
                let gradients = self.gradients(features.clone(), wanted);
                let weights = grad_cam_plus_plus(features.clone(), gradients);
                weighted(features, weights).clamp_min(0.0)
            }),
            Method::Occlusion => self.occlusion(look, wanted),
        }
    }

    /// Selects the feature map of each wanted map.
    fn features(&self, look: &Look, wanted: &[WantedMap]) -> Tensor<4> {
        look.features.clone().select(0, self.numbers(wanted, |wanted| wanted.film))
    }

    fn numbers(&self, wanted: &[WantedMap], of: fn(&WantedMap) -> usize) -> Tensor<1, Int> {
        let numbers: Vec<i64> = wanted.iter().map(|wanted| of(wanted) as i64).collect();
        Tensor::from_data(TensorData::from(numbers.as_slice()), &self.device)
    }

    /// Computes the gradients of one logit each with respect to its feature map.
    ///
    /// # Shapes
    ///
    /// - `features`, output: `[wanted, channels, h, w]`
    fn gradients(&self, features: Tensor<4>, wanted: &[WantedMap]) -> Tensor<4> {
        let features = features.autodiff().require_grad();
        let logits = self.network.head(features.clone());
        let outputs = self.numbers(wanted, |wanted| wanted.output).reshape([wanted.len(), 1]);
        let own = logits.gather(1, outputs.autodiff());
        let gradients = own.sum().backward();
        features.grad(&gradients).expect("the logits depend on the feature map")
    }

    /// Computes how far logits fall when a patch is covered with the mean of its film, as the mean
    /// over the patches that cover a cell.
    fn occlusion(&self, look: &Look, wanted: &[WantedMap]) -> Vec<HeatMap> {
        let ModelInfo { input, findings, .. } = &self.description;
        let patches = Patches::of(input.size);
        let mut maps = vec![None; wanted.len()];
        for (number, film) in look.input.chunks_exact(input.len()).enumerate() {
            let own: Vec<usize> =
                (0..wanted.len()).filter(|&map| wanted[map].film == number).collect();
            if own.is_empty() {
                continue;
            }
            let positions: Vec<[usize; 2]> = patches.positions().collect();
            let mut covered = Vec::with_capacity(positions.len() * findings.len());
            for positions in positions.chunks(AT_ONCE) {
                let films: Vec<f32> =
                    positions.iter().flat_map(|&at| patches.cover(film, at)).collect();
                covered.extend(values(self.network.forward(self.tensor(films))));
            }
            let logits = &look.logits[number * findings.len()..][..findings.len()];
            for map in own {
                let output = wanted[map].output;
                let logits_of = covered.chunks_exact(findings.len()).map(|film| film[output]);
                let drops: Vec<f32> = logits_of.map(|covered| logits[output] - covered).collect();
                maps[map] = Some(patches.map(&drops));
            }
        }
        maps.into_iter().map(|map| map.expect("every wanted film was looked at")).collect()
    }

    /// Puts films onto the device, `[films, channels, size, size]`.
    fn tensor(&self, films: Vec<f32>) -> Tensor<4> {
        let input = self.description.input;
        let shape = [films.len() / input.len(), input.channels, input.size, input.size];
        Tensor::from_data(TensorData::new(films, shape), &self.device)
    }
}

/// Splits `[maps, height, width]` into maps.
fn split(maps: Tensor<3>) -> Vec<HeatMap> {
    let [_, height, width] = maps.dims();
    let all = values(maps);
    let maps = all.chunks_exact(height * width);
    maps.map(|values| HeatMap { height, width, values: values.to_vec() }).collect()
}

#[cfg(test)]
mod tests;

//! Backbone, pooling and head: films to logits.

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor};
use roentgen_kernels::film_mean;
use serde::{Deserialize, Serialize};

use crate::attention::Attention;
use crate::backbones::{Backbone, BackboneConfig};
use crate::freeze::{self, Freeze};
use crate::head::Head;
use crate::zoo::{Architecture, Pool};

/// What a classifier is made of; `[model]` of an experiment, and kept in `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// The backbone.
    pub architecture: Architecture,
    /// Share of the paper's channels; 1 is the paper's network.
    #[serde(default = "one")]
    pub width: f64,
    /// How the feature map becomes one vector, and which head follows.
    pub pool: Pool,
    /// Share of values dropped before each dense layer while training.
    #[serde(default = "half")]
    pub dropout: f64,
}

fn one() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

/// Why a classifier cannot be made.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Films too small for the backbone.
    #[error(
        "{architecture} takes films of at least {least} px, and these have {size} px; prepare larger ones"
    )]
    TooSmall {
        /// The backbone.
        architecture: &'static str,
        /// Its least size.
        least: usize,
        /// The films' size.
        size: usize,
    },
    /// Channels other than 1 and 3.
    #[error("`channels = {0}`: films have 1 channel (gray) or 3 (gray repeated)")]
    Channels(usize),
    /// A width that leaves no channels or too many.
    #[error("`width = {0}`: give a share of the paper's channels from 0.03 to 4")]
    Width(f64),
    /// A dropout outside 0..1.
    #[error("`dropout = {0}`: give a share from 0 up to, and without, 1")]
    Dropout(f64),
}

/// A network that takes films and gives one logit a finding.
#[derive(Module, Debug)]
pub struct Classifier {
    backbone: Backbone,
    attention: Option<Attention>,
    head: Head,
    #[module(skip)]
    is_backbone_frozen: bool,
}

impl ClassifierConfig {
    /// Checks that the network can be made and takes films of `size` pixels.
    ///
    /// # Errors
    ///
    /// Films that are too small, channels, width or dropout out of range.
    pub fn check(&self, size: usize, channels: usize) -> Result<(), Error> {
        let least = self.architecture.least_size();
        if size < least {
            return Err(Error::TooSmall { architecture: self.architecture.name(), least, size });
        }
        if channels != 1 && channels != 3 {
            return Err(Error::Channels(channels));
        }
        if !(0.03..=4.0).contains(&self.width) {
            return Err(Error::Width(self.width));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::Dropout(self.dropout));
        }
        Ok(())
    }

    /// Makes the network for films of `channels` channels, with random weights from the device's
    /// seed.
    pub fn init(&self, channels: usize, findings: usize, device: &Device) -> Classifier {
        let backbone = self.backbone(channels);
        let features = self.features();
        Classifier {
            backbone: backbone.init(device),
            attention: match self.pool {
                Pool::Average | Pool::Linear => None,
                Pool::Attention => Some(Attention::init(features, device)),
            },
            head: Head::init(self.pool, features, findings, self.dropout, device),
            is_backbone_frozen: false,
        }
    }

    /// Bytes that training on `batch` films of `size` pixels takes beside the weights, at most: activations
    /// kept for the backward pass, and half as much again for what is in flight.
    pub fn activation_bytes(&self, size: usize, batch: usize) -> usize {
        let values = self.architecture.activations() * self.width * (size * size) as f64;
        values as usize * batch * 4 * 3 / 2
    }

    /// Channels of the backbone's feature map.
    pub fn features(&self) -> usize {
        self.backbone(1).out_channels()
    }

    fn backbone(&self, in_channels: usize) -> BackboneConfig {
        BackboneConfig { architecture: self.architecture, in_channels, width: self.width }
    }
}

impl Classifier {
    /// Freezes a part of the backbone, weights and batch-norm statistics both. What is frozen stays
    /// so: to train on with less frozen, load the weights into a new network.
    pub fn frozen(mut self, architecture: Architecture, freeze: Freeze) -> Self {
        self.is_backbone_frozen = freeze == Freeze::Backbone;
        let frozen = freeze::group(&self, architecture, freeze);
        self.freeze_group(frozen)
    }

    /// Whether a mask says where it looks.
    pub fn has_attention(&self) -> bool {
        self.attention.is_some()
    }

    /// Films to logits.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, findings]`
    pub fn forward(&self, films: Tensor<4>) -> Tensor<2> {
        self.forward_with_mask(films).0
    }

    /// Films to the backbone's feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, features, h, w]`
    pub fn features(&self, films: Tensor<4>) -> Tensor<4> {
        if self.is_backbone_frozen && films.device().is_autodiff() {
            // Off the autodiff device nothing is kept for a backward pass that never comes.
            let features = self.backbone.valid().forward(films.inner());
            return Tensor::from_inner(features);
        }
        self.backbone.forward(films)
    }

    /// Films to logits and, with attention, the mask.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, findings]` and `[batch, 1, h, w]`, the size of the feature map
    pub fn forward_with_mask(&self, films: Tensor<4>) -> (Tensor<2>, Option<Tensor<4>>) {
        self.head_with_mask(self.features(films))
    }

    /// What the head takes: the feature map, or its mean over the film as a map of one cell where the
    /// head takes no more. Worth keeping where the backbone is frozen.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, features, h, w]`
    pub fn pooled_features(&self, films: Tensor<4>) -> Tensor<4> {
        let features = self.features(films);
        match &self.attention {
            Some(_) => features,
            None => film_mean(features).unsqueeze_dims(&[2, 3]),
        }
    }

    /// A feature map to logits.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, features, h, w]`, of [`Self::features`] or [`Self::pooled_features`]
    /// - output: `[batch, findings]`
    pub fn head(&self, features: Tensor<4>) -> Tensor<2> {
        self.head_with_mask(features).0
    }

    fn head_with_mask(&self, features: Tensor<4>) -> (Tensor<2>, Option<Tensor<4>>) {
        let (pooled, mask) = match &self.attention {
            Some(attention) => {
                let (pooled, mask) = attention.forward(features.cast(FloatDType::F32));
                (pooled, Some(mask))
            }
            None => (film_mean(features), None),
        };
        (self.head.forward(pooled), mask)
    }
}

//! Classifiers: backbone, pooling and head compute logits from films.

use burn::module::Module;
use burn::tensor::{Device, FloatDType, Tensor};
use roentgen_kernels::film_mean;
use serde::{Deserialize, Serialize};

use crate::attention::Attention;
use crate::backbones::{Backbone, Scale};
use crate::freeze::{self, Freeze};
use crate::head::Head;
use crate::zoo::{Architecture, Pool};

/// The largest height and width of films in pixels, which `prepare` has too.
const LARGEST_SIZE: usize = 4096;

/// Configuration of a classifier; `[model]` of an experiment, also stored in `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// The backbone.
    pub architecture: Architecture,
    /// Fraction of the paper's channels; 1 is the paper's network.
    #[serde(default = "one")]
    pub width: f64,
    /// How the feature map is pooled, which also determines the head.
    pub pool: Pool,
    /// Fraction of values dropped before each dense layer in training.
    #[serde(default = "half")]
    pub dropout: f64,
    /// Probability that the last block is skipped in training, for backbones with stochastic depth;
    /// the paper's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stochastic_depth: Option<f64>,
}

fn one() -> f64 {
    1.0
}

fn half() -> f64 {
    0.5
}

/// Why a classifier cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The films are too small for the backbone.
    #[error(
        "{architecture} needs films of at least {least} px, but these have {size} px; prepare \
         larger films"
    )]
    TooSmall {
        /// The backbone.
        architecture: &'static str,
        /// Its minimum size.
        least: usize,
        /// The size of the films.
        size: usize,
    },
    /// The films are larger than any that can be prepared.
    #[error("`size = {0}`: films have at most {LARGEST_SIZE} px")]
    TooLarge(usize),
    /// The number of channels is neither 1 nor 3.
    #[error("`channels = {0}`: must be 1 (gray) or 3 (gray repeated)")]
    Channels(usize),
    /// The width leaves no channels or too many.
    #[error("`width = {0}`: must be a fraction of the paper's channels from 0.03 to 4")]
    Width(f64),
    /// The backbone has no stochastic depth.
    #[error("{0} has no stochastic depth; leave `stochastic_depth` out")]
    NoStochasticDepth(&'static str),
    /// The stochastic depth is outside 0..1.
    #[error("`stochastic_depth = {0}`: must be at least 0 and less than 1")]
    StochasticDepth(f64),
    /// The dropout is outside 0..1.
    #[error("`dropout = {0}`: must be at least 0 and less than 1")]
    Dropout(f64),
}

/// A network that computes one logit per finding from films.
#[derive(Module, Debug)]
pub struct Classifier {
    backbone: Backbone,
    attention: Option<Attention>,
    head: Head,
    #[module(skip)]
    is_backbone_frozen: bool,
}

impl ClassifierConfig {
    /// Checks that the network can be built and accepts films of `size` pixels.
    ///
    /// # Errors
    ///
    /// Returns an error if the films are too small or too large, or if channels, width or dropout
    /// are out of range.
    pub fn check(&self, size: usize, channels: usize) -> Result<(), Error> {
        let least = self.architecture.least_size();
        if size < least {
            return Err(Error::TooSmall { architecture: self.architecture.name(), least, size });
        }
        if size > LARGEST_SIZE {
            return Err(Error::TooLarge(size));
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
        if let Some(depth) = self.stochastic_depth {
            if !self.architecture.has_stochastic_depth() {
                return Err(Error::NoStochasticDepth(self.architecture.name()));
            }
            if !(0.0..1.0).contains(&depth) {
                return Err(Error::StochasticDepth(depth));
            }
        }
        Ok(())
    }

    /// Creates the network for films of `channels` channels, with random weights from the device's
    /// seed.
    pub fn init(&self, channels: usize, findings: usize, device: &Device) -> Classifier {
        let init = self.architecture.blueprint().init;
        let features = self.features();
        Classifier {
            backbone: init(self.scale(channels), device),
            attention: match self.pool {
                Pool::Average | Pool::Linear => None,
                Pool::Attention => Some(Attention::init(features, device)),
            },
            head: Head::init(self.pool, features, findings, self.dropout, device),
            is_backbone_frozen: false,
        }
    }

    /// Returns an upper estimate of the bytes for training on `batch` films of `size` pixels, in
    /// addition to the weights: activations kept for the backward pass, and half as much again for
    /// temporary values.
    pub fn activation_bytes(&self, size: usize, batch: usize) -> usize {
        let values = self.architecture.activations() * self.width * (size as f64).powi(2);
        // In floating point, so that absurd sizes do not overflow.
        (values * batch as f64 * 4.0 * 1.5) as usize
    }

    /// Returns the number of channels of the backbone's feature map.
    pub fn features(&self) -> usize {
        (self.architecture.blueprint().out_channels)(self.scale(1))
    }

    fn scale(&self, in_channels: usize) -> Scale {
        let paper = self.architecture.blueprint().stochastic_depth.unwrap_or(0.0);
        let stochastic_depth = self.stochastic_depth.unwrap_or(paper);
        Scale { in_channels, width: self.width, stochastic_depth }
    }
}

impl Classifier {
    /// Freezes a part of the backbone: both weights and batch-norm statistics. A frozen part cannot
    /// be unfrozen; to train on with less frozen, load the weights into a new network.
    pub fn freeze(mut self, architecture: Architecture, freeze: Freeze) -> Self {
        self.is_backbone_frozen = freeze == Freeze::Backbone;
        let frozen = freeze::group(&self, architecture, freeze);
        self.freeze_group(frozen)
    }

    /// Whether the network has an attention mask.
    pub fn has_attention(&self) -> bool {
        self.attention.is_some()
    }

    /// Computes logits from films.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, findings]`
    pub fn forward(&self, films: Tensor<4>) -> Tensor<2> {
        self.forward_with_mask(films).0
    }

    /// Computes the backbone's feature map from films.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, features, h, w]`
    pub fn features(&self, films: Tensor<4>) -> Tensor<4> {
        if self.is_backbone_frozen && films.device().is_autodiff() {
            // Outside the autodiff device nothing is kept for a backward pass that never comes.
            let features = self.backbone.valid().forward(films.inner());
            return Tensor::from_inner(features);
        }
        self.backbone.forward(films)
    }

    /// Computes logits from films and, with attention, the mask.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`
    /// - output: `[batch, findings]` and `[batch, 1, h, w]`, the size of the feature map
    pub fn forward_with_mask(&self, films: Tensor<4>) -> (Tensor<2>, Option<Tensor<4>>) {
        self.head_with_mask(self.features(films))
    }

    /// Returns the backbone, on which [`Self::pooled_features`] depends and nothing else.
    pub fn backbone(&self) -> &impl Module {
        &self.backbone
    }

    /// Computes the input of the head: the feature map, or its mean over the film as a map of one
    /// cell if the head needs no more. Worth storing while the backbone is frozen.
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

    /// Returns weights and bias of the linear map from the mean feature map to the logits; `None` for
    /// a head with attention, which is not linear.
    ///
    /// # Shapes
    ///
    /// - output: `[features, findings]`, `[findings]`
    pub(crate) fn linear_head(&self) -> Option<(Tensor<2>, Tensor<1>)> {
        self.head.linear()
    }

    /// Computes logits from a feature map.
    ///
    /// # Shapes
    ///
    /// - `features`: `[batch, features, h, w]`, of [`Self::features`] or [`Self::pooled_features`]
    /// - output: `[batch, findings]`
    pub fn head(&self, features: Tensor<4>) -> Tensor<2> {
        self.head_with_mask(features).0
    }

    /// Computes logits from a feature map and, with attention, the mask.
    pub(crate) fn head_with_mask(&self, features: Tensor<4>) -> (Tensor<2>, Option<Tensor<4>>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_no_network_has_are_refused() {
        let config = |width| ClassifierConfig {
            architecture: Architecture::Mobilenet,
            width,
            pool: Pool::Average,
            dropout: 0.5,
            stochastic_depth: None,
        };
        let check = |size, channels| config(1.0).check(size, channels).unwrap_err();

        assert!(matches!(check(0, 1), Error::TooSmall { .. }));
        for size in [LARGEST_SIZE + 1, 1_000_000_000_000, usize::MAX] {
            assert_eq!(check(size, 1), Error::TooLarge(size));
        }
        for channels in [0, 2, 1_000_000_000_000] {
            assert_eq!(check(64, channels), Error::Channels(channels));
        }
        for width in [0.0, -1.0, 5.0, 1e12, f64::NAN, f64::INFINITY] {
            assert!(matches!(config(width).check(64, 1), Err(Error::Width(_))), "{width}");
        }
        assert_eq!(config(4.0).check(LARGEST_SIZE, 3), Ok(()));
    }
}

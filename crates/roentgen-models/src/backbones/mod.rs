//! The convolutional parts of the networks, one file a family.

mod mobilenet;

pub use mobilenet::{MobileNet, MobileNetConfig};

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::zoo::Architecture;

/// Films to a feature map.
#[derive(Module, Debug)]
pub enum Backbone {
    /// MobileNetV1.
    MobileNet(MobileNet),
}

/// Which backbone, and how wide.
#[derive(Clone, Copy, Debug)]
pub struct BackboneConfig {
    /// The architecture.
    pub architecture: Architecture,
    /// Channels of the films, 1 or 3.
    pub in_channels: usize,
    /// Share of the paper's channels; 1 is the paper's network.
    pub width: f64,
}

impl BackboneConfig {
    /// Makes the backbone with random weights.
    pub fn init(&self, device: &Device) -> Backbone {
        match self.architecture {
            Architecture::Mobilenet => Backbone::MobileNet(self.mobilenet().init(device)),
        }
    }

    /// Channels of the feature map.
    pub fn out_channels(&self) -> usize {
        match self.architecture {
            Architecture::Mobilenet => self.mobilenet().out_channels(),
        }
    }

    /// Values that one film's forward pass leaves for the backward pass, at `size` pixels.
    pub fn activations(&self, size: usize) -> usize {
        match self.architecture {
            Architecture::Mobilenet => self.mobilenet().activations(size),
        }
    }

    fn mobilenet(&self) -> MobileNetConfig {
        MobileNetConfig { in_channels: self.in_channels, width: self.width }
    }
}

impl Backbone {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, height / 32, width / 32]`
    pub fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        match self {
            Backbone::MobileNet(mobilenet) => mobilenet.forward(films),
        }
    }
}

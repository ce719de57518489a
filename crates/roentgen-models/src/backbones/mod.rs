//! The convolutional parts of the networks, one file a family.

pub mod mobilenet;
pub mod mobilenet_v2;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::zoo::Architecture;
use mobilenet::{MobileNet, MobileNetConfig};
use mobilenet_v2::{MobileNetV2, MobileNetV2Config};

/// Films to a feature map.
#[derive(Module, Debug)]
pub enum Backbone {
    /// MobileNetV1.
    MobileNet(MobileNet),
    /// MobileNetV2.
    MobileNetV2(MobileNetV2),
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
            Architecture::MobilenetV2 => Backbone::MobileNetV2(self.mobilenet_v2().init(device)),
        }
    }

    /// Channels of the feature map.
    pub fn out_channels(&self) -> usize {
        match self.architecture {
            Architecture::Mobilenet => self.mobilenet().out_channels(),
            Architecture::MobilenetV2 => self.mobilenet_v2().out_channels(),
        }
    }

    fn mobilenet(&self) -> MobileNetConfig {
        MobileNetConfig { in_channels: self.in_channels, width: self.width }
    }

    fn mobilenet_v2(&self) -> MobileNetV2Config {
        MobileNetV2Config { in_channels: self.in_channels, width: self.width }
    }
}

impl Backbone {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, h, w]`, for most networks a thirty-second of the film
    pub fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        match self {
            Backbone::MobileNet(network) => network.forward(films),
            Backbone::MobileNetV2(network) => network.forward(films),
        }
    }
}

impl Architecture {
    /// The name that the published weights give to a module of the backbone, from the module's path
    /// in ours; none where there is no such module.
    pub(crate) fn published(self, path: &[&str]) -> Option<String> {
        match self {
            Architecture::Mobilenet => mobilenet::published(path),
            Architecture::MobilenetV2 => mobilenet_v2::published(path),
        }
    }

    /// Prefixes of the paths of the backbone's modules, stage by stage in the order of the forward
    /// pass.
    pub fn stages(self) -> Vec<Vec<String>> {
        let stages = match self {
            Architecture::Mobilenet => mobilenet::STAGES,
            Architecture::MobilenetV2 => mobilenet_v2::STAGES,
        };
        stages.iter().map(|stage| stage.iter().map(|prefix| prefix.to_string()).collect()).collect()
    }
}

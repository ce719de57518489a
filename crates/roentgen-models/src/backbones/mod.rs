//! The convolutional parts of the networks, one file a family.

pub mod densenet;
pub mod efficientnet;
pub mod inception_resnet_v2;
pub mod inception_v3;
pub mod mobilenet;
pub mod mobilenet_v2;
pub mod nasnet;
pub mod resnet;
pub mod vgg;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::zoo::Architecture;
use densenet::{DenseNet, DenseNetConfig};
use efficientnet::{EfficientNet, EfficientNetConfig};
use inception_resnet_v2::{InceptionResNetV2, InceptionResNetV2Config};
use inception_v3::{InceptionV3, InceptionV3Config};
use mobilenet::{MobileNet, MobileNetConfig};
use mobilenet_v2::{MobileNetV2, MobileNetV2Config};
use nasnet::{NasNet, NasNetConfig, NasNetVariant};
use resnet::{ResNet, ResNetConfig};
use vgg::{Vgg, VggConfig, VggVariant};

/// Films to a feature map.
#[derive(Module, Debug)]
pub enum Backbone {
    /// MobileNetV1.
    MobileNet(MobileNet),
    /// MobileNetV2.
    MobileNetV2(MobileNetV2),
    /// VGG-16 and VGG-19.
    Vgg(Vgg),
    /// ResNet-50.
    ResNet(ResNet),
    /// DenseNet-121.
    DenseNet(DenseNet),
    /// EfficientNet-B0.
    EfficientNet(EfficientNet),
    /// InceptionV3.
    InceptionV3(InceptionV3),
    /// Inception-ResNet-V2.
    InceptionResNetV2(InceptionResNetV2),
    /// NASNet-A.
    NasNet(NasNet),
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
            Architecture::Vgg16 => Backbone::Vgg(self.vgg(VggVariant::Vgg16).init(device)),
            Architecture::Vgg19 => Backbone::Vgg(self.vgg(VggVariant::Vgg19).init(device)),
            Architecture::Resnet50 => Backbone::ResNet(self.resnet().init(device)),
            Architecture::Densenet121 => Backbone::DenseNet(self.densenet().init(device)),
            Architecture::EfficientnetB0 => {
                Backbone::EfficientNet(self.efficientnet().init(device))
            }
            Architecture::InceptionV3 => Backbone::InceptionV3(self.inception_v3().init(device)),
            Architecture::InceptionResnetV2 => {
                Backbone::InceptionResNetV2(self.inception_resnet_v2().init(device))
            }
            Architecture::NasnetLarge => {
                Backbone::NasNet(self.nasnet(NasNetVariant::Large).init(device))
            }
            Architecture::NasnetMobile => {
                Backbone::NasNet(self.nasnet(NasNetVariant::Mobile).init(device))
            }
        }
    }

    /// Channels of the feature map.
    pub fn out_channels(&self) -> usize {
        match self.architecture {
            Architecture::Mobilenet => self.mobilenet().out_channels(),
            Architecture::MobilenetV2 => self.mobilenet_v2().out_channels(),
            Architecture::Vgg16 => self.vgg(VggVariant::Vgg16).out_channels(),
            Architecture::Vgg19 => self.vgg(VggVariant::Vgg19).out_channels(),
            Architecture::Resnet50 => self.resnet().out_channels(),
            Architecture::Densenet121 => self.densenet().out_channels(),
            Architecture::EfficientnetB0 => self.efficientnet().out_channels(),
            Architecture::InceptionV3 => self.inception_v3().out_channels(),
            Architecture::InceptionResnetV2 => self.inception_resnet_v2().out_channels(),
            Architecture::NasnetLarge => self.nasnet(NasNetVariant::Large).out_channels(),
            Architecture::NasnetMobile => self.nasnet(NasNetVariant::Mobile).out_channels(),
        }
    }

    fn mobilenet(&self) -> MobileNetConfig {
        MobileNetConfig { in_channels: self.in_channels, width: self.width }
    }

    fn mobilenet_v2(&self) -> MobileNetV2Config {
        MobileNetV2Config { in_channels: self.in_channels, width: self.width }
    }

    fn vgg(&self, variant: VggVariant) -> VggConfig {
        VggConfig { variant, in_channels: self.in_channels, width: self.width }
    }

    fn resnet(&self) -> ResNetConfig {
        ResNetConfig { in_channels: self.in_channels, width: self.width }
    }

    fn densenet(&self) -> DenseNetConfig {
        DenseNetConfig { in_channels: self.in_channels, width: self.width }
    }

    fn efficientnet(&self) -> EfficientNetConfig {
        EfficientNetConfig { in_channels: self.in_channels, width: self.width }
    }

    fn inception_v3(&self) -> InceptionV3Config {
        InceptionV3Config { in_channels: self.in_channels, width: self.width }
    }

    fn inception_resnet_v2(&self) -> InceptionResNetV2Config {
        InceptionResNetV2Config { in_channels: self.in_channels, width: self.width }
    }

    fn nasnet(&self, variant: NasNetVariant) -> NasNetConfig {
        NasNetConfig { variant, in_channels: self.in_channels, width: self.width }
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
            Backbone::Vgg(network) => network.forward(films),
            Backbone::ResNet(network) => network.forward(films),
            Backbone::DenseNet(network) => network.forward(films),
            Backbone::EfficientNet(network) => network.forward(films),
            Backbone::InceptionV3(network) => network.forward(films),
            Backbone::InceptionResNetV2(network) => network.forward(films),
            Backbone::NasNet(network) => network.forward(films),
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
            Architecture::Vgg16 => vgg::published(VggVariant::Vgg16, path),
            Architecture::Vgg19 => vgg::published(VggVariant::Vgg19, path),
            Architecture::Resnet50 => resnet::published(path),
            Architecture::Densenet121 => densenet::published(path),
            Architecture::EfficientnetB0 => efficientnet::published(path),
            Architecture::InceptionV3 => inception_v3::published(path),
            Architecture::InceptionResnetV2 => inception_resnet_v2::published(path),
            Architecture::NasnetLarge => nasnet::published(path),
            Architecture::NasnetMobile => nasnet::published(path),
        }
    }

    /// Prefixes of the paths of the backbone's modules, stage by stage in the order of the forward
    /// pass.
    pub fn stages(self) -> Vec<Vec<String>> {
        let stages = match self {
            Architecture::Mobilenet => mobilenet::STAGES,
            Architecture::MobilenetV2 => mobilenet_v2::STAGES,
            Architecture::Vgg16 => vgg::STAGES,
            Architecture::Vgg19 => vgg::STAGES,
            Architecture::Resnet50 => resnet::STAGES,
            Architecture::Densenet121 => densenet::STAGES,
            Architecture::EfficientnetB0 => efficientnet::STAGES,
            Architecture::InceptionV3 => inception_v3::STAGES,
            Architecture::InceptionResnetV2 => inception_resnet_v2::STAGES,
            Architecture::NasnetLarge => nasnet::STAGES,
            Architecture::NasnetMobile => nasnet::STAGES,
        };
        stages.iter().map(|stage| stage.iter().map(|prefix| prefix.to_string()).collect()).collect()
    }
}

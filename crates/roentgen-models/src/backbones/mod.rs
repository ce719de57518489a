//! The convolutional parts of the networks, one file per family.

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

/// Computes a feature map from films.
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

/// Configuration of a [`Backbone`].
#[derive(Clone, Copy, Debug)]
pub struct BackboneConfig {
    /// The architecture.
    pub architecture: Architecture,
    /// Channels of the films, 1 or 3.
    pub in_channels: usize,
    /// Fraction of the paper's channels; 1 is the paper's network.
    pub width: f64,
}

impl BackboneConfig {
    /// Creates the backbone with random weights.
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

    /// Returns the number of channels of the feature map.
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
    /// - output: `[batch, out_channels, h, w]`, a thirty-second of the film for most networks
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
    /// Returns the name of a module in the published weights, given its path in our network; `None`
    /// if the published weights have no such module.
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

    /// Returns the prefixes of the backbone's module paths, by stage in the order of the forward
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes of films and of the resulting feature maps.
    type Maps = &'static [([usize; 2], [usize; 2])];

    #[test]
    fn the_feature_map_is_the_films_thirty_second_rounded_as_the_reference_rounds() {
        let (down, up): (Maps, Maps) =
            (&[([70, 32], [2, 1]), ([64, 96], [2, 3])], &[([64, 97], [2, 4]), ([33, 32], [2, 1])]);
        let rows: [(Architecture, f64, usize, Maps); 11] = [
            // Keras rounds up in the first convolution with stride 2 and down in the others.
            (Architecture::Mobilenet, 0.0625, 64, &[([64, 97], [2, 3]), ([33, 32], [1, 1])]),
            (Architecture::MobilenetV2, 0.125, 160, up),
            // The first convolutions have no padding.
            (Architecture::InceptionV3, 0.0625, 128, &[([75, 107], [1, 2])]),
            (Architecture::InceptionResnetV2, 0.0625, 96, &[([75, 107], [1, 2])]),
            (Architecture::Vgg16, 0.0625, 32, down),
            (Architecture::Vgg19, 0.0625, 32, down),
            // The first convolution leaves the last column out if their number is even.
            (
                Architecture::NasnetLarge,
                2.0 / 42.0,
                192,
                &[([75, 100], [3, 4]), ([32, 33], [1, 1])],
            ),
            (
                Architecture::NasnetMobile,
                2.0 / 11.0,
                192,
                &[([75, 100], [3, 4]), ([32, 33], [1, 1])],
            ),
            (Architecture::Resnet50, 0.0625, 128, up),
            // Each stage halves and rounds down, after a stem that rounds up.
            (Architecture::Densenet121, 0.0625, 64, &[([64, 96], [2, 3]), ([29, 61], [1, 2])]),
            (Architecture::EfficientnetB0, 0.125, 160, up),
        ];
        assert!(Architecture::ALL.iter().all(|known| rows.iter().any(|row| row.0 == *known)));
        let device = Device::flex();
        for (architecture, width, channels, maps) in rows {
            let name = architecture.name();
            let config = BackboneConfig { architecture, in_channels: 1, width };
            let network = config.init(&device);
            assert_eq!(config.out_channels(), channels, "{name}");
            for (film, [rows, columns]) in maps {
                let map = network.forward(Tensor::zeros([2, 1, film[0], film[1]], &device));
                assert_eq!(map.dims(), [2, channels, *rows, *columns], "{name} {film:?}");
            }
        }
    }

    #[test]
    fn parameters_are_those_of_the_papers_networks_and_two_running_values_a_normed_channel() {
        // As counted in the references named in `tests/parity`, without their classifiers.
        for (architecture, weights, normed) in [
            (Architecture::Mobilenet, 3_206_976, 10_944),
            (Architecture::MobilenetV2, 3_504_872 - 1_281_000, 17_056),
            (Architecture::InceptionV3, 21_785_568, 17_216),
            (Architecture::InceptionResnetV2, 54_306_464, 30_272),
            (Architecture::Vgg16, 14_714_688, 0),
            (Architecture::Vgg19, 20_024_384, 0),
            (Architecture::NasnetLarge, 88_753_150 - 4_033_000, 98_334),
            (Architecture::NasnetMobile, 5_289_978 - 1_057_000, 18_369),
            (Architecture::Resnet50, 23_508_032, 26_560),
            (Architecture::Densenet121, 6_953_856, 41_824),
            (Architecture::EfficientnetB0, 4_007_548, 21_008),
        ] {
            let config = BackboneConfig { architecture, in_channels: 3, width: 1.0 };
            let count = config.init(&Device::flex()).num_params();

            assert_eq!(count, weights + 2 * normed, "{}", architecture.name());
        }
    }
}

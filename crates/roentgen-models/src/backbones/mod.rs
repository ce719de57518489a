//! The convolutional parts of the networks, one file per family.
//!
//! Each file has one `Blueprint` per architecture: everything that the rest of the project needs
//! to know of it. `Architecture::blueprint` is the only place that lists them.

mod convnext;
mod densenet;
mod efficientnet;
mod inception_resnet_v2;
mod inception_v3;
pub(crate) mod mobilenet;
mod mobilenet_v2;
mod nasnet;
mod resnet;
mod vgg;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;

use crate::layers::scale_channels;
pub(crate) use crate::published_file::{PublishedFile, Spelling};
use crate::zoo::Architecture;
use convnext::ConvNext;
use densenet::DenseNet;
use efficientnet::EfficientNet;
use inception_resnet_v2::InceptionResNetV2;
use inception_v3::InceptionV3;
use mobilenet::MobileNet;
use mobilenet_v2::MobileNetV2;
use nasnet::NasNet;
use resnet::ResNet;
use vgg::Vgg;

/// Everything that the project needs to know of an architecture.
pub(crate) struct Blueprint {
    /// The name used in experiments and tables.
    pub(crate) name: &'static str,
    /// The size of the films that its paper trains on, in pixels.
    pub(crate) native_size: usize,
    /// The smallest size of films it accepts, in pixels; below it the feature map is empty.
    pub(crate) least_size: usize,
    /// The normalization that its published weights expect.
    pub(crate) normalization: Normalize,
    /// Values that the forward pass keeps for the backward pass, see [`Architecture::activations`].
    pub(crate) activations: f64,
    /// The paper's probability that the last block is skipped in training; `None` for a network
    /// without stochastic depth.
    pub(crate) stochastic_depth: Option<f64>,
    /// Creates the network with random weights.
    pub(crate) init: fn(Scale, &Device) -> Backbone,
    /// The number of channels of the feature map.
    pub(crate) out_channels: fn(Scale) -> usize,
    /// Prefixes of module paths by stage, in the order of the forward pass.
    pub(crate) stages: &'static [&'static [&'static str]],
    /// The name of a module in the published weights, given its path in our network; `None` if the
    /// published weights do not have the module.
    pub(crate) published: fn(&[&str]) -> Option<String>,
    /// The spellings of tensor names in files of its weights.
    pub(crate) spellings: &'static [Spelling],
    /// The file of its published weights; `None` if none is published in a readable format.
    pub(crate) weights: Option<PublishedFile>,
}

/// The scale of a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Channels of the films, 1 or 3.
    pub(crate) in_channels: usize,
    /// Fraction of the paper's channels; 1 is the paper's network.
    pub(crate) width: f64,
    /// Probability that the last block is skipped in training.
    pub(crate) stochastic_depth: f64,
}

impl Scale {
    /// Returns a fraction of the paper's channels, rounded down, at least one.
    pub(crate) fn channels(self, paper: usize) -> usize {
        scale_channels(paper, self.width)
    }
}

/// Computes a feature map from films.
#[derive(Module, Debug)]
pub(crate) enum Backbone {
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
    /// ConvNeXt.
    ConvNext(ConvNext),
}

impl Backbone {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`
    /// - output: `[batch, out_channels, h, w]`, a thirty-second of the film for most networks
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
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
            Backbone::ConvNext(network) => network.forward(films),
        }
    }
}

impl Architecture {
    /// Returns the architecture's blueprint.
    pub(crate) fn blueprint(self) -> &'static Blueprint {
        match self {
            Architecture::Mobilenet => &mobilenet::BLUEPRINT,
            Architecture::MobilenetV2 => &mobilenet_v2::BLUEPRINT,
            Architecture::Vgg16 => &vgg::VGG16,
            Architecture::Vgg19 => &vgg::VGG19,
            Architecture::Resnet50 => &resnet::BLUEPRINT,
            Architecture::Densenet121 => &densenet::BLUEPRINT,
            Architecture::EfficientnetB0 => &efficientnet::BLUEPRINT,
            Architecture::InceptionV3 => &inception_v3::BLUEPRINT,
            Architecture::InceptionResnetV2 => &inception_resnet_v2::BLUEPRINT,
            Architecture::NasnetLarge => &nasnet::LARGE,
            Architecture::NasnetMobile => &nasnet::MOBILE,
            Architecture::ConvnextTiny => &convnext::TINY_BLUEPRINT,
            Architecture::ConvnextBase => &convnext::BASE_BLUEPRINT,
        }
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
        let rows: [(Architecture, f64, usize, Maps); 13] = [
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
            (Architecture::ConvnextTiny, 0.0625, 48, down),
            (Architecture::ConvnextBase, 0.03125, 32, down),
        ];
        assert!(Architecture::ALL.iter().all(|known| rows.iter().any(|row| row.0 == *known)));
        let device = Device::flex();
        for (architecture, width, channels, maps) in rows {
            let name = architecture.name();
            let scale = Scale { in_channels: 1, width, stochastic_depth: 0.0 };
            let Blueprint { init, out_channels, .. } = architecture.blueprint();
            let network = init(scale, &device);
            assert_eq!(out_channels(scale), channels, "{name}");
            for (film, [rows, columns]) in maps {
                let map = network.forward(Tensor::zeros([2, 1, film[0], film[1]], &device));
                assert_eq!(map.dims(), [2, channels, *rows, *columns], "{name} {film:?}");
            }
        }
    }

    #[test]
    fn parameters_are_those_of_the_papers_networks_and_two_running_values_a_normed_channel() {
        // As counted in the references named in `tests/parity`, without their classifiers.
        let rows = [
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
            (Architecture::ConvnextTiny, 28_589_128 - 1536 - 769_000, 0),
            (Architecture::ConvnextBase, 88_591_464 - 2048 - 1_025_000, 0),
        ];
        assert!(Architecture::ALL.iter().all(|known| rows.iter().any(|row| row.0 == *known)));
        for (architecture, weights, normed) in rows {
            let scale = Scale { in_channels: 3, width: 1.0, stochastic_depth: 0.0 };
            let count = (architecture.blueprint().init)(scale, &Device::flex()).num_params();

            assert_eq!(count, weights + 2 * normed, "{}", architecture.name());
        }
    }

    #[test]
    fn every_published_file_has_eight_digits_of_its_sum_in_its_name() {
        let files: Vec<_> =
            Architecture::ALL.into_iter().filter_map(Architecture::published_file).collect();
        assert!(files.len() >= 10);
        for file in files {
            let digits = file.checksum().unwrap();
            assert_eq!(digits.len(), 8, "{}", file.name);
            assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{}", file.name);
        }
    }
}

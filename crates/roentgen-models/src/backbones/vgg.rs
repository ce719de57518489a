//! VGG, from [Very Deep Convolutional Networks for Large-Scale Image Recognition][paper].
//!
//! Stages of 3x3 convolutions with bias and without batch norm, each followed by a 2x2 max pool.
//! The heads of this crate replace the fully connected layers and the dropout between them.
//! torchvision numbers ReLUs and pools as well as convolutions.
//!
//! [paper]: https://arxiv.org/abs/1409.1556

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use roentgen_data::preprocess::Normalize;
use roentgen_kernels::Activation;

use super::{Backbone, Blueprint, PublishedFile, Scale, Spelling};
use crate::layers::{ConvConfig, Padding, convolve_activate, convolve_activate_max_pool};

/// Prefixes of module paths by stage.
const STAGES: &[&[&str]] =
    &[&["stages.0"], &["stages.1"], &["stages.2"], &["stages.3"], &["stages.4"]];

/// VGG-16.
pub(super) const VGG16: Blueprint = Blueprint {
    name: "vgg16",
    native_size: 224,
    least_size: 32,
    normalization: Normalize::Imagenet,
    activations: 270.0,
    stochastic_depth: None,
    init: |scale, device| Backbone::Vgg(Vgg::init(VggVariant::Vgg16, scale, device)),
    out_channels: |scale| Vgg::out_channels(VggVariant::Vgg16, scale),
    stages: STAGES,
    published: |path| published(VggVariant::Vgg16, path),
    spellings: &[Spelling::Newest, Spelling::Own],
    weights: Some(PublishedFile::torchvision("vgg16-397923af.pth")),
};

/// VGG-19.
pub(super) const VGG19: Blueprint = Blueprint {
    name: "vgg19",
    activations: 296.0,
    init: |scale, device| Backbone::Vgg(Vgg::init(VggVariant::Vgg19, scale, device)),
    out_channels: |scale| Vgg::out_channels(VggVariant::Vgg19, scale),
    published: |path| published(VggVariant::Vgg19, path),
    weights: Some(PublishedFile::torchvision("vgg19-dcbb9e9d.pth")),
    ..VGG16
};

/// The members of the family, named by their layers with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum VggVariant {
    /// VGG-16, column D of table 1.
    Vgg16,
    /// VGG-19, column E.
    Vgg19,
}

impl VggVariant {
    /// Returns channels and number of convolutions of each stage (table 1).
    fn table(self) -> [(usize, usize); 5] {
        match self {
            VggVariant::Vgg16 => [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)],
            VggVariant::Vgg19 => [(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)],
        }
    }
}

/// The convolutional part of a VGG.
#[derive(Module, Debug)]
pub(crate) struct Vgg {
    stages: Vec<Vec<Conv2d>>,
}

impl Vgg {
    /// Creates the network with random weights.
    fn init(variant: VggVariant, scale: Scale, device: &Device) -> Vgg {
        let mut inputs = scale.in_channels;
        let stages = variant.table().map(|(channels, convs)| {
            let mut conv = || {
                let channels = [inputs, scale.channels(channels)];
                inputs = channels[1];
                ConvConfig { has_bias: true, ..ConvConfig::new(channels, 3) }.init(device)
            };
            (0..convs).map(|_| conv()).collect()
        });
        Vgg { stages: stages.into() }
    }

    /// Returns the number of channels of the feature map.
    fn out_channels(variant: VggVariant, scale: Scale) -> usize {
        let [.., (channels, _)] = variant.table();
        scale.channels(channels)
    }
}

impl Vgg {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`, height and width at least 32
    /// - output: `[batch, 512 * width, height / 32, width / 32]`
    pub(crate) fn forward(&self, films: Tensor<4>) -> Tensor<4> {
        self.stages.iter().fold(films, |x, stage| {
            let Some((last, convs)) = stage.split_last() else { return x };
            let x = convs
                .iter()
                .fold(x, |x, conv| convolve_activate(conv, x, Padding::Even, Activation::Relu));
            convolve_activate_max_pool(last, x, Padding::Even, Activation::Relu)
        })
    }
}

/// Returns torchvision's name of a module.
fn published(variant: VggVariant, path: &[&str]) -> Option<String> {
    let ["stages", stage, conv] = path else { return None };
    let (stage, conv) = (stage.parse::<usize>().ok()?, conv.parse::<usize>().ok()?);
    let before =
        variant.table().get(..stage)?.iter().map(|&(_, convs)| 2 * convs + 1).sum::<usize>();
    Some(format!("features.{}", before + 2 * conv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relus_and_pools_are_counted_in_published_names() {
        let name = |variant, path: &[&str]| published(variant, path).unwrap();

        assert_eq!(name(VggVariant::Vgg16, &["stages", "4", "2"]), "features.28");
        assert_eq!(name(VggVariant::Vgg19, &["stages", "4", "3"]), "features.34");
    }
}

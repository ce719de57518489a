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
use roentgen_kernels::Activation;

use crate::layers::{ConvConfig, Padding, convolve_activate, convolve_activate_max_pool};

/// Prefixes of module paths by stage.
pub(crate) const STAGES: &[&[&str]] =
    &[&["stages.0"], &["stages.1"], &["stages.2"], &["stages.3"], &["stages.4"]];

/// The members of the family, named by their layers with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VggVariant {
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

/// Configuration of [`Vgg`].
#[derive(Clone, Copy, Debug)]
pub struct VggConfig {
    /// The member of the family.
    pub variant: VggVariant,
    /// Channels of the films.
    pub in_channels: usize,
    /// Fraction of the paper's channels.
    pub width: f64,
}

/// The convolutional part of a VGG.
#[derive(Module, Debug)]
pub struct Vgg {
    stages: Vec<Vec<Conv2d>>,
}

impl VggConfig {
    /// Creates the network with random weights.
    pub fn init(&self, device: &Device) -> Vgg {
        let mut inputs = self.in_channels;
        let stages = self.variant.table().map(|(channels, convs)| {
            let mut conv = || {
                let channels = [inputs, self.channels(channels)];
                inputs = channels[1];
                ConvConfig { has_bias: true, ..ConvConfig::new(channels, 3) }.init(device)
            };
            (0..convs).map(|_| conv()).collect()
        });
        Vgg { stages: stages.into() }
    }

    /// Returns the number of channels of the feature map.
    pub fn out_channels(&self) -> usize {
        let [.., (channels, _)] = self.variant.table();
        self.channels(channels)
    }

    fn channels(&self, paper: usize) -> usize {
        ((paper as f64 * self.width) as usize).max(1)
    }
}

impl Vgg {
    /// Extracts the feature map.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, in_channels, height, width]`, height and width at least 32
    /// - output: `[batch, 512 * width, height / 32, width / 32]`
    pub fn forward(&self, films: Tensor<4>) -> Tensor<4> {
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
pub(crate) fn published(variant: VggVariant, path: &[&str]) -> Option<String> {
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

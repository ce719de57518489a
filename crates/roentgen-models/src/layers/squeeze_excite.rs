//! Squeeze-and-excitation, from [Squeeze-and-Excitation Networks][paper].
//!
//! The function between the two convolutions is EfficientNet's SiLU, not the paper's ReLU. The
//! dense layers of the paper are 1x1 convolutions with bias here, since published weights have that
//! shape.
//!
//! [paper]: https://arxiv.org/abs/1709.01507

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor};

use super::{ConvConfig, Padding, convolve};

/// Weights each channel by a factor in 0..1, computed from the means of all channels over the film.
#[derive(Module, Debug)]
pub(crate) struct SqueezeExcite {
    squeeze: Conv2d,
    excite: Conv2d,
}

impl SqueezeExcite {
    /// Creates the layer for `channels` channels, with `squeezed` values between the convolutions.
    pub(crate) fn init(channels: usize, squeezed: usize, device: &Device) -> Self {
        let dense = |channels| ConvConfig { has_bias: true, ..ConvConfig::new(channels, 1) };
        Self {
            squeeze: dense([channels, squeezed]).init(device),
            excite: dense([squeezed, channels]).init(device),
        }
    }

    /// Multiplies each channel by its factor.
    ///
    /// # Shapes
    ///
    /// - `x`, output: `[batch, channels, height, width]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let means = adaptive_avg_pool2d(x.clone(), [1, 1]);
        let squeezed = silu(convolve(&self.squeeze, means, Padding::None));
        x * sigmoid(convolve(&self.excite, squeezed, Padding::None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::Initializer;
    use burn::tensor::Distribution;

    #[test]
    fn without_excitation_every_channel_counts_half() {
        let device = Device::flex();
        let x = Tensor::<4>::random([2, 5, 3, 4], Distribution::Normal(0.0, 1.0), &device);
        let mut layer = SqueezeExcite::init(5, 2, &device);
        layer.excite.weight = Initializer::Zeros.init([5, 2, 1, 1], &device);
        let y = layer.forward(x.clone());

        assert!((y - x / 2.0).abs().max().into_scalar::<f32>() < 1e-6);
    }
}

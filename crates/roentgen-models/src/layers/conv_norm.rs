//! Convolution, batch norm, ReLU6: the unit of the MobileNets.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// Keras' MobileNet normalizes with this, ten times the usual.
const EPSILON: f64 = 1e-3;

/// What a [`ConvNorm`] is made of. Its convolution has no bias: the batch norm has one.
#[derive(Clone, Copy, Debug)]
pub struct ConvNormConfig {
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Height and width of the kernel, 1 or 3.
    pub kernel: usize,
    /// Step in both directions, 1 or 2.
    pub stride: usize,
    /// One group a channel (depthwise) or one for all.
    pub groups: usize,
}

/// A convolution without bias, batch norm, ReLU6.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNormConfig {
    /// Makes the block, its convolution drawn by He et al.'s rule.
    pub fn init(&self, device: &Device) -> ConvNorm {
        let padding = match (self.kernel, self.stride) {
            (1, _) => PaddingConfig2d::Valid,
            // Keras pads a step of two below and on the right only.
            (_, 2) => PaddingConfig2d::Explicit(0, 0, 1, 1),
            _ => PaddingConfig2d::Explicit(1, 1, 1, 1),
        };
        let conv = Conv2dConfig::new(self.channels, [self.kernel, self.kernel])
            .with_stride([self.stride, self.stride])
            .with_groups(self.groups)
            .with_padding(padding)
            .with_bias(false)
            .with_initializer(Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            });
        let norm = BatchNormConfig::new(self.channels[1]).with_epsilon(EPSILON);
        ConvNorm { conv: conv.init(device), norm: norm.init(device) }
    }
}

impl ConvNorm {
    /// Applies the block.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, ceil(height / stride), ceil(width / stride)]` for even sizes
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        relu6(self.norm.forward(self.conv.forward(x)))
    }
}

/// ReLU6 as two ReLUs: Burn's `clamp` has a gradient that takes a third of a CPU step.
pub fn relu6<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    relu(relu(x).neg() + 6.0).neg() + 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu6_is_cut_at_both_ends() {
        let x = Tensor::<1>::from_floats([-1.0, 0.5, 6.0, 9.0], &Device::flex());

        assert_eq!(relu6(x).into_data().try_to_vec::<f32>().unwrap(), [0.0, 0.5, 6.0, 6.0]);
    }
}

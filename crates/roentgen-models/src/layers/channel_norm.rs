//! [Layer normalization][paper] over the channels of each pixel.
//!
//! [paper]: https://arxiv.org/abs/1607.06450

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// Added to the variance, as in ConvNeXt.
const EPSILON: f64 = 1e-6;

/// Normalizes the channels of each pixel to mean 0 and variance 1, then scales and shifts each
/// channel.
#[derive(Module, Debug)]
pub(crate) struct ChannelNorm {
    /// `[channels]`
    gamma: Param<Tensor<1>>,
    /// `[channels]`
    beta: Param<Tensor<1>>,
}

impl ChannelNorm {
    /// Creates the norm with scales of one and shifts of zero.
    pub(crate) fn init(channels: usize, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([channels], device)),
            beta: Param::from_tensor(Tensor::zeros([channels], device)),
        }
    }

    /// Normalizes, in single precision whatever the type of `x`.
    ///
    /// # Shapes
    ///
    /// - `x`, output: `[batch, channels, height, width]`
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        roentgen_kernels::channel_norm(x, [self.gamma.val(), self.beta.val()], EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    #[test]
    fn each_pixel_has_mean_zero_and_variance_one_before_scale_and_shift() {
        let device = Device::flex();
        let x = Tensor::<4>::random([2, 5, 3, 4], Distribution::Normal(3.0, 2.0), &device);
        let norm = ChannelNorm::init(5, &device);
        let y = norm.forward(x);

        assert!(y.clone().mean_dim(1).abs().max().into_scalar::<f32>() < 1e-5);
        assert!((y.square().mean_dim(1) - 1.0).abs().max().into_scalar::<f32>() < 1e-4);
    }
}

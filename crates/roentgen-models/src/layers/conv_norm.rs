//! Convolution, batch norm, ReLU6: the unit of the MobileNets.
//!
//! Burn's own layers hold the parameters, the kernels of `roentgen-kernels` compute; on other devices
//! than the CPU these are Burn's operations again.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use roentgen_kernels::{depthwise3x3, norm_relu6, pointwise, scale_relu6, stem3x3};

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
        let [top, left, bottom, right] =
            if self.kernel == 1 { [0; 4] } else { padding(self.stride) };
        let conv = Conv2dConfig::new(self.channels, [self.kernel, self.kernel])
            .with_stride([self.stride, self.stride])
            .with_groups(self.groups)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
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
        let is_training = x.device().is_autodiff() && self.norm.training.is_enabled();
        let x = self.convolve(x);
        if is_training { self.normalize_by_batch(x) } else { self.normalize(x) }
    }

    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        let weight = self.conv.weight.val();
        let stride = self.conv.stride[0];
        let padding = padding(stride);
        match (self.conv.kernel_size[0], self.conv.groups) {
            (1, _) => pointwise(x, weight),
            (_, 1) => stem3x3(x, weight, stride, padding),
            _ => depthwise3x3(x, weight, stride, padding),
        }
    }

    /// Normalizes by the batch and moves the running statistics towards it, as Burn's own layer does.
    fn normalize_by_batch(&self, x: Tensor<4>) -> Tensor<4> {
        let norm = &self.norm;
        let (y, mean, variance) = norm_relu6(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
        for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
            let kept = running.value_sync().to_device(&batch.device()) * (1.0 - norm.momentum);
            running.update((kept + batch * norm.momentum).detach());
        }
        y
    }

    /// Normalizes by the running statistics, folded into one scale and one shift a channel.
    fn normalize(&self, x: Tensor<4>) -> Tensor<4> {
        let norm = &self.norm;
        let device = x.device();
        let variance = norm.running_var.value().to_device(&device);
        let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
        let mean = norm.running_mean.value().to_device(&device);
        scale_relu6(x, scale.clone(), norm.beta.val() - mean * scale)
    }
}

/// Zeros on the top, left, bottom and right of a 3x3 convolution.
fn padding(stride: usize) -> [usize; 4] {
    // Keras pads a step of two below and on the right only.
    if stride == 2 { [0, 0, 1, 1] } else { [1; 4] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;
    use burn::tensor::activation::relu;

    /// The block in nothing but Burn's own layers.
    fn plain(block: &ConvNorm, x: Tensor<4>) -> Tensor<4> {
        let x = block.norm.forward(block.conv.forward(x));
        relu(relu(x).neg() + 6.0).neg() + 6.0
    }

    fn largest_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar::<f32>()
    }

    fn blocks() -> [ConvNormConfig; 4] {
        let block =
            |channels, kernel, stride, groups| ConvNormConfig { channels, kernel, stride, groups };
        [
            block([3, 8], 3, 2, 1),
            block([6, 6], 3, 1, 6),
            block([6, 6], 3, 2, 6),
            block([6, 10], 1, 1, 1),
        ]
    }

    #[test]
    fn while_training_the_block_is_burns_layers_and_moves_the_same_statistics() {
        let device = Device::flex().autodiff();
        device.seed(1);
        for config in blocks() {
            let films = || {
                Tensor::random(
                    [3, config.channels[0], 10, 14],
                    Distribution::Normal(0.0, 2.0),
                    &device,
                )
            };
            let fast = config.init(&device);
            let slow = crate::weights::load(
                config.init(&device),
                crate::weights::to_bytes(&fast).unwrap().to_vec(),
            )
            .unwrap();
            for _ in 0..3 {
                let x: Tensor<4> = films();
                let difference = largest_difference(fast.forward(x.clone()), plain(&slow, x));
                assert!(difference < 1e-4, "{config:?}: {difference}");
            }
            let (fast, slow) = (fast.valid(), slow.valid());
            let x = films().inner();
            assert!(
                largest_difference(fast.norm.running_mean.value(), slow.norm.running_mean.value())
                    < 1e-5
            );
            assert!(
                largest_difference(fast.norm.running_var.value(), slow.norm.running_var.value())
                    < 1e-4
            );
            assert!(largest_difference(fast.forward(x.clone()), plain(&slow, x)) < 1e-4);
        }
    }
}

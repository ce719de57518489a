//! Convolution, batch norm, activation: the unit of most networks.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};

use super::{Activation, ConvConfig, Padding, Pending};

/// Configuration of a [`ConvNorm`]. Its convolution has no bias, because the batch norm has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvNormConfig {
    /// Input and output channels.
    pub(crate) channels: [usize; 2],
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    /// Stride in both directions.
    pub(crate) stride: usize,
    /// As many groups as channels (depthwise), or one.
    pub(crate) groups: usize,
    /// Zeros around the film.
    pub(crate) padding: Padding,
    /// Added to the variance. TensorFlow's networks are trained with ten to a hundred times
    /// PyTorch's epsilon.
    pub(crate) epsilon: f64,
    /// The activation at the end.
    pub(crate) activation: Activation,
}

/// A convolution without bias, a batch norm and an activation.
#[derive(Module, Debug)]
pub(crate) struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
    #[module(skip)]
    padding: Padding,
    #[module(skip)]
    activation: Activation,
}

impl ConvNormConfig {
    /// Configures a window of `kernel` by `kernel` with stride 1, one group, PyTorch's padding and
    /// epsilon, and ReLU.
    pub(crate) fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel: [kernel; 2],
            stride: 1,
            groups: 1,
            padding: Padding::Even,
            epsilon: 1e-5,
            activation: Activation::Relu,
        }
    }

    /// Creates the block; its convolution is initialized by He et al.'s rule.
    pub(crate) fn init(&self, device: &Device) -> ConvNorm {
        let Self { channels, kernel, stride, groups, padding, epsilon, activation } = *self;
        let conv = ConvConfig { channels, kernel, stride, groups, has_bias: false };
        let norm = BatchNormConfig::new(channels[1]).with_epsilon(epsilon);
        ConvNorm { conv: conv.init(device), norm: norm.init(device), padding, activation }
    }
}

impl ConvNorm {
    /// Applies the block.
    ///
    /// # Shapes
    ///
    /// - `x`: `[batch, channels in, height, width]`
    /// - output: `[batch, channels out, ceil(height / stride), …]` if the padding keeps the size
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.chain(x.into()).value()
    }

    /// Convolves, and leaves the block's norm and activation to the next layer.
    ///
    /// # Shapes
    ///
    /// See [`forward`](Self::forward).
    pub(crate) fn chain<'a>(&'a self, x: Pending<'a>) -> Pending<'a> {
        Pending::new(x.convolve(&self.conv, self.padding), &self.norm, self.activation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;
    use burn::tensor::activation::{relu, silu};

    /// Computes the block with Burn's own layers only.
    fn plain(block: &ConvNorm, x: Tensor<4>) -> Tensor<4> {
        let [top, left, bottom, right] =
            block.padding.for_window(&x, block.conv.kernel_size, block.conv.stride[0]);
        let x = x.pad((left, right, top, bottom), 0.0);
        let x = block.norm.forward(block.conv.forward(x));
        match block.activation {
            Activation::Linear => x,
            Activation::Relu => relu(x),
            Activation::Relu6 => relu(relu(x).neg() + 6.0).neg() + 6.0,
            Activation::Silu => silu(x),
        }
    }

    fn largest_difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
        (a - b).abs().max().into_scalar::<f32>()
    }

    fn blocks() -> [ConvNormConfig; 7] {
        let block = ConvNormConfig::new;
        [
            ConvNormConfig { stride: 2, padding: Padding::Below, ..block([3, 8], 3) },
            ConvNormConfig { groups: 6, activation: Activation::Relu6, ..block([6, 6], 3) },
            ConvNormConfig { groups: 6, stride: 2, padding: Padding::Same, ..block([6, 6], 3) },
            ConvNormConfig { activation: Activation::Linear, ..block([6, 10], 1) },
            ConvNormConfig { activation: Activation::Silu, ..block([6, 10], 3) },
            ConvNormConfig { kernel: [1, 7], ..block([4, 5], 7) },
            ConvNormConfig { stride: 2, ..block([4, 5], 1) },
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

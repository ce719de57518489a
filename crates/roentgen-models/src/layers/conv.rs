//! Convolutions by the algorithm that is fastest for their shape.
//!
//! Burn's own layer contains weight and bias; its padding is never used, since padding may depend
//! on the size of the film.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use roentgen_kernels::{
    self as kernels, Activation, Convolution, shift_activate, shift_activate_max_pool,
};

use super::{Padding, shift_gelu};

/// Configuration of a convolution, without its padding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvConfig {
    /// Input and output channels.
    pub(crate) channels: [usize; 2],
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    /// Stride in both directions.
    pub(crate) stride: usize,
    /// Number of groups of channels that do not see each other; as many groups as channels is
    /// depthwise.
    pub(crate) groups: usize,
    /// Whether a bias is added to each channel. Before a batch norm it would have no effect.
    pub(crate) has_bias: bool,
}

impl ConvConfig {
    /// Configures a window of `kernel` by `kernel` with stride 1, one group and no bias.
    pub(crate) fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self { channels, kernel: [kernel; 2], stride: 1, groups: 1, has_bias: false }
    }

    /// Creates the convolution, initialized by He et al.'s rule, with bias zero.
    pub(crate) fn init(&self, device: &Device) -> Conv2d {
        // Burn's own initialization would also randomize the bias.
        let bias = self.has_bias.then(|| Initializer::Zeros.init([self.channels[1]], device));
        let conv = Conv2dConfig::new(self.channels, self.kernel)
            .with_stride([self.stride; 2])
            .with_groups(self.groups)
            .with_padding(PaddingConfig2d::Valid)
            .with_bias(false)
            .with_initializer(Initializer::KaimingNormal {
                gain: std::f64::consts::SQRT_2,
                fan_out_only: false,
            })
            .init(device);
        Conv2d { bias, ..conv }
    }
}

/// Convolves.
///
/// # Shapes
///
/// - `x`: `[batch, channels in, height, width]`
/// - output: `[batch, channels out, ceil(height / stride), …]` if the padding keeps the size
pub(crate) fn convolve(conv: &Conv2d, x: Tensor<4>, padding: Padding) -> Tensor<4> {
    convolve_activate(conv, x, padding, Activation::Linear)
}

/// Convolves, adds the bias if there is one, then activates.
///
/// # Shapes
///
/// See [`convolve`].
pub(crate) fn convolve_activate(
    conv: &Conv2d,
    x: Tensor<4>,
    padding: Padding,
    activation: Activation,
) -> Tensor<4> {
    let y = window_alone(conv, x, padding);
    if conv.bias.is_none() && activation == Activation::Linear {
        return y;
    }
    let shift = bias(conv, &y);
    shift_activate(y, shift, activation)
}

/// Convolves, adds the bias if there is one, then applies the Gaussian error linear unit.
///
/// # Shapes
///
/// See [`convolve`].
pub(crate) fn convolve_gelu(conv: &Conv2d, x: Tensor<4>, padding: Padding) -> Tensor<4> {
    let y = window_alone(conv, x, padding);
    let shift = bias(conv, &y);
    shift_gelu(y, shift)
}

/// Convolves, adds the bias if there is one, activates, and takes the maximum of each 2x2 block.
///
/// # Shapes
///
/// - `x`: `[batch, channels in, height, width]`
/// - output: `[batch, channels out, height / stride / 2, …]` if the padding keeps the size
pub(crate) fn convolve_activate_max_pool(
    conv: &Conv2d,
    x: Tensor<4>,
    padding: Padding,
    activation: Activation,
) -> Tensor<4> {
    let y = window_alone(conv, x, padding);
    let shift = bias(conv, &y);
    shift_activate_max_pool(y, shift, activation, [2; 2], [0; 4])
}

/// Returns the bias, or zeros if there is none.
fn bias(conv: &Conv2d, y: &Tensor<4>) -> Tensor<1> {
    let zero = || Tensor::zeros([y.dims()[1]], &y.device());
    conv.bias.as_ref().map_or_else(zero, |bias| bias.val())
}

/// Convolves without the bias.
fn window_alone(conv: &Conv2d, x: Tensor<4>, padding: Padding) -> Tensor<4> {
    let weight = conv.weight.val();
    match without_bias(conv, &x, padding) {
        Some(convolution) => kernels::convolve(x, weight, convolution),
        None => {
            let [top, left, bottom, right] =
                padding.for_window(&x, conv.kernel_size, conv.stride[0]);
            let padding = [(top, bottom), (left, right)];
            let options = ConvOptions::new_with_padding(conv.stride, padding, [1; 2], conv.groups);
            conv2d(x, weight, None, options)
        }
    }
}

/// Returns the convolution if it has no bias.
pub(crate) fn plain(conv: &Conv2d, x: &Tensor<4>, padding: Padding) -> Option<Convolution> {
    without_bias(conv, x, padding).filter(|_| conv.bias.is_none())
}

/// Returns the convolution without its bias; `None` if it has groups of several channels.
fn without_bias(conv: &Conv2d, x: &Tensor<4>, padding: Padding) -> Option<Convolution> {
    let is_depthwise = conv.groups == x.dims()[1] && conv.weight.dims()[..2] == [conv.groups, 1];
    let padding = padding.for_window(x, conv.kernel_size, conv.stride[0]);
    (is_depthwise || conv.groups == 1).then(|| Convolution {
        is_depthwise,
        stride: conv.stride[0],
        padding,
    })
}

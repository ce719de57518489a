//! The same operations in plain Burn: what runs on a device other than `flex`, and what the tests
//! compare with.

use burn::tensor::activation::{relu, silu};
use burn::tensor::module::{avg_pool2d, batch_norm_train, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{DType, FloatDType, Tensor};

use crate::activation::Activation;
use crate::settings::Convolution;

/// [`convolve`](crate::convolve) in plain Burn.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, convolution: Convolution) -> Tensor<4> {
    let Convolution { is_depthwise, stride, padding: [top, left, bottom, right] } = convolution;
    let groups = if is_depthwise { x.dims()[1] } else { 1 };
    let padding = [(top, bottom), (left, right)];
    let options = ConvOptions::new_with_padding([stride; 2], padding, [1; 2], groups);
    conv2d(x, weight, None, options)
}

/// [`max_pool`](crate::max_pool) in plain Burn.
pub fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let [top, left, bottom, right] = padding;
    let options = MaxPoolOptions::new([kernel; 2])
        .with_stride([stride; 2])
        .with_padding_pairs([(top, bottom), (left, right)]);
    max_pool2d(x, options)
}

/// The mean of each two by two values; an odd row or column is left out.
pub fn mean_pool(x: Tensor<4>) -> Tensor<4> {
    avg_pool2d(x, AvgPoolOptions::new([2, 2]))
}

/// [`norm_activate`](crate::norm_activate) in plain Burn.
pub fn norm_activate(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let normalized = batch_norm_train(x, gamma, beta, epsilon);
    (activate(normalized.output, activation), normalized.mean, normalized.variance)
}

/// [`norm_add_activate`](crate::norm_add_activate) in plain Burn.
pub fn norm_add_activate(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    shortcut: Tensor<4>,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let (y, mean, variance) = norm_activate(x, gamma, beta, epsilon, Activation::Linear);
    (activate(y + shortcut, activation), mean, variance)
}

/// [`scale_activate`](crate::scale_activate) in plain Burn.
pub fn scale_activate(
    x: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    activation: Activation,
) -> Tensor<4> {
    let shape = [1, x.dims()[1], 1, 1];
    in_weights_precision(x, |x| {
        activate(x * scale.reshape(shape) + shift.reshape(shape), activation)
    })
}

/// [`shift_activate`](crate::shift_activate) in plain Burn.
pub fn shift_activate(x: Tensor<4>, shift: Tensor<1>, activation: Activation) -> Tensor<4> {
    let shape = [1, x.dims()[1], 1, 1];
    in_weights_precision(x, |x| activate(x + shift.reshape(shape), activation))
}

/// [`channel_norm`](crate::channel_norm) in plain Burn.
pub fn channel_norm(x: Tensor<4>, affine: [Tensor<1>; 2], epsilon: f64) -> Tensor<4> {
    let [gamma, beta] = affine.map(|values| values.unsqueeze_dims::<4>(&[0, 2, 3]));
    in_weights_precision(x, |x| {
        // A sum and a product, since burn-onnx exports no mean over one dimension.
        let mean = |x: Tensor<4>| x.clone().sum_dim(1) * (1.0 / x.dims()[1] as f64);
        let centered = x.clone() - mean(x);
        let variance = mean(centered.clone() * centered.clone());
        centered / (variance + epsilon).sqrt() * gamma + beta
    })
}

/// [`scaled_add`](crate::scaled_add) in plain Burn.
pub fn scaled_add(
    x: Tensor<4>,
    inner: Tensor<4>,
    scale: Tensor<1>,
    factor: Option<Tensor<1>>,
) -> Tensor<4> {
    let ([batch, channels, ..], dtype) = (x.dims(), inner.dtype());
    let scaled = inner * scale.reshape([1, channels, 1, 1]).cast(dtype);
    match factor {
        None => x + scaled,
        Some(factor) => x + scaled * factor.reshape([batch, 1, 1, 1]).cast(dtype),
    }
}

/// Computes on activations of 16 bits in single precision, which the weights are in: Burn does not mix the two.
fn in_weights_precision(x: Tensor<4>, compute: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    match x.dtype() {
        DType::BF16 => compute(x.cast(FloatDType::F32)).cast(FloatDType::BF16),
        DType::F16 => compute(x.cast(FloatDType::F32)).cast(FloatDType::F16),
        _ => compute(x),
    }
}

/// Activates. ReLU6 is two ReLUs here: Burn's `clamp` has a gradient that takes a third of a CPU step.
pub fn activate(x: Tensor<4>, activation: Activation) -> Tensor<4> {
    match activation {
        Activation::Linear => x,
        Activation::Relu => relu(x),
        Activation::Relu6 => relu(relu(x).neg() + 6.0).neg() + 6.0,
        Activation::Silu => silu(x),
    }
}

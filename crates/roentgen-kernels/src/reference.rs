//! The same operations in plain Burn: what runs on a device other than `flex`, and what the tests
//! compare with.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;

/// [`depthwise3x3`](crate::depthwise3x3) in plain Burn.
pub fn depthwise3x3(
    x: Tensor<4>,
    weight: Tensor<4>,
    stride: usize,
    padding: [usize; 4],
) -> Tensor<4> {
    let groups = x.dims()[1];
    conv2d(x, weight, None, options(stride, padding, groups))
}

/// [`pointwise`](crate::pointwise) in plain Burn.
pub fn pointwise(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    conv2d(x, weight, None, options(1, [0; 4], 1))
}

/// [`stem3x3`](crate::stem3x3) in plain Burn.
pub fn stem3x3(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    conv2d(x, weight, None, options(stride, padding, 1))
}

/// [`norm_relu6`](crate::norm_relu6) in plain Burn.
pub fn norm_relu6(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let normalized = batch_norm_train(x, gamma, beta, epsilon);
    (relu6(normalized.output), normalized.mean, normalized.variance)
}

/// [`scale_relu6`](crate::scale_relu6) in plain Burn.
pub fn scale_relu6(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<4> {
    let shape = [1, x.dims()[1], 1, 1];
    relu6(x * scale.reshape(shape) + shift.reshape(shape))
}

/// ReLU6 as two ReLUs: Burn's `clamp` has a gradient that takes a third of a CPU step.
fn relu6(x: Tensor<4>) -> Tensor<4> {
    relu(relu(x).neg() + 6.0).neg() + 6.0
}

fn options(stride: usize, [top, left, bottom, right]: [usize; 4], groups: usize) -> ConvOptions<2> {
    ConvOptions::new_with_padding([stride; 2], [(top, bottom), (left, right)], [1; 2], groups)
}

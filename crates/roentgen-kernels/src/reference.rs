//! The same operations in plain Burn: what runs on a device other than `flex`, and what the tests
//! compare with.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::{batch_norm_train, conv2d};
use burn::tensor::ops::ConvOptions;

use crate::Cut;

/// [`depthwise`](crate::depthwise()) in plain Burn.
pub fn depthwise(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let groups = x.dims()[1];
    conv2d(x, weight, None, options(stride, padding, groups))
}

/// [`pointwise`](crate::pointwise) in plain Burn.
pub fn pointwise(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    conv2d(x, weight, None, options(1, [0; 4], 1))
}

/// [`dense`](crate::dense()) in plain Burn.
pub fn dense(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    conv2d(x, weight, None, options(stride, padding, 1))
}

/// [`norm_cut`](crate::norm_cut) in plain Burn.
pub fn norm_cut(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    cut: Cut,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let normalized = batch_norm_train(x, gamma, beta, epsilon);
    (rectify(normalized.output, cut), normalized.mean, normalized.variance)
}

/// [`scale_cut`](crate::scale_cut) in plain Burn.
pub fn scale_cut(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>, cut: Cut) -> Tensor<4> {
    let shape = [1, x.dims()[1], 1, 1];
    rectify(x * scale.reshape(shape) + shift.reshape(shape), cut)
}

/// [`shift_cut`](crate::shift_cut) in plain Burn.
pub fn shift_cut(x: Tensor<4>, shift: Tensor<1>, cut: Cut) -> Tensor<4> {
    let shape = [1, x.dims()[1], 1, 1];
    rectify(x + shift.reshape(shape), cut)
}

/// ReLU6 is two ReLUs here: Burn's `clamp` has a gradient that takes a third of a CPU step.
fn rectify(x: Tensor<4>, cut: Cut) -> Tensor<4> {
    match cut {
        Cut::None => x,
        Cut::Relu => relu(x),
        Cut::Relu6 => relu(relu(x).neg() + 6.0).neg() + 6.0,
    }
}

fn options(stride: usize, [top, left, bottom, right]: [usize; 4], groups: usize) -> ConvOptions<2> {
    ConvOptions::new_with_padding([stride; 2], [(top, bottom), (left, right)], [1; 2], groups)
}

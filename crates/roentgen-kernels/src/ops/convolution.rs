//! Convolutions, alone or fused with the norm and the activation in front of them.

use burn::backend::Dispatch;
use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::algorithm::Algorithm;
use crate::operation::Operation;
use crate::ops::norm::{self, Normed};
use crate::place::{self, Place};
use crate::reference;
use crate::settings::Convolution;
use crate::tape::{self, Infer as _};

/// Convolves.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels out, channels, kernel height, kernel width]`, depthwise `[channels, 1, …]`
/// - output: `[batch, channels out, (height + top + bottom - kernel height) / stride + 1, …]`
///
/// # Panics
///
/// Panics if `weight` has another shape, if the stride is zero, and if the padded plane is smaller
/// than the window.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, convolution: Convolution) -> Tensor<4> {
    let algorithm = Algorithm::new(x.dims(), weight.dims(), convolution);
    if !place::takes([Place::of_activation(&x), Place::of_weight(&weight)]) {
        return reference::convolve(x, weight, convolution);
    }
    let inputs = [x.into_dispatch(), weight.into_dispatch()];
    let [y] = tape::run(Operation::Convolve(algorithm), inputs);
    Tensor::from_dispatch(y)
}

/// Normalizes as [`norm_activate`](crate::norm_activate) does and convolves the result.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `gamma`, `beta`, mean, variance: `[channels]`
/// - the others as in [`convolve`]
///
/// # Panics
///
/// Panics as [`convolve`] does, and if `gamma` or `beta` has another shape.
pub fn norm_convolve(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    activation: Activation,
    weight: Tensor<4>,
    convolution: Convolution,
) -> Normed {
    norm::check(&x, [&gamma, &beta]);
    let algorithm = Algorithm::new(x.dims(), weight.dims(), convolution);
    let [of_gamma, of_beta] = [&gamma, &beta].map(Place::of_weight);
    if !place::takes([Place::of_activation(&x), of_gamma, of_beta, Place::of_weight(&weight)]) {
        let (y, mean, variance) = reference::norm_activate(x, gamma, beta, epsilon, activation);
        return (reference::convolve(y, weight, convolution), mean, variance);
    }
    let operation = Operation::NormConvolve { epsilon, curve: activation.curve(), algorithm };
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    norm::run(operation, [x.into_dispatch(), gamma, beta, weight.into_dispatch()])
}

/// Scales as [`scale_activate`](crate::scale_activate) does and convolves the result. It is fast only
/// on devices without autodiff.
///
/// # Shapes
///
/// - `scale`, `shift`: `[channels]`
/// - the others as in [`convolve`]
///
/// # Panics
///
/// Panics as [`convolve`] does, and if `scale` or `shift` has another shape.
pub fn scale_convolve(
    x: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    activation: Activation,
    weight: Tensor<4>,
    convolution: Convolution,
) -> Tensor<4> {
    norm::check(&x, [&scale, &shift]);
    let algorithm = Algorithm::new(x.dims(), weight.dims(), convolution);
    let [of_scale, of_shift] = [&scale, &shift].map(Place::of_constant);
    let of_x = Place::of_activation(&x).filter(|_| !x.device().is_autodiff());
    if !place::takes([of_x, of_scale, of_shift, Place::of_constant(&weight)]) {
        let y = reference::scale_activate(x, scale, shift, activation);
        return reference::convolve(y, weight, convolution);
    }
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let curve = activation.curve();
    Tensor::from_dispatch(Dispatch::scale_convolve(x, scale, shift, weight, curve, algorithm))
}

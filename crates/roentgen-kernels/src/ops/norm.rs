//! Batch normalization and the activation after it.

use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::operation::Operation;
use crate::place::{self, Place};
use crate::reference;
use crate::tape::{self, Infer as _};

/// What an operation with a norm returns: the output and, without gradients, mean and biased variance
/// of each channel of the norm's input, `[channels]` each.
pub(crate) type Normed = (Tensor<4>, Tensor<1>, Tensor<1>);

/// Normalizes each channel by its mean and variance over the batch, then activates.
///
/// Returns the output and, without gradients, mean and biased variance of each channel, the ones
/// that Burn's `BatchNorm` averages.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics if `gamma` or `beta` has another shape.
pub fn norm_activate(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> Normed {
    check(&x, [&gamma, &beta]);
    let [of_gamma, of_beta] = [&gamma, &beta].map(Place::of_weight);
    if !place::takes([Place::of_activation(&x), of_gamma, of_beta]) {
        return reference::norm_activate(x, gamma, beta, epsilon, activation);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let operation = Operation::Norm { epsilon, curve: activation.curve() };
    run(operation, [x.into_dispatch(), gamma, beta])
}

/// Multiplies each channel, adds to it, and activates.
///
/// This is [`norm_activate`] by running statistics, with `scale = gamma / sqrt(variance + epsilon)`
/// and `shift = beta - mean * scale`. It is fast only on devices without autodiff.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `scale`, `shift`: `[channels]`
///
/// # Panics
///
/// Panics if `scale` or `shift` has another shape.
pub fn scale_activate(
    x: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    activation: Activation,
) -> Tensor<4> {
    check(&x, [&scale, &shift]);
    let [of_scale, of_shift] = [&scale, &shift].map(Place::of_constant);
    let of_x = Place::of_activation(&x).filter(|_| !x.device().is_autodiff());
    if !place::takes([of_x, of_scale, of_shift]) {
        return reference::scale_activate(x, scale, shift, activation);
    }
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    let y = Dispatch::scale_activate(x.into_dispatch(), scale, shift, activation.curve());
    Tensor::from_dispatch(y)
}

/// Panics unless there are as many scales and shifts as channels.
pub(crate) fn check(x: &Tensor<4>, affine: [&Tensor<1>; 2]) {
    assert_eq!(affine.map(Tensor::dims), [[x.dims()[1]]; 2], "one scale and one shift a channel");
}

/// Runs an operation that returns an output and the statistics of its norm.
pub(crate) fn run<const N: usize>(operation: Operation, inputs: [DispatchTensor; N]) -> Normed {
    let [y, mean, variance] = tape::run(operation, inputs);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

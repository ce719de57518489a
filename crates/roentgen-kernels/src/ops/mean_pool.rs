//! The transition between two blocks of a DenseNet.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::operation::Operation;
use crate::ops::norm::{self, Normed};
use crate::place::{self, Place};
use crate::reference;

/// Normalizes and activates as [`norm_activate`](crate::norm_activate) does, then takes the mean of
/// each two by two values; an odd row or column is left out.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`, height and width at least two
/// - output: `[batch, channels, height / 2, width / 2]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics if `gamma` or `beta` has another shape, and if height or width is below two.
pub fn norm_activate_mean_pool(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    activation: Activation,
) -> Normed {
    norm::check(&x, [&gamma, &beta]);
    let [_, _, height, width] = x.dims();
    assert!(height.min(width) >= 2, "a mean of two by two needs a plane of that size");
    let [of_gamma, of_beta] = [&gamma, &beta].map(Place::of_weight);
    if !place::takes([Place::of_activation(&x), of_gamma, of_beta]) {
        let (y, mean, variance) = reference::norm_activate(x, gamma, beta, epsilon, activation);
        return (reference::mean_pool(y), mean, variance);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let operation = Operation::NormMeanPool { epsilon, curve: activation.curve() };
    norm::run(operation, [x.into_dispatch(), gamma, beta])
}

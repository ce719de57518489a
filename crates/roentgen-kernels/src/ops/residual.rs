//! The end of a residual block.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::operation::Operation;
use crate::ops::norm::{self, Normed};
use crate::place::{self, Place};
use crate::reference;

/// Normalizes each channel of `x` as [`norm_activate`](crate::norm_activate) does, adds the
/// shortcut, then activates. SiLU is computed in plain Burn.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `x`, `shortcut`, output: `[batch, channels, height, width]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics if `gamma`, `beta` or `shortcut` has another shape.
pub fn norm_add_activate(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    shortcut: Tensor<4>,
    epsilon: f64,
    activation: Activation,
) -> Normed {
    norm::check(&x, [&gamma, &beta]);
    assert_eq!(x.dims(), shortcut.dims(), "a shortcut of another shape");
    let [of_x, of_shortcut] = [&x, &shortcut].map(Place::of_activation);
    let [of_gamma, of_beta] = [&gamma, &beta].map(Place::of_weight);
    let is_taken = place::takes([of_x, of_shortcut, of_gamma, of_beta]);
    let is_taken = is_taken && x.dtype() == shortcut.dtype();
    let Some(limits) = activation.limits().filter(|_| is_taken) else {
        return reference::norm_add_activate(x, [gamma, beta], shortcut, epsilon, activation);
    };
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let inputs = [x.into_dispatch(), gamma, beta, shortcut.into_dispatch()];
    norm::run(Operation::NormAdd { epsilon, limits }, inputs)
}

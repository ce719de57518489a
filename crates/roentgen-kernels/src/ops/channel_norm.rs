//! Normalization over the channels of each pixel.

use burn::tensor::Tensor;

use crate::operation::Operation;
use crate::place::{self, Place};
use crate::reference;
use crate::tape;

/// Normalizes the channels of each pixel to mean 0 and variance 1, then scales and shifts each channel
/// ([layer normalization](https://arxiv.org/abs/1607.06450)), in single precision whatever the type of
/// `x`. On the CPU this is plain Burn.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `gamma`, `beta`: `[channels]`
///
/// # Panics
///
/// Panics if `gamma` or `beta` has another shape.
pub fn channel_norm(x: Tensor<4>, [gamma, beta]: [Tensor<1>; 2], epsilon: f64) -> Tensor<4> {
    super::norm::check(&x, [&gamma, &beta]);
    let [of_gamma, of_beta] = [&gamma, &beta].map(Place::of_weight);
    if !place::gpu_takes([Place::of_activation(&x), of_gamma, of_beta]) {
        return reference::channel_norm(x, [gamma, beta], epsilon);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let [y] = tape::run(Operation::ChannelNorm { epsilon }, [x.into_dispatch(), gamma, beta]);
    Tensor::from_dispatch(y)
}

//! A bias and the Gaussian error linear unit after it.

use burn::tensor::{Tensor, activation};

use super::shift_activate;
use crate::activation::Activation;
use crate::operation::Operation;
use crate::place::{self, Place};
use crate::tape;

/// Adds to each channel, then applies the [Gaussian error linear unit](https://arxiv.org/abs/1606.08415),
/// `x / 2 * (1 + erf(x / sqrt(2)))`. On the CPU the unit is plain Burn.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `shift`: `[channels]`
///
/// # Panics
///
/// Panics if `shift` has another shape.
pub fn shift_gelu(x: Tensor<4>, shift: Tensor<1>) -> Tensor<4> {
    assert_eq!(shift.dims(), [x.dims()[1]], "one shift a channel");
    if !place::gpu_takes([Place::of_activation(&x), Place::of_weight(&shift)]) {
        return activation::gelu(shift_activate(x, shift, Activation::Linear));
    }
    let [y] = tape::run(Operation::ShiftGelu, [x.into_dispatch(), shift.into_dispatch()]);
    Tensor::from_dispatch(y)
}

//! A bias and the activation after it.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::operation::Operation;
use crate::place::{self, Place};
use crate::reference;
use crate::tape;

/// Adds to each channel, then activates. SiLU is computed in plain Burn.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `shift`: `[channels]`
///
/// # Panics
///
/// Panics if `shift` has another shape.
pub fn shift_activate(x: Tensor<4>, shift: Tensor<1>, activation: Activation) -> Tensor<4> {
    assert_eq!(shift.dims(), [x.dims()[1]], "one shift a channel");
    let is_taken = place::takes([Place::of_activation(&x), Place::of_weight(&shift)]);
    let Some(limits) = activation.limits().filter(|_| is_taken) else {
        return reference::shift_activate(x, shift, activation);
    };
    let inputs = [x.into_dispatch(), shift.into_dispatch()];
    let [y] = tape::run(Operation::Shift { limits }, inputs);
    Tensor::from_dispatch(y)
}

//! The end of a residual block with a scale of each channel and stochastic depth.

use burn::tensor::Tensor;

use crate::operation::Operation;
use crate::place::{self, Place};
use crate::reference;
use crate::tape;

/// Returns `x + inner * scale * factor`, with a scale for each channel and, if there are factors, one
/// for each film. No gradient of the factors is computed. On the CPU this is plain Burn.
///
/// # Shapes
///
/// - `x`, `inner`, output: `[batch, channels, height, width]`
/// - `scale`: `[channels]`
/// - `factor`: `[batch]`
///
/// # Panics
///
/// Panics if `inner`, `scale` or `factor` has another shape.
pub fn scaled_add(
    x: Tensor<4>,
    inner: Tensor<4>,
    scale: Tensor<1>,
    factor: Option<Tensor<1>>,
) -> Tensor<4> {
    let [batch, channels, ..] = x.dims();
    assert_eq!(inner.dims(), x.dims(), "an inner tensor of another shape");
    assert_eq!(scale.dims(), [channels], "one scale a channel");
    assert!(factor.as_ref().is_none_or(|factor| factor.dims() == [batch]), "one factor a film");
    let [of_x, of_inner] = [&x, &inner].map(Place::of_activation);
    let of_scale = Place::of_weight(&scale);
    let of_factor = factor.as_ref().map_or(of_scale, Place::of_weight);
    let is_taken =
        place::gpu_takes([of_x, of_inner, of_scale, of_factor]) && x.dtype() == inner.dtype();
    if !is_taken {
        return reference::scaled_add(x, inner, scale, factor);
    }
    let inputs = [x.into_dispatch(), inner.into_dispatch(), scale.into_dispatch()];
    let [y] = match factor {
        None => tape::run(Operation::ScaledAdd, inputs),
        Some(factor) => {
            let [x, inner, scale] = inputs;
            tape::run(Operation::ScaledAdd, [x, inner, scale, factor.into_dispatch()])
        }
    };
    Tensor::from_dispatch(y)
}

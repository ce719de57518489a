//! Max pooling, alone or after a bias and an activation.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::geometry::WindowGeometry;
use crate::operation::Operation;
use crate::place::{self, Place};
use crate::reference;
use crate::tape;

/// Taps that one byte can number.
const TAPS: usize = 256;

/// Takes the greatest value under a square window; padding is never the greatest.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `padding`: rows and columns at the top, left, bottom and right
/// - output: `[batch, channels, (height + top + bottom - kernel) / stride + 1, …]`
///
/// # Panics
///
/// Panics if the stride is zero, if the padded plane is smaller than the window, and if a window
/// could cover nothing but padding.
pub fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let window = geometry(&x, kernel, stride, padding);
    if !place::takes([Place::of_activation(&x)]) || window.taps() > TAPS {
        return reference::max_pool(x, kernel, stride, padding);
    }
    let [y] = tape::run(Operation::MaxPool(window), [x.into_dispatch()]);
    Tensor::from_dispatch(y)
}

/// Adds to each channel, activates, and takes the greatest value under a square window: the end of a
/// stage of a VGG, whose largest feature maps are not kept this way.
///
/// # Shapes
///
/// - `shift`: `[channels]`
/// - the others as in [`max_pool`]
///
/// # Panics
///
/// Panics as [`max_pool`] does, and if `shift` has another shape.
pub fn shift_activate_max_pool(
    x: Tensor<4>,
    shift: Tensor<1>,
    activation: Activation,
    [kernel, stride]: [usize; 2],
    padding: [usize; 4],
) -> Tensor<4> {
    assert_eq!(shift.dims(), [x.dims()[1]], "one shift a channel");
    let window = geometry(&x, kernel, stride, padding);
    let is_taken = place::takes([Place::of_activation(&x), Place::of_weight(&shift)]);
    let is_taken = is_taken && window.taps() <= TAPS;
    let Some(limits) = activation.limits().filter(|_| is_taken) else {
        return max_pool(reference::shift_activate(x, shift, activation), kernel, stride, padding);
    };
    let inputs = [x.into_dispatch(), shift.into_dispatch()];
    let [y] = tape::run(Operation::ShiftMaxPool { limits, window }, inputs);
    Tensor::from_dispatch(y)
}

/// The geometry of a window that always covers a part of the plane.
fn geometry(x: &Tensor<4>, kernel: usize, stride: usize, padding: [usize; 4]) -> WindowGeometry {
    let [_, _, size @ ..] = x.dims();
    let is_narrow = padding.iter().all(|&side| side < kernel);
    assert!(is_narrow, "padding {padding:?} of a window of {kernel}");
    WindowGeometry::new(size, [kernel; 2], stride, padding)
}

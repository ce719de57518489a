//! The depthwise convolution of [Xception][paper], the MobileNets and NASNet: each channel has a window
//! of its own.
//!
//! One task takes one channel through all images in order: the sum over images that is a weight's
//! gradient is then the same at any number of threads.
//!
//! [paper]: https://arxiv.org/abs/1610.02357

mod any;
mod padded;
mod three;
mod window;

use burn_flex::FlexTensor;

use crate::cpu::conv::depthwise::window::Window3x3;
use crate::cpu::conv::input::ConvInput;
use crate::geometry::WindowGeometry;

/// Convolves.
pub(crate) fn forward(x: ConvInput, weight: &FlexTensor, window: WindowGeometry) -> FlexTensor {
    match three(window) {
        Some(window) => three::forward(x, weight, window),
        None => any::forward(x, weight, window),
    }
}

/// The gradient of the input, of `shape`.
pub(crate) fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    shape: [usize; 4],
    window: WindowGeometry,
) -> FlexTensor {
    match three(window) {
        Some(window) => three::x_gradient(gradient, weight, shape, window),
        None => any::x_gradient(gradient, weight, shape, window),
    }
}

/// The gradient of the weights.
pub(crate) fn weight_gradient(
    gradient: &FlexTensor,
    x: ConvInput,
    window: WindowGeometry,
) -> FlexTensor {
    match three(window) {
        Some(window) => three::weight_gradient(gradient, x, window),
        None => any::weight_gradient(gradient, x, window),
    }
}

/// The same window in the form that only 3x3 has.
fn three(window: WindowGeometry) -> Option<Window3x3> {
    let WindowGeometry {
        size, kernel, stride, before: [top, left], after: [bottom, right], ..
    } = window;
    let padding = [top, left, bottom, right];
    let fits = kernel == [3, 3] && matches!(stride, 1 | 2) && padding.iter().all(|&side| side <= 2);
    fits.then(|| Window3x3::new(size, stride, padding))
}

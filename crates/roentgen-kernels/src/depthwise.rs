//! The depthwise convolution of [Xception][paper], the MobileNets and NASNet.
//!
//! One task takes one channel through all images in order: the sum over images that is a weight's
//! gradient is then the same at any number of threads.
//!
//! [paper]: https://arxiv.org/abs/1610.02357

mod any;
mod three;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

use crate::sliding::Sliding;
use crate::storage::{contiguous, dims};
use crate::window::Window;
use crate::{on_flex, reference};

/// Convolves each channel with its own window, without bias.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels, 1, kernel height, kernel width]`
/// - `padding`: zeros at the top, left, bottom and right
/// - output: `[batch, channels, (height + top + bottom - kernel height) / stride + 1, …]`
///
/// # Panics
///
/// Panics on another shape of `weight`, a stride of zero, and a padded plane below the window.
pub fn depthwise(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let [_, channels, size @ ..] = x.dims();
    let [windows, one, kernel @ ..] = weight.dims();
    assert_eq!([windows, one], [channels, 1], "one window a channel");
    let window = Sliding::new(size, kernel, stride, padding);
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::depthwise(x, weight, stride, padding);
    }
    Tensor::from_dispatch(Dispatch::depthwise(x.into_dispatch(), weight.into_dispatch(), window))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Depthwise: Backend {
    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Sliding,
    ) -> FloatTensor<Self>;
}

impl Depthwise for Flex {
    fn depthwise(x: FlexTensor, weight: FlexTensor, window: Sliding) -> FlexTensor {
        forward(&contiguous(x), &contiguous(weight), window)
    }
}

impl<C: CheckpointStrategy> Depthwise for Autodiff<Flex, C> {
    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Sliding,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let [x, weight] = [contiguous(x), contiguous(weight)];
        let y = forward(&x, &weight, window);
        match DepthwiseBackward.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight, window), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct DepthwiseBackward;

impl Backward<Flex, 2> for DepthwiseBackward {
    type State = (FlexTensor, FlexTensor, Sliding);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (x, weight, window) = ops.state;
        let [x_node, weight_node] = ops.parents;
        if let Some(node) = x_node {
            let shape = dims(&x);
            let dx = match three(window) {
                Some(window) => three::x_gradient(&gradient, &weight, shape, window),
                None => any::x_gradient(&gradient, &weight, shape, window),
            };
            gradients.register::<Flex>(node.id, dx);
        }
        if let Some(node) = weight_node {
            let dw = match three(window) {
                Some(window) => three::weight_gradient(&gradient, &x, window),
                None => any::weight_gradient(&gradient, &x, window),
            };
            gradients.register::<Flex>(node.id, dw);
        }
    }
}

fn forward(x: &FlexTensor, weight: &FlexTensor, window: Sliding) -> FlexTensor {
    match three(window) {
        Some(window) => three::forward(x, weight, window),
        None => any::forward(x, weight, window),
    }
}

/// The same window in the form that only 3x3 has.
fn three(window: Sliding) -> Option<Window> {
    let Sliding { size, kernel, stride, before: [top, left], after: [bottom, right], .. } = window;
    let padding = [top, left, bottom, right];
    let fits = kernel == [3, 3] && matches!(stride, 1 | 2) && padding.iter().all(|&side| side <= 2);
    fits.then(|| Window::new(size, stride, padding))
}

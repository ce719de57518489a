//! The depthwise convolution with a window of any size: EfficientNet's 5x5, NASNet's 5x5 and 7x7.
//!
//! One task takes one channel through all images in order, as in
//! [`depthwise3x3`](crate::depthwise3x3), which is faster for its own window.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::padded::Padded;
use crate::sliding::Sliding;
use crate::storage::{by_channel, contiguous, dims, tensor, values};
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
pub(crate) trait DepthwiseAny: Backend {
    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Sliding,
    ) -> FloatTensor<Self>;
}

impl DepthwiseAny for Flex {
    fn depthwise(x: FlexTensor, weight: FlexTensor, window: Sliding) -> FlexTensor {
        forward(&contiguous(x), &contiguous(weight), window)
    }
}

impl<C: CheckpointStrategy> DepthwiseAny for Autodiff<Flex, C> {
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
            let dx = x_gradient(&gradient, &weight, dims(&x), window);
            gradients.register::<Flex>(node.id, dx);
        }
        if let Some(node) = weight_node {
            let dw = weight_gradient(&gradient, &x, window);
            gradients.register::<Flex>(node.id, dw);
        }
    }
}

fn forward(x: &FlexTensor, weight: &FlexTensor, window: Sliding) -> FlexTensor {
    let [batch, channels, ..] = dims::<4>(x);
    let (x, weight, plane) = (values(x), values(weight), window.plane());
    let mut y = vec![0.0; batch * channels * window.out_plane()];
    by_channel(&mut y, channels, window.out_plane())
        .into_par_iter()
        .zip(weight.par_chunks_exact(window.taps()))
        .enumerate()
        .for_each_init(
            || Padded::new(window),
            |padded, (channel, (y, weight))| {
                for (image, y) in y.into_iter().enumerate() {
                    padded.load(&x[(image * channels + channel) * plane..][..plane]);
                    padded.correlate(weight, y);
                }
            },
        );
    tensor(y, [batch, channels, window.out[0], window.out[1]])
}

fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    shape: [usize; 4],
    window: Sliding,
) -> FlexTensor {
    let (channels, plane) = (shape[1], window.out_plane());
    let (gradient, weight) = (values(gradient), values(weight));
    let mut dx = vec![0.0; shape.iter().product()];
    by_channel(&mut dx, channels, window.plane())
        .into_par_iter()
        .zip(weight.par_chunks_exact(window.taps()))
        .enumerate()
        .for_each_init(
            || Padded::new(window),
            |padded, (channel, (dx, weight))| {
                for (image, dx) in dx.into_iter().enumerate() {
                    let start = (image * channels + channel) * plane;
                    padded.spread(weight, &gradient[start..][..plane]);
                    padded.unload(dx);
                }
            },
        );
    tensor(dx, shape)
}

fn weight_gradient(gradient: &FlexTensor, x: &FlexTensor, window: Sliding) -> FlexTensor {
    let [batch, channels, ..] = dims::<4>(x);
    let (plane, out_plane) = (window.plane(), window.out_plane());
    let (gradient, x) = (values(gradient), values(x));
    let mut dw = vec![0.0; channels * window.taps()];
    dw.par_chunks_exact_mut(window.taps()).enumerate().for_each_init(
        || Padded::new(window),
        |padded, (channel, dw)| {
            let mut sums = vec![0.0f64; dw.len()];
            for image in 0..batch {
                let index = image * channels + channel;
                padded.load(&x[index * plane..][..plane]);
                padded.weigh(&gradient[index * out_plane..][..out_plane], &mut sums);
            }
            dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw = sum as f32);
        },
    );
    tensor(dw, [channels, 1, window.kernel[0], window.kernel[1]])
}

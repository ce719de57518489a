//! The depthwise convolution of [Xception][paper] and the MobileNets, 3x3.
//!
//! One task takes one channel through all images in order: the sum over images that is a weight's
//! gradient is then the same at any number of threads.
//!
//! [paper]: https://arxiv.org/abs/1610.02357

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::storage::{by_channel, contiguous, dims, fresh, tensor, values};
use crate::window::{Correlation, PlaneGradient, WeightGradient, Window};
use crate::{on_flex, reference};

/// Convolves each channel with its own 3x3 window, without bias.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels, 1, 3, 3]`
/// - `padding`: zeros at the top, left, bottom and right
/// - output: `[batch, channels, (height + top + bottom - 3) / stride + 1, …]`
///
/// # Panics
///
/// Panics on another shape of `weight`, a stride other than 1 and 2, more than two zeros at a
/// side, and a padded plane below 3x3.
pub fn depthwise3x3(
    x: Tensor<4>,
    weight: Tensor<4>,
    stride: usize,
    padding: [usize; 4],
) -> Tensor<4> {
    let [_, channels, height, width] = x.dims();
    assert_eq!(weight.dims(), [channels, 1, 3, 3], "one 3x3 window a channel");
    let window = Window::new([height, width], stride, padding);
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::depthwise3x3(x, weight, stride, padding);
    }
    Tensor::from_dispatch(Dispatch::depthwise3x3(x.into_dispatch(), weight.into_dispatch(), window))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Depthwise: Backend {
    fn depthwise3x3(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
    ) -> FloatTensor<Self>;
}

impl Depthwise for Flex {
    fn depthwise3x3(x: FlexTensor, weight: FlexTensor, window: Window) -> FlexTensor {
        forward(&contiguous(x), &contiguous(weight), window)
    }
}

impl<C: CheckpointStrategy> Depthwise for Autodiff<Flex, C> {
    fn depthwise3x3(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Window,
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
    type State = (FlexTensor, FlexTensor, Window);

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
            gradients.register::<Flex>(node.id, weight_gradient(&gradient, &x, window));
        }
    }
}

fn forward(x: &FlexTensor, weight: &FlexTensor, window: Window) -> FlexTensor {
    let [batch, channels, height, width] = dims(x);
    let [out_height, out_width] = window.out;
    let (plane, out_plane) = (height * width, out_height * out_width);
    let (x, weights) = (values(x), values(weight).as_chunks::<9>().0);
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `out`, and `run` writes a whole plane.
    let out = unsafe {
        fresh(batch * channels * out_plane, |out| {
            by_channel(out, channels, out_plane).into_par_iter().enumerate().for_each_init(
                || Correlation::new(window),
                |correlation, (channel, out)| {
                    for (image, out) in out.into_iter().enumerate() {
                        let plane = &x[(image * channels + channel) * plane..][..plane];
                        correlation.run(plane, &weights[channel], out);
                    }
                },
            );
        })
    };
    tensor(out, [batch, channels, out_height, out_width])
}

fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    shape: [usize; 4],
    window: Window,
) -> FlexTensor {
    let [batch, channels, height, width] = shape;
    let (plane, out_plane) = (height * width, window.out[0] * window.out[1]);
    let (gradient, weights) = (values(gradient), values(weight).as_chunks::<9>().0);
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `dx`, and `run` writes a whole plane.
    let dx = unsafe {
        fresh(batch * channels * plane, |dx| {
            by_channel(dx, channels, plane).into_par_iter().enumerate().for_each_init(
                || PlaneGradient::new(window),
                |scratch, (channel, dx)| {
                    for (image, dx) in dx.into_iter().enumerate() {
                        let start = (image * channels + channel) * out_plane;
                        scratch.run(&gradient[start..][..out_plane], &weights[channel], dx);
                    }
                },
            );
        })
    };
    tensor(dx, shape)
}

fn weight_gradient(gradient: &FlexTensor, x: &FlexTensor, window: Window) -> FlexTensor {
    let [batch, channels, height, width] = dims(x);
    let (plane, out_plane) = (height * width, window.out[0] * window.out[1]);
    let (gradient, x) = (values(gradient), values(x));
    let mut out = vec![0.0; channels * 9];
    out.par_chunks_exact_mut(9).enumerate().for_each_init(
        || WeightGradient::new(window),
        |scratch, (channel, out)| {
            let mut sum = [0.0f64; 9];
            for image in 0..batch {
                let index = image * channels + channel;
                let plane = &x[index * plane..][..plane];
                let part = scratch.run(plane, &gradient[index * out_plane..][..out_plane]);
                for (sum, part) in sum.iter_mut().zip(part) {
                    *sum += f64::from(part);
                }
            }
            for (out, sum) in out.iter_mut().zip(sum) {
                *out = sum as f32;
            }
        },
    );
    tensor(out, [channels, 1, 3, 3])
}

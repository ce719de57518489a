//! A dense 3x3 convolution as an unfolding of the input and a pointwise convolution.
//!
//! The unfolding takes nine times the memory of a step-one input: fine for the first layer, with
//! its one or three channels, and for nothing else.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::storage::{contiguous, dims, fresh, tensor, values};
use crate::window::{Padded, Window, copy_rows};
use crate::{on_flex, pointwise, reference};

/// Convolves films with 3x3 windows, without bias.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`, few channels
/// - `weight`: `[channels out, channels, 3, 3]`
/// - `padding`: zeros at the top, left, bottom and right
/// - output: `[batch, channels out, (height + top + bottom - 3) / stride + 1, …]`
///
/// # Panics
///
/// Panics on another shape of `weight`, a stride other than 1 and 2, more than two zeros at a
/// side, and a padded plane below 3x3.
pub fn stem3x3(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let [_, channels, height, width] = x.dims();
    let [out, ..] = weight.dims();
    assert_eq!(weight.dims(), [out, channels, 3, 3], "a 3x3 window for each channel of `x`");
    let window = Window::new([height, width], stride, padding);
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::stem3x3(x, weight, stride, padding);
    }
    let unfolded = Tensor::from_dispatch(Dispatch::unfold3x3(x.into_dispatch(), window));
    pointwise(unfolded, weight.reshape([out, channels * 9, 1, 1]))
}

/// The operation on a backend's own tensors: each channel becomes nine, one a tap of the window.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Unfold: Backend {
    fn unfold3x3(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self>;
}

impl Unfold for Flex {
    fn unfold3x3(x: FlexTensor, window: Window) -> FlexTensor {
        forward(&contiguous(x), window)
    }
}

impl<C: CheckpointStrategy> Unfold for Autodiff<Flex, C> {
    fn unfold3x3(x: FloatTensor<Self>, window: Window) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let x = contiguous(x);
        let y = forward(&x, window);
        match UnfoldBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((dims(&x), window), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct UnfoldBackward;

impl Backward<Flex, 1> for UnfoldBackward {
    type State = ([usize; 4], Window);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (shape, window) = ops.state;
        let [node] = ops.parents;
        if let Some(node) = node {
            gradients.register::<Flex>(node.id, fold(&gradient, shape, window));
        }
    }
}

fn forward(x: &FlexTensor, window: Window) -> FlexTensor {
    let [batch, channels, height, width] = dims(x);
    let [out_height, out_width] = window.out;
    let out_plane = out_height * out_width;
    let planes = values(x).par_chunks_exact(height * width);
    let write = |out: &mut [_]| {
        planes.zip(out.par_chunks_exact_mut(9 * out_plane)).for_each_init(
            || Padded::new(window),
            |padded, (plane, out)| {
                padded.load(plane);
                for (index, out) in out.chunks_exact_mut(out_plane).enumerate() {
                    copy_rows(padded.tap(index), window, out);
                }
            },
        );
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: nine output planes for each plane of `x` are the whole of `out`.
    let out = unsafe { fresh(batch * channels * 9 * out_plane, write) };
    tensor(out, [batch, channels * 9, out_height, out_width])
}

/// Adds the nine taps' gradients up where they were taken from.
fn fold(gradient: &FlexTensor, shape: [usize; 4], window: Window) -> FlexTensor {
    let plane = shape[2] * shape[3];
    let out_plane = window.out[0] * window.out[1];
    let mut dx = vec![0.0; shape.iter().product()];
    dx.par_chunks_exact_mut(plane).zip(values(gradient).par_chunks_exact(9 * out_plane)).for_each(
        |(dx, gradient)| {
            for (index, gradient) in gradient.chunks_exact(out_plane).enumerate() {
                window.add_tap(index, gradient, dx);
            }
        },
    );
    tensor(dx, shape)
}

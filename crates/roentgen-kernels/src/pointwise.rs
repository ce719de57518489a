//! The pointwise convolution, 1x1: a matrix product for each image.
//!
//! The products themselves run on one thread each and are shared out by image and by block of
//! rows, both fixed by the shapes alone: `gemm`'s own threads would split sums by their number.
//! Small planes go through several images at a time, since a product 49 columns wide is slow.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

use crate::product::{Matrix, outer, per_image};
use crate::storage::{contiguous, dims, tensor, values};
use crate::{on_flex, reference};

/// Mixes the channels of each pixel, without bias.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels out, channels, 1, 1]`
/// - output: `[batch, channels out, height, width]`
///
/// # Panics
///
/// Panics on another shape of `weight`.
pub fn pointwise(x: Tensor<4>, weight: Tensor<4>) -> Tensor<4> {
    let [out, channels, height, width] = weight.dims();
    assert_eq!(
        [channels, height, width],
        [x.dims()[1], 1, 1],
        "the weight must be [{out}, channels of `x`, 1, 1]"
    );
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::pointwise(x, weight);
    }
    Tensor::from_dispatch(Dispatch::pointwise(x.into_dispatch(), weight.into_dispatch()))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Pointwise: Backend {
    fn pointwise(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl Pointwise for Flex {
    fn pointwise(x: FlexTensor, weight: FlexTensor) -> FlexTensor {
        forward(&contiguous(x), &contiguous(weight))
    }
}

impl<C: CheckpointStrategy> Pointwise for Autodiff<Flex, C> {
    fn pointwise(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let [x, weight] = [contiguous(x), contiguous(weight)];
        let y = forward(&x, &weight);
        match PointwiseBackward.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct PointwiseBackward;

impl Backward<Flex, 2> for PointwiseBackward {
    type State = (FlexTensor, FlexTensor);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (x, weight) = ops.state;
        let [batch, channels, height, width] = dims(&x);
        let [out, ..] = dims::<4>(&weight);
        let plane = height * width;
        let [x_node, weight_node] = ops.parents;
        if let Some(node) = x_node {
            let weight = Matrix::new(values(&weight), [out, channels]).transposed();
            let dx = per_image(weight, values(&gradient), [batch, plane]);
            gradients.register::<Flex>(node.id, tensor(dx, [batch, channels, height, width]));
        }
        if let Some(node) = weight_node {
            let dw = outer(values(&gradient), values(&x), [batch, out, channels, plane]);
            gradients.register::<Flex>(node.id, tensor(dw, [out, channels, 1, 1]));
        }
    }
}

fn forward(x: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = dims(x);
    let [out, ..] = dims::<4>(weight);
    let weight = Matrix::new(values(weight), [out, channels]);
    tensor(per_image(weight, values(x), [batch, height * width]), [batch, out, height, width])
}

//! A bias on each channel and the rectifier behind it, in the memory of the input.
//!
//! The backward pass needs the output alone: where it stands at a cut, no gradient came through.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::activation::{Activation, Curve};
use crate::channel::gradient::through;
use crate::channel::{Channel, line};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::storage::{by_channel, contiguous, dims, tensor, values};
use crate::{on_flex, reference};

/// Adds to each channel, then activates; SiLU in plain Burn.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `shift`: `[channels]`
///
/// # Panics
///
/// Panics on another shape of `shift`.
pub fn shift_activate(x: Tensor<4>, shift: Tensor<1>, activation: Activation) -> Tensor<4> {
    assert_eq!(shift.dims(), [x.dims()[1]], "one shift a channel");
    #[cfg(feature = "cuda")]
    if cuda::takes(&x)
        && cuda::takes_weight(&shift)
        && let Some(limits) = activation.limits()
    {
        return cuda::run_2(x, shift, cuda::Operation::Shift { limits });
    }
    let is_fast = on_flex(&x) && on_flex(&shift);
    let Some(limits) = activation.limits().filter(|_| is_fast) else {
        return reference::shift_activate(x, shift, activation);
    };
    Tensor::from_dispatch(Dispatch::shift_activate(
        x.into_dispatch(),
        shift.into_dispatch(),
        limits,
    ))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Shift: Backend {
    fn shift_activate(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        limits: [f32; 2],
    ) -> FloatTensor<Self>;
}

impl Shift for Flex {
    fn shift_activate(x: FlexTensor, shift: FlexTensor, limits: [f32; 2]) -> FlexTensor {
        forward(contiguous(x), &contiguous(shift), limits)
    }
}

impl<C: CheckpointStrategy> Shift for Autodiff<Flex, C> {
    fn shift_activate(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        limits: [f32; 2],
    ) -> FloatTensor<Self> {
        let ((x, x_node), (shift, shift_node)) = (x.into_parts(), shift.into_parts());
        let y = forward(contiguous(x), &contiguous(shift), limits);
        match ShiftBackward.prepare::<C>([x_node, shift_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((y.clone(), limits), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct ShiftBackward;

impl Backward<Flex, 2> for ShiftBackward {
    type State = (FlexTensor, [f32; 2]);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let mut gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (y, limits) = ops.state;
        let sums = let_through(&mut gradient, &y, limits);
        let [x_node, shift_node] = ops.parents;
        if let Some(node) = x_node {
            gradients.register::<Flex>(node.id, gradient);
        }
        if let Some(node) = shift_node {
            gradients.register::<Flex>(node.id, sums);
        }
    }
}

/// Keeps the gradient where the output stands at no cut: its sum over each channel.
pub(crate) fn let_through(
    gradient: &mut FlexTensor,
    y: &FlexTensor,
    limits: [f32; 2],
) -> FlexTensor {
    let [_, channels, height, width] = dims(y);
    let plane = height * width;
    let sums = by_channel(gradient.storage_mut(), channels, plane)
        .into_par_iter()
        .enumerate()
        .map(|(index, mut gradient)| {
            let channel = Channel { values: values(y), channels, plane, index };
            through(channel, limits, &mut gradient) as f32
        })
        .collect();
    tensor(sums, [channels])
}

/// Adds and activates.
pub(crate) fn forward(mut x: FlexTensor, shift: &FlexTensor, limits: [f32; 2]) -> FlexTensor {
    let [_, channels, height, width] = dims(&x);
    let shift = values(shift);
    by_channel(x.storage_mut(), channels, height * width)
        .into_par_iter()
        .zip(shift)
        .for_each(|(mut planes, &shift)| line([1.0, shift], Curve::Cut(limits), &mut planes));
    x
}

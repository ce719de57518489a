//! The greatest value under a window, alone or behind a bias and an activation.
//!
//! For the way back each output keeps, in one byte, which tap of the window it came from: Burn keeps
//! eight. Of equal values the first counts, as in PyTorch, and what is not a number is the greatest.

use std::mem::MaybeUninit;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

#[cfg(feature = "cuda")]
use crate::cuda;
use crate::sliding::Sliding;
use crate::storage::{contiguous, dims, fresh, tensor, values};
use crate::{Activation, on_flex, reference, shift};

/// Taps that a byte can tell apart.
const TAPS: usize = 256;

/// Takes the greatest value under a square window; what is padded is never the greatest.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `padding`: rows and columns at the top, left, bottom and right
/// - output: `[batch, channels, (height + top + bottom - kernel) / stride + 1, …]`
///
/// # Panics
///
/// Panics on a stride of zero, on a padded plane below the window, and where a window may lie in the
/// padding as a whole.
pub fn max_pool(x: Tensor<4>, kernel: usize, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let window = place(&x, kernel, stride, padding);
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) && window.taps() <= TAPS {
        return cuda::run_1(x, cuda::Operation::MaxPool(window));
    }
    if !on_flex(&x) || window.taps() > TAPS {
        return reference::max_pool(x, kernel, stride, padding);
    }
    Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch(), window))
}

/// Adds to each channel, activates, and takes the greatest value under a square window: the end of a stage
/// of a VGG, whose largest feature maps are then not kept.
///
/// # Shapes
///
/// - `shift`: `[channels]`
/// - the others as in [`max_pool`]
///
/// # Panics
///
/// As [`max_pool`], and on another shape of `shift`.
pub fn shift_activate_max_pool(
    x: Tensor<4>,
    shift: Tensor<1>,
    activation: Activation,
    [kernel, stride]: [usize; 2],
    padding: [usize; 4],
) -> Tensor<4> {
    assert_eq!(shift.dims(), [x.dims()[1]], "one shift a channel");
    let window = place(&x, kernel, stride, padding);
    #[cfg(feature = "cuda")]
    if cuda::takes(&x)
        && cuda::takes_weight(&shift)
        && window.taps() <= TAPS
        && let Some(limits) = activation.limits()
    {
        return cuda::run_2(x, shift, cuda::Operation::ShiftMaxPool { limits, window });
    }
    let is_fast = on_flex(&x) && on_flex(&shift) && window.taps() <= TAPS;
    let Some(limits) = activation.limits().filter(|_| is_fast) else {
        return max_pool(reference::shift_activate(x, shift, activation), kernel, stride, padding);
    };
    let (x, shift) = (x.into_dispatch(), shift.into_dispatch());
    Tensor::from_dispatch(Dispatch::shift_activate_max_pool(x, shift, limits, window))
}

/// Places the window; it never lies in the padding as a whole.
fn place(x: &Tensor<4>, kernel: usize, stride: usize, padding: [usize; 4]) -> Sliding {
    let [_, _, size @ ..] = x.dims();
    let is_narrow = padding.iter().all(|&side| side < kernel);
    assert!(is_narrow, "padding {padding:?} of a window of {kernel}");
    Sliding::new(size, [kernel; 2], stride, padding)
}

/// The operations on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait MaxPool: Backend {
    fn max_pool(x: FloatTensor<Self>, window: Sliding) -> FloatTensor<Self>;

    fn shift_activate_max_pool(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        limits: [f32; 2],
        window: Sliding,
    ) -> FloatTensor<Self>;
}

impl MaxPool for Flex {
    fn max_pool(x: FlexTensor, window: Sliding) -> FlexTensor {
        forward(&contiguous(x), window).0
    }

    fn shift_activate_max_pool(
        x: FlexTensor,
        shift: FlexTensor,
        limits: [f32; 2],
        window: Sliding,
    ) -> FlexTensor {
        forward(&shift::forward(contiguous(x), &contiguous(shift), limits), window).0
    }
}

impl<C: CheckpointStrategy> MaxPool for Autodiff<Flex, C> {
    fn max_pool(x: FloatTensor<Self>, window: Sliding) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (y, taps) = forward(&contiguous(x), window);
        match MaxPoolBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((Arc::new(taps), window), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn shift_activate_max_pool(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        limits: [f32; 2],
        window: Sliding,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (shift, shift_node)) = (x.into_parts(), shift.into_parts());
        let cut = shift::forward(contiguous(x), &contiguous(shift), limits);
        let (y, taps) = forward(&cut, window);
        drop(cut);
        let nodes = [x_node, shift_node];
        match ShiftMaxPoolBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((y.clone(), limits, Arc::new(taps), window), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct MaxPoolBackward;

impl Backward<Flex, 1> for MaxPoolBackward {
    /// The tap of each output.
    type State = (Arc<Vec<u8>>, Sliding);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (taps, window) = ops.state;
        let [Some(node)] = ops.parents else { return };
        gradients.register::<Flex>(node.id, back_to_taps(&gradient, &taps, window));
    }
}

#[derive(Debug)]
struct ShiftMaxPoolBackward;

impl Backward<Flex, 2> for ShiftMaxPoolBackward {
    /// The output, where it was cut, and the tap of each output.
    type State = (FlexTensor, [f32; 2], Arc<Vec<u8>>, Sliding);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let mut gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (y, limits, taps, window) = ops.state;
        // The greatest value stands at a cut where the output does.
        let shift = shift::let_through(&mut gradient, &y, limits);
        let [x_node, shift_node] = ops.parents;
        if let Some(node) = x_node {
            gradients.register::<Flex>(node.id, back_to_taps(&gradient, &taps, window));
        }
        if let Some(node) = shift_node {
            gradients.register::<Flex>(node.id, shift);
        }
    }
}

/// Adds each output's gradient to the pixel that it came from.
fn back_to_taps(gradient: &FlexTensor, taps: &[u8], window: Sliding) -> FlexTensor {
    let [batch, channels, ..] = dims::<4>(gradient);
    let mut dx = vec![0.0; batch * channels * window.plane()];
    let planes = values(gradient).par_chunks_exact(window.out_plane());
    let planes = planes.zip(taps.par_chunks_exact(window.out_plane()));
    dx.par_chunks_exact_mut(window.plane()).zip(planes).for_each(|(dx, (gradient, taps))| {
        for (at, (gradient, &tap)) in gradient.iter().zip(taps).enumerate() {
            dx[pixel(window, at, tap.into())] += gradient;
        }
    });
    tensor(dx, [batch, channels, window.size[0], window.size[1]])
}

/// The pixel that a tap reads for an output; it must not lie in the padding.
fn pixel(window: Sliding, at: usize, tap: usize) -> usize {
    let Sliding { size, out, kernel, stride, before, .. } = window;
    let y = at / out[1] * stride + tap / kernel[1] - before[0];
    let x = at % out[1] * stride + tap % kernel[1] - before[1];
    y * size[1] + x
}

/// The greatest values and the taps that they came from.
fn forward(x: &FlexTensor, window: Sliding) -> (FlexTensor, Vec<u8>) {
    let [batch, channels, ..] = dims::<4>(x);
    let mut taps = vec![0; batch * channels * window.out_plane()];
    let write = |y: &mut [MaybeUninit<f32>]| {
        let planes = values(x).par_chunks_exact(window.plane());
        let outs = y.par_chunks_exact_mut(window.out_plane());
        let outs = outs.zip(taps.par_chunks_exact_mut(window.out_plane()));
        planes.zip(outs).for_each(|(plane, (y, taps))| greatest(plane, window, y, taps));
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes are the whole of `y`, and `greatest` writes all of a plane.
    let y = unsafe { fresh(batch * channels * window.out_plane(), write) };
    (tensor(y, [batch, channels, window.out[0], window.out[1]]), taps)
}

/// Writes all of an output plane and its taps.
fn greatest(plane: &[f32], window: Sliding, y: &mut [MaybeUninit<f32>], taps: &mut [u8]) {
    let Sliding { size, out, kernel, stride, before, .. } = window;
    let inside = |at: usize, axis: usize| {
        let first = (at * stride).saturating_sub(before[axis]);
        first..(at * stride + kernel[axis] - before[axis]).min(size[axis])
    };
    let lines = y.chunks_exact_mut(out[1]).zip(taps.chunks_exact_mut(out[1]));
    for (down, (y, taps)) in lines.enumerate() {
        let rows = inside(down, 0);
        for (across, (y, tap)) in y.iter_mut().zip(taps).enumerate() {
            let columns = inside(across, 1);
            let (mut best, mut place) = (f32::NEG_INFINITY, [rows.start, columns.start]);
            for row in rows.clone() {
                let values = &plane[row * size[1]..][..size[1]][columns.clone()];
                for (column, &value) in columns.clone().zip(values) {
                    if value > best || (value.is_nan() && !best.is_nan()) {
                        (best, place) = (value, [row, column]);
                    }
                }
            }
            y.write(best);
            let [row, column] =
                [0, 1].map(|axis| place[axis] + before[axis] - [down, across][axis] * stride);
            *tap = (row * kernel[1] + column) as u8;
        }
    }
}

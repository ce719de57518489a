//! The dense convolution, a window of any size over all channels, as matrix products on what is
//! unfolded a few rows at a time.
//!
//! The 3x3 windows that the deep layers consist of go another way, [`winograd`](crate::winograd).
//! Elsewhere a task takes an image, or a few small ones, and a block of output channels; which, the shapes
//! alone decide. Gradients of weights are summed over fixed shares of the batch, in their order.

use std::mem::MaybeUninit;
use std::ops::Range;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::product::{Matrix, multiply, multiply_into, side_by_side};
use crate::sliding::Sliding;
use crate::storage::{contiguous, dims, fresh, tensor, values};
use crate::{on_flex, reference, winograd};

/// Columns that a product should have at least.
const COLUMNS: usize = 512;
/// Unfolded values to hold at a time, where that many columns allow it: they should stay in cache.
const UNFOLDED: usize = 1 << 19;
/// Tasks worth having.
const TASKS: usize = 8;
/// Output channels that a task should keep: each block of them unfolds anew.
const ROWS: usize = 64;

/// Convolves with one dense window, without bias.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels out, channels, kernel height, kernel width]`
/// - `padding`: zeros at the top, left, bottom and right
/// - output: `[batch, channels out, (height + top + bottom - kernel height) / stride + 1, …]`
///
/// # Panics
///
/// Panics on another shape of `weight`, a stride of zero, and a padded plane below the window.
pub fn dense(x: Tensor<4>, weight: Tensor<4>, stride: usize, padding: [usize; 4]) -> Tensor<4> {
    let [_, channels, size @ ..] = x.dims();
    let [_, inputs, kernel @ ..] = weight.dims();
    assert_eq!(inputs, channels, "the weight must have the channels of `x`");
    let window = Sliding::new(size, kernel, stride, padding);
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::dense(x, weight, stride, padding);
    }
    Tensor::from_dispatch(Dispatch::dense(x.into_dispatch(), weight.into_dispatch(), window))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Dense: Backend {
    fn dense(x: FloatTensor<Self>, weight: FloatTensor<Self>, window: Sliding)
    -> FloatTensor<Self>;
}

impl Dense for Flex {
    fn dense(x: FlexTensor, weight: FlexTensor, window: Sliding) -> FlexTensor {
        forward(&contiguous(x), &contiguous(weight), window)
    }
}

impl<C: CheckpointStrategy> Dense for Autodiff<Flex, C> {
    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        window: Sliding,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let [x, weight] = [contiguous(x), contiguous(weight)];
        let y = forward(&x, &weight, window);
        match DenseBackward.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight, window), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[derive(Debug)]
struct DenseBackward;

impl Backward<Flex, 2> for DenseBackward {
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
            let dx = match window.reversed() {
                Some(window) => forward(&gradient, &turned(&weight), window),
                None => folded(&gradient, &weight, window),
            };
            gradients.register::<Flex>(node.id, dx);
        }
        if let Some(node) = weight_node {
            let shape = dims(&weight);
            gradients.register::<Flex>(node.id, weight_gradient(&gradient, &x, shape, window));
        }
    }
}

/// Rows of the output that are unfolded at a time.
fn steps(window: Sliding, depth: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let [height, width] = window.out;
    let columns = COLUMNS.max(UNFOLDED / depth);
    let rows = columns.div_ceil(width).min(height);
    // As even as can be.
    let rows = height.div_ceil(height.div_ceil(rows));
    (0..height).step_by(rows).map(move |row| row..height.min(row + rows))
}

/// Images that are taken together, so that products are wide enough.
fn together(window: Sliding, batch: usize) -> usize {
    let fit = (COLUMNS / window.out_plane()).clamp(1, batch);
    batch.div_ceil(batch.div_ceil(fit))
}

fn forward(x: &FlexTensor, weight: &FlexTensor, window: Sliding) -> FlexTensor {
    let [batch, channels, ..] = dims::<4>(x);
    let [out, ..] = dims::<4>(weight);
    if winograd::fits(window, channels, out) {
        let y = winograd::forward(values(x), values(weight), [batch, channels, out], window);
        return tensor(y, [batch, out, window.out[0], window.out[1]]);
    }
    let depth = channels * window.taps();
    let weight = Matrix::new(values(weight), [out, depth]);
    let (image, plane) = (channels * window.plane(), window.out_plane());
    let together = together(window, batch);
    let blocks = TASKS.div_ceil(batch.div_ceil(together)).min(out.div_ceil(ROWS));
    let block = out.div_ceil(blocks);
    let write = |y: &mut [MaybeUninit<f32>]| {
        let mut parts: Vec<_> =
            y.chunks_mut(out * plane).map(|image| image.chunks_mut(block * plane)).collect();
        let mut tasks = Vec::new();
        let groups = values(x).chunks(together * image);
        for (parts, images) in parts.chunks_mut(together).zip(groups) {
            for start in (0..out).step_by(block) {
                let y: Vec<_> = parts.iter_mut().filter_map(Iterator::next).collect();
                tasks.push((weight.rows(start, block.min(out - start)), images, y));
            }
        }
        tasks.into_par_iter().for_each_init(Vec::new, |columns, (weight, images, y)| {
            block_of_images(weight, images, window, columns, y);
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of `y`, and `block_of_images` writes all of a block.
    let y = unsafe { fresh(batch * out * plane, write) };
    tensor(y, [batch, out, window.out[0], window.out[1]])
}

/// Convolves a few images, writing all of `out`, one slice an image.
fn block_of_images(
    weight: Matrix,
    images: &[f32],
    window: Sliding,
    columns: &mut Vec<f32>,
    mut out: Vec<&mut [MaybeUninit<f32>]>,
) {
    let ([rows, depth], plane) = (weight.size, window.out_plane());
    if let [out] = out.as_mut_slice() {
        for step in steps(window, depth) {
            let count = step.len() * window.out[1];
            columns.resize(depth * count, 0.0);
            window.unfold(images, step.clone(), columns, [count, 0]);
            let right = Matrix::new(columns, [depth, count]);
            #[expect(unsafe_code, reason = "gemm takes pointers")]
            // SAFETY: nothing is read from `out`.
            unsafe {
                multiply_into(&mut out[step.start * window.out[1]..], plane, weight, right, false);
            }
        }
        return;
    }
    let count = unfold_all(images, window, depth, columns);
    let right = Matrix::new(columns, [depth, count]);
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the product writes all of its output and reads nothing of it.
    let together = unsafe { fresh(rows * count, |out| multiply(out, weight, right, false)) };
    for (image, out) in out.into_iter().enumerate() {
        for (row, out) in together.chunks_exact(count).zip(out.chunks_exact_mut(plane)) {
            out.write_copy_of_slice(&row[image * plane..][..plane]);
        }
    }
}

/// Unfolds images whole, side by side: the number of columns.
fn unfold_all(images: &[f32], window: Sliding, depth: usize, columns: &mut Vec<f32>) -> usize {
    let (image, plane) = (depth / window.taps() * window.plane(), window.out_plane());
    let count = images.len() / image * plane;
    columns.resize(depth * count, 0.0);
    for (index, image) in images.chunks_exact(image).enumerate() {
        window.unfold(image, 0..window.out[0], columns, [count, index * plane]);
    }
    count
}

/// The window turned round, channels in and out exchanged.
fn turned(weight: &FlexTensor) -> FlexTensor {
    let [out, channels, height, width] = dims(weight);
    let taps = height * width;
    let weights = values(weight);
    let mut turned = Vec::with_capacity(weights.len());
    for channel in 0..channels {
        for out in 0..out {
            turned.extend(weights[(out * channels + channel) * taps..][..taps].iter().rev());
        }
    }
    tensor(turned, [channels, out, height, width])
}

/// The gradient of the input where steps leave gaps: what each tap gave, added up.
fn folded(gradient: &FlexTensor, weight: &FlexTensor, window: Sliding) -> FlexTensor {
    let [batch, ..] = dims::<4>(gradient);
    let [out, channels, ..] = dims::<4>(weight);
    let (depth, plane) = (channels * window.taps(), window.out_plane());
    let weight = Matrix::new(values(weight), [out, depth]).transposed();
    let mut dx = vec![0.0; batch * channels * window.plane()];
    let images = dx.par_chunks_exact_mut(channels * window.plane());
    images.zip(values(gradient).par_chunks_exact(out * plane)).for_each(|(dx, gradient)| {
        for step in steps(window, depth) {
            let count = step.len() * window.out[1];
            let right = &gradient[step.start * window.out[1]..];
            let right = Matrix::part(right, [out, count], plane);
            #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
            // SAFETY: the product writes all of its output and reads nothing of it.
            let columns =
                unsafe { fresh(depth * count, |out| multiply(out, weight, right, false)) };
            window.fold(&columns, step, dx);
        }
    });
    tensor(dx, [batch, channels, window.size[0], window.size[1]])
}

fn weight_gradient(
    gradient: &FlexTensor,
    x: &FlexTensor,
    [out, channels, height, width]: [usize; 4],
    window: Sliding,
) -> FlexTensor {
    let [batch, ..] = dims::<4>(x);
    if winograd::fits(window, channels, out) {
        let (dy, sizes) = (values(gradient), [batch, channels, out]);
        let dw = winograd::weight_gradient(dy, values(x), sizes, window);
        return tensor(dw, [out, channels, height, width]);
    }
    let (depth, plane) = (channels * window.taps(), window.out_plane());
    let (image, together) = (channels * window.plane(), together(window, batch));
    let groups = batch.div_ceil(together);
    let slice = groups.div_ceil(TASKS.min(groups)) * together;
    let slices = batch.div_ceil(slice);
    let blocks = TASKS.div_ceil(slices).min(out.div_ceil(ROWS));
    let block = out.div_ceil(blocks);
    let write = |sums: &mut [MaybeUninit<f32>]| {
        let images = values(x).chunks(slice * image);
        let gradients = values(gradient).chunks(slice * out * plane);
        let mut tasks = Vec::new();
        for ((sums, images), gradients) in sums.chunks_mut(out * depth).zip(images).zip(gradients) {
            for (index, sums) in sums.chunks_mut(block * depth).enumerate() {
                tasks.push((index * block, images, gradients, sums));
            }
        }
        tasks.into_par_iter().for_each_init(
            Vec::new,
            |columns, (start, images, gradients, sums)| {
                let count = sums.len() / depth;
                let images = images.chunks(together * image);
                let gradients = gradients.chunks(together * out * plane);
                let mut is_first = true;
                for (images, gradients) in images.zip(gradients) {
                    let mut add = |left: Matrix, columns: &[f32]| {
                        let right = Matrix::new(columns, [depth, left.size[1]]).transposed();
                        #[expect(unsafe_code, reason = "gemm takes pointers")]
                        // SAFETY: the first product only writes; the others find all of it written.
                        unsafe {
                            multiply(sums, left, right, !is_first);
                        }
                        is_first = false;
                    };
                    if images.len() == image {
                        for step in steps(window, depth) {
                            let width = step.len() * window.out[1];
                            columns.resize(depth * width, 0.0);
                            window.unfold(images, step.clone(), columns, [width, 0]);
                            let left = &gradients[start * plane + step.start * window.out[1]..];
                            add(Matrix::part(left, [count, width], plane), columns);
                        }
                    } else {
                        let width = unfold_all(images, window, depth, columns);
                        let left = side_by_side(gradients, out, [start, count], plane);
                        add(Matrix::new(&left, [count, width]), columns);
                    }
                }
            },
        );
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of the sums, and each begins with a whole product.
    let mut sums = unsafe { fresh(slices * out * depth, write) };
    let (sum, rest) = sums.split_at_mut(out * depth);
    for slice in rest.chunks_exact(out * depth) {
        sum.par_iter_mut().zip(slice).for_each(|(sum, value)| *sum += value);
    }
    sums.truncate(out * depth);
    tensor(sums, [out, channels, height, width])
}

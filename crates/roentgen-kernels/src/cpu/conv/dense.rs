//! The dense convolution, a window of any size over all channels, as matrix products on what is
//! unfolded a few rows at a time.
//!
//! 3x3 windows of deep layers are computed by [`winograd`](crate::cpu::conv::winograd).
//! Elsewhere a task takes an image, or a few small ones, and a block of output channels; which, the shapes
//! alone decide. Gradients of weights are summed over fixed shares of the batch, in their order.

use std::mem::MaybeUninit;
use std::ops::Range;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::conv::input::ConvInput;
use crate::cpu::conv::matmul::{multiply, multiply_into, sum_slices};
use crate::cpu::conv::matrix::Matrix;
use crate::cpu::conv::tuning::{COLUMNS, DENSE_TASKS, ROWS, UNFOLDED};
use crate::cpu::conv::winograd;
use crate::cpu::storage::{build_vec, dims, tensor, values};
use crate::geometry::WindowGeometry;

/// The gradient of the input.
pub(crate) fn x_gradient(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    window: WindowGeometry,
) -> FlexTensor {
    let [out, ..] = dims::<4>(weight);
    match window.reverse() {
        Some(reversed) => {
            let gradient = ConvInput::new(values(gradient), [out, window.out_plane()], None);
            forward(gradient, &flip_and_transpose(weight), reversed)
        }
        None => input_gradient_by_fold(gradient, weight, window),
    }
}

/// Rows of the output that are unfolded at a time.
fn steps(window: WindowGeometry, depth: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let [height, width] = window.out;
    let columns = COLUMNS.max(UNFOLDED / depth);
    let rows = columns.div_ceil(width).min(height);
    // As even as can be.
    let rows = height.div_ceil(height.div_ceil(rows));
    (0..height).step_by(rows).map(move |row| row..height.min(row + rows))
}

/// Images that are taken together, so that products are wide enough.
fn images_per_product(window: WindowGeometry, batch: usize) -> usize {
    let fit = (COLUMNS / window.out_plane()).clamp(1, batch);
    batch.div_ceil(batch.div_ceil(fit))
}

/// Convolves.
pub(crate) fn forward(x: ConvInput, weight: &FlexTensor, window: WindowGeometry) -> FlexTensor {
    let [out, channels, ..] = dims::<4>(weight);
    let batch = x.batch();
    if winograd::fits(window, channels, out) {
        let y = winograd::forward(x, values(weight), out, window);
        return tensor(y, [batch, out, window.out[0], window.out[1]]);
    }
    let depth = channels * window.taps();
    let weight = Matrix::new(values(weight), [out, depth]);
    let plane = window.out_plane();
    let together = images_per_product(window, batch);
    let blocks = DENSE_TASKS.div_ceil(batch.div_ceil(together)).min(out.div_ceil(ROWS));
    let block = out.div_ceil(blocks);
    let write = |y: &mut [MaybeUninit<f32>]| {
        let mut parts: Vec<_> =
            y.chunks_mut(out * plane).map(|image| image.chunks_mut(block * plane)).collect();
        let mut tasks = Vec::new();
        for (group, parts) in parts.chunks_mut(together).enumerate() {
            for start in (0..out).step_by(block) {
                let y: Vec<_> = parts.iter_mut().filter_map(Iterator::next).collect();
                tasks.push((weight.rows(start, block.min(out - start)), group * together, y));
            }
        }
        let scratch = || (Vec::new(), Vec::new());
        tasks.into_par_iter().for_each_init(scratch, |(images, columns), (weight, first, y)| {
            let images = x.images(first..first + y.len(), images);
            block_of_images(weight, images, window, columns, y);
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of `y`, and `block_of_images` writes all of a block.
    let y = unsafe { build_vec(batch * out * plane, write) };
    tensor(y, [batch, out, window.out[0], window.out[1]])
}

/// Convolves a few images, writing all of `out`, one slice an image.
fn block_of_images(
    weight: Matrix,
    images: &[f32],
    window: WindowGeometry,
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
    let together = unsafe { build_vec(rows * count, |out| multiply(out, weight, right, false)) };
    for (image, out) in out.into_iter().enumerate() {
        for (row, out) in together.chunks_exact(count).zip(out.chunks_exact_mut(plane)) {
            out.write_copy_of_slice(&row[image * plane..][..plane]);
        }
    }
}

/// Unfolds images whole, side by side: the number of columns.
fn unfold_all(
    images: &[f32],
    window: WindowGeometry,
    depth: usize,
    columns: &mut Vec<f32>,
) -> usize {
    let (image, plane) = (depth / window.taps() * window.plane(), window.out_plane());
    let count = images.len() / image * plane;
    columns.resize(depth * count, 0.0);
    for (index, image) in images.chunks_exact(image).enumerate() {
        window.unfold(image, 0..window.out[0], columns, [count, index * plane]);
    }
    count
}

/// The window turned round, channels in and out exchanged.
fn flip_and_transpose(weight: &FlexTensor) -> FlexTensor {
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
fn input_gradient_by_fold(
    gradient: &FlexTensor,
    weight: &FlexTensor,
    window: WindowGeometry,
) -> FlexTensor {
    let [batch, ..] = dims::<4>(gradient);
    let [out, channels, ..] = dims::<4>(weight);
    let (depth, plane) = (channels * window.taps(), window.out_plane());
    let weight = Matrix::new(values(weight), [out, depth]).transpose();
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
                unsafe { build_vec(depth * count, |out| multiply(out, weight, right, false)) };
            window.fold(&columns, step, dx);
        }
    });
    tensor(dx, [batch, channels, window.size[0], window.size[1]])
}

/// The gradient of the weights.
pub(crate) fn weight_gradient(
    gradient: &FlexTensor,
    x: ConvInput,
    [out, channels, height, width]: [usize; 4],
    window: WindowGeometry,
) -> FlexTensor {
    let batch = x.batch();
    if winograd::fits(window, channels, out) {
        let dw = winograd::weight_gradient(values(gradient), x, out, window);
        return tensor(dw, [out, channels, height, width]);
    }
    let (depth, plane) = (channels * window.taps(), window.out_plane());
    let gradients = ConvInput::new(values(gradient), [out, plane], None);
    let together = images_per_product(window, batch);
    let groups = batch.div_ceil(together);
    let slice = groups.div_ceil(DENSE_TASKS.min(groups)) * together;
    let slices = batch.div_ceil(slice);
    let blocks = DENSE_TASKS.div_ceil(slices).min(out.div_ceil(ROWS));
    let block = out.div_ceil(blocks);
    let write = |sums: &mut [MaybeUninit<f32>]| {
        let mut tasks = Vec::new();
        for (index, sums) in sums.chunks_mut(out * depth).enumerate() {
            let images = index * slice..batch.min((index + 1) * slice);
            for (index, sums) in sums.chunks_mut(block * depth).enumerate() {
                tasks.push((index * block, images.clone(), sums));
            }
        }
        tasks.into_par_iter().for_each_init(Scratch::default, |scratch, (start, range, sums)| {
            let rows = start..start + sums.len() / depth;
            let Scratch { images, columns, lefts } = scratch;
            let mut is_first = true;
            let mut add = |left: Matrix, columns: &[f32]| {
                let right = Matrix::new(columns, [depth, left.size[1]]).transpose();
                #[expect(unsafe_code, reason = "gemm takes pointers")]
                // SAFETY: the first product only writes; the others find all of it written.
                unsafe {
                    multiply(sums, left, right, !is_first);
                }
                is_first = false;
            };
            for first in range.clone().step_by(together) {
                let group = first..range.end.min(first + together);
                let images = x.images(group.clone(), images);
                if group.len() > 1 {
                    unfold_all(images, window, depth, columns);
                    add(gradients.matrix(group, rows.clone(), 0..plane, lefts), columns);
                    continue;
                }
                for step in steps(window, depth) {
                    let width = step.len() * window.out[1];
                    columns.resize(depth * width, 0.0);
                    window.unfold(images, step.clone(), columns, [width, 0]);
                    let first = step.start * window.out[1];
                    let strip = first..first + width;
                    add(gradients.matrix(group.clone(), rows.clone(), strip, lefts), columns);
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of the sums, and each begins with a whole product.
    let sums = unsafe { build_vec(slices * out * depth, write) };
    tensor(sum_slices(sums, out * depth), [out, channels, height, width])
}

/// What a task needs memory for.
#[derive(Default)]
struct Scratch {
    images: Vec<f32>,
    columns: Vec<f32>,
    lefts: Vec<f32>,
}

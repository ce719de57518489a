//! Matrix products over the images of a batch.
//!
//! Each product is one call of `gemm` on one thread: its result depends on shapes only, never on
//! how many threads share the calls out.

use std::mem::MaybeUninit;

use gemm::{Parallelism, gemm};
use rayon::prelude::*;

use crate::cpu::conv::input::ConvInput;
use crate::cpu::conv::matrix::Matrix;
use crate::cpu::conv::tuning::{COLUMNS, OUTER_ROWS, OUTER_TASKS, PRODUCT_TASKS, ROWS};
use crate::cpu::storage::build_vec;

/// Multiplies `left` with each image of `right`, a matrix of channels and pixels, into
/// `[batch, rows, plane]`.
pub(crate) fn per_image(left: Matrix, right: ConvInput) -> Vec<f32> {
    let ([rows, _], [batch, plane]) = (left.size, [right.batch(), right.plane]);
    let together = images_per_product(batch, plane);
    let blocks = PRODUCT_TASKS.div_ceil(batch.div_ceil(together)).min(rows.div_ceil(ROWS));
    let block = rows.div_ceil(blocks);
    let write = |out: &mut [MaybeUninit<f32>]| {
        let mut parts: Vec<_> =
            out.chunks_mut(rows * plane).map(|image| image.chunks_mut(block * plane)).collect();
        let mut tasks = Vec::new();
        for (group, parts) in parts.chunks_mut(together).enumerate() {
            for start in (0..rows).step_by(block) {
                let out: Vec<_> = parts.iter_mut().filter_map(Iterator::next).collect();
                tasks.push((left.rows(start, block.min(rows - start)), group * together, out));
            }
        }
        tasks.into_par_iter().for_each_init(Vec::new, |scratch, (left, first, out)| {
            block_of_images(left, right, first, scratch, out);
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of `out`, and `block_of_images` writes all of a block.
    unsafe {
        build_vec(batch * rows * plane, write)
    }
}

/// Multiplies for a few images together, from `first` on, writing all of `out`, one slice an image.
fn block_of_images(
    left: Matrix,
    right: ConvInput,
    first: usize,
    scratch: &mut Vec<f32>,
    mut out: Vec<&mut [MaybeUninit<f32>]>,
) {
    let (rows, plane, channels) = (left.size[0], right.plane, 0..right.channels);
    if let [out] = out.as_mut_slice() {
        for strip in right.strips() {
            let start = strip.start;
            let right = right.matrix(first..first + 1, channels.clone(), strip, scratch);
            #[expect(unsafe_code, reason = "gemm takes pointers")]
            // SAFETY: nothing is read from `out`.
            unsafe {
                multiply_into(&mut out[start..], plane, left, right, false);
            }
        }
        return;
    }
    let columns = out.len() * plane;
    let right = right.matrix(first..first + out.len(), channels, 0..plane, scratch);
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the product writes all of its output and reads nothing of it.
    let together = unsafe { build_vec(rows * columns, |out| multiply(out, left, right, false)) };
    for (image, out) in out.into_iter().enumerate() {
        for (row, out) in together.chunks_exact(columns).zip(out.chunks_exact_mut(plane)) {
            out.write_copy_of_slice(&row[image * plane..][..plane]);
        }
    }
}

/// Sums over images the products of `left`, a matrix of channels and pixels each, with the transpose
/// of `right`.
pub(crate) fn outer_product(left: ConvInput, right: ConvInput) -> Vec<f32> {
    let (batch, plane) = (left.batch(), left.plane);
    let (rows, depth) = (left.channels, right.channels);
    let together = images_per_product(batch, plane);
    let blocks = rows.div_ceil(OUTER_ROWS);
    let block = rows.div_ceil(blocks);
    let groups = batch.div_ceil(together);
    let slice = groups.div_ceil(OUTER_TASKS.div_ceil(blocks)) * together;
    let slices = batch.div_ceil(slice);
    let write = |out: &mut [MaybeUninit<f32>]| {
        let mut tasks = Vec::new();
        for (index, out) in out.chunks_mut(rows * depth).enumerate() {
            let images = index * slice..batch.min((index + 1) * slice);
            for (index, out) in out.chunks_mut(block * depth).enumerate() {
                tasks.push((index * block, images.clone(), out));
            }
        }
        let scratch = || (Vec::new(), Vec::new());
        tasks.into_par_iter().for_each_init(scratch, |(lefts, rights), (start, images, out)| {
            let rows = start..start + out.len() / depth;
            let mut is_first = true;
            for first in images.clone().step_by(together) {
                let images = first..images.end.min(first + together);
                for strip in right.strips() {
                    let left = left.matrix(images.clone(), rows.clone(), strip.clone(), lefts);
                    let right = right.matrix(images.clone(), 0..depth, strip, rights);
                    #[expect(unsafe_code, reason = "gemm takes pointers")]
                    // SAFETY: the first product only writes; the others find all of `out` written.
                    unsafe {
                        multiply(out, left, right.transpose(), !is_first);
                    }
                    is_first = false;
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the tasks' blocks are all of the sums, and each begins with a whole product.
    let sums = unsafe { build_vec(slices * rows * depth, write) };
    sum_slices(sums, rows * depth)
}

/// Adds slices of `size` values up, in their order.
pub(crate) fn sum_slices(mut slices: Vec<f32>, size: usize) -> Vec<f32> {
    let (sum, rest) = slices.split_at_mut(size);
    for slice in rest.chunks_exact(size) {
        sum.par_iter_mut().zip(slice).for_each(|(sum, value)| *sum += value);
    }
    slices.truncate(size);
    // A gradient is kept until the optimizer takes it, and must not keep the other slices' memory.
    slices.shrink_to_fit();
    slices
}

/// How many images go through a product at a time.
fn images_per_product(batch: usize, plane: usize) -> usize {
    batch.div_ceil((batch * plane).div_ceil(COLUMNS).min(batch))
}

/// Writes `left` times `right` to all of `out`, or adds it to what is there.
///
/// # Safety
///
/// `out` must hold values where they are added to.
#[expect(unsafe_code, reason = "gemm takes pointers")]
pub(crate) unsafe fn multiply(
    out: &mut [MaybeUninit<f32>],
    left: Matrix,
    right: Matrix,
    add: bool,
) {
    assert_eq!(out.len(), left.size[0] * right.size[1], "size of a product");
    // SAFETY: the caller's promise, and the product fills `out`.
    unsafe { multiply_into(out, right.size[1], left, right, add) }
}

/// The same for a part of `out`: its first columns, where rows are `pitch` apart.
///
/// # Safety
///
/// `out` must hold values where they are added to.
#[expect(unsafe_code, reason = "gemm takes pointers")]
pub(crate) unsafe fn multiply_into(
    out: &mut [MaybeUninit<f32>],
    pitch: usize,
    left: Matrix,
    right: Matrix,
    add: bool,
) {
    let [[rows, depth], [right_rows, columns]] = [left.size, right.size];
    assert_eq!(depth, right_rows, "inner sizes of a product");
    assert!(columns <= pitch && (rows - 1) * pitch + columns <= out.len(), "size of a product");
    assert!(left.last() < left.values.len() && right.last() < right.values.len());
    // SAFETY: the sizes are those of the three slices, as asserted.
    unsafe {
        gemm(
            rows,
            columns,
            depth,
            out.as_mut_ptr().cast::<f32>(),
            1,
            pitch as isize,
            add,
            left.values.as_ptr(),
            left.strides[1] as isize,
            left.strides[0] as isize,
            right.values.as_ptr(),
            right.strides[1] as isize,
            right.strides[0] as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

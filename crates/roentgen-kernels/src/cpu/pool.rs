//! Max pooling.
//!
//! For the backward pass each output keeps, in one byte, the tap of the window that it came from;
//! Burn keeps eight bytes. Of equal values the first counts, as in PyTorch, and NaN is the greatest.

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::cpu::storage::{build_vec, dims, tensor, values};
use crate::geometry::WindowGeometry;

/// Adds each output's gradient to the pixel that it came from.
pub(crate) fn backward(gradient: &FlexTensor, taps: &[u8], window: WindowGeometry) -> FlexTensor {
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

/// The pixel that a tap reads for an output; it must not be padding.
fn pixel(window: WindowGeometry, at: usize, tap: usize) -> usize {
    let WindowGeometry { size, out, kernel, stride, before, .. } = window;
    let y = at / out[1] * stride + tap / kernel[1] - before[0];
    let x = at % out[1] * stride + tap % kernel[1] - before[1];
    y * size[1] + x
}

/// The greatest values and the taps that they came from.
pub(crate) fn forward(x: &FlexTensor, window: WindowGeometry) -> (FlexTensor, Vec<u8>) {
    let [batch, channels, ..] = dims::<4>(x);
    let mut taps = vec![0; batch * channels * window.out_plane()];
    let write = |y: &mut [MaybeUninit<f32>]| {
        let planes = values(x).par_chunks_exact(window.plane());
        let outs = y.par_chunks_exact_mut(window.out_plane());
        let outs = outs.zip(taps.par_chunks_exact_mut(window.out_plane()));
        planes.zip(outs).for_each(|(plane, (y, taps))| max_of_windows(plane, window, y, taps));
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes are the whole of `y`, and `max_of_windows` writes all of a plane.
    let y = unsafe { build_vec(batch * channels * window.out_plane(), write) };
    (tensor(y, [batch, channels, window.out[0], window.out[1]]), taps)
}

/// Writes all of an output plane and its taps.
fn max_of_windows(
    plane: &[f32],
    window: WindowGeometry,
    y: &mut [MaybeUninit<f32>],
    taps: &mut [u8],
) {
    let WindowGeometry { size, out, kernel, stride, before, .. } = window;
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

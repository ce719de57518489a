//! The 3x3 convolution with steps of one by [Winograd's minimal filtering][paper], `F(2x2, 3x3)`:
//! 16 products for four outputs in place of 36.
//!
//! Planes are cut into tiles of four by four that overlap by two. Each tile, each window and each
//! gradient is changed into 16 coefficients; a convolution is then, coefficient by coefficient, a
//! product of matrices over the channels. A unit is one row of tiles of one image; a task takes a
//! few units, which, the shapes alone decide. In single precision the result is off by about twice
//! what the plain sum is.
//!
//! [paper]: https://arxiv.org/abs/1509.09308

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use crate::product::{Matrix, multiply};
use crate::sliding::Sliding;
use crate::storage::fresh;
use crate::tiles::{Row, TILE, change_window, window_gradient};

/// Coefficients of a tile.
const COEFFICIENTS: usize = TILE * TILE;
/// Coefficients of one block of tiles to hold at a time: they should stay in the last cache.
const HELD: usize = 1 << 21;
/// Tiles that a product should have, at least and at most.
const TILES: [usize; 2] = [128, 1024];
/// Tasks worth having where each costs a set of weights.
const SLICES: usize = 4;
/// Channels in and out from which the changes pay.
const CHANNELS: usize = 64;
/// Width of the output from which rows of tiles fill vectors.
const WIDTH: usize = 24;

/// Whether this way is worth while.
pub(crate) fn fits(window: Sliding, channels: usize, out: usize) -> bool {
    window.kernel == [3, 3]
        && window.out[1] >= WIDTH
        && window.reversed().is_some()
        && channels.min(out) >= CHANNELS
}

/// The tiles of a batch.
#[derive(Clone, Copy)]
struct Tiling {
    window: Sliding,
    /// Tiles of an output plane, down and across.
    size: [usize; 2],
    /// Units of a block.
    block: usize,
}

impl Tiling {
    fn new(window: Sliding, channels: usize) -> Self {
        let size = window.out.map(|edge| edge.div_ceil(2));
        let tiles = (HELD / (COEFFICIENTS * channels)).clamp(TILES[0], TILES[1]);
        Self { window, size, block: tiles.div_ceil(size[1]) }
    }

    fn units(&self, batch: usize) -> usize {
        batch * self.size[0]
    }

    /// Changes the tiles of some units, `[coefficient, channel, tile]`.
    fn inputs(&self, x: &[f32], channels: usize, units: Range<usize>, changed: &mut Vec<f32>) {
        let Self { window, size: [down, across], .. } = *self;
        let tiles = units.len() * across;
        changed.resize(COEFFICIENTS * channels * tiles, 0.0);
        let mut row = Row::new(across);
        for (index, unit) in units.enumerate() {
            let image = &x[unit / down * channels * window.plane()..];
            for (channel, plane) in image.chunks_exact(window.plane()).take(channels).enumerate() {
                let out = &mut changed[channel * tiles + index * across..];
                row.change(plane, window, unit % down, out, channels * tiles);
            }
        }
    }

    /// Changes the output gradients of some units, `[coefficient, channel, tile]`.
    fn gradients(&self, dy: &[f32], out: usize, units: Range<usize>, changed: &mut Vec<f32>) {
        let Self { window, size: [down, across], .. } = *self;
        let (plane, width) = (window.out_plane(), window.out[1]);
        let tiles = units.len() * across;
        changed.resize(COEFFICIENTS * out * tiles, 0.0);
        let mut row = Row::new(across);
        for (index, unit) in units.enumerate() {
            let (image, y) = (unit / down, unit % down * 2);
            for channel in 0..out {
                let plane = &dy[(image * out + channel) * plane..][..plane];
                let line = |y: usize| plane.get(y * width..(y + 1) * width).unwrap_or_default();
                let into = &mut changed[channel * tiles + index * across..];
                row.spread(line(y), line(y + 1), into, out * tiles);
            }
        }
    }
}

/// Convolves: `x` of `[batch, channels, height, width]` with `weight` of `[out, channels, 3, 3]`.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    [batch, channels, out]: [usize; 3],
    place: Sliding,
) -> Vec<f32> {
    let tiling = Tiling::new(place, channels.max(out));
    let [down, across] = tiling.size;
    let (plane, width) = (place.out_plane(), place.out[1]);
    let windows = changed_windows(weight);
    let write = |y: &mut [MaybeUninit<f32>]| {
        // Each unit's two rows of each output channel.
        let mut units: Vec<_> = (0..tiling.units(batch)).map(|_| Vec::with_capacity(out)).collect();
        for (index, plane) in y.chunks_mut(plane).enumerate() {
            for (row, pair) in plane.chunks_mut(2 * width).enumerate() {
                units[index / out * down + row].push(pair);
            }
        }
        let blocks = units.par_chunks_mut(tiling.block).enumerate();
        blocks.for_each_init(Vec::new, |inputs, (index, units)| {
            let tiles = units.len() * across;
            let first = index * tiling.block;
            tiling.inputs(x, channels, first..first + units.len(), inputs);
            let products = |products: &mut [MaybeUninit<f32>]| {
                let inputs = inputs.chunks_exact(channels * tiles);
                let windows = windows.chunks_exact(out * channels);
                let pairs = products.chunks_exact_mut(out * tiles).zip(windows.zip(inputs));
                for (product, (window, input)) in pairs {
                    let window = Matrix::new(window, [out, channels]);
                    let input = Matrix::new(input, [channels, tiles]);
                    #[expect(unsafe_code, reason = "gemm takes pointers")]
                    // SAFETY: nothing is read from the product.
                    unsafe {
                        multiply(product, window, input, false);
                    }
                }
            };
            #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
            // SAFETY: 16 products are the whole of it, and each is written whole.
            let products = unsafe { fresh(COEFFICIENTS * out * tiles, products) };
            let mut row = Row::new(across);
            for (index, rows) in units.iter_mut().enumerate() {
                for (channel, rows) in rows.iter_mut().enumerate() {
                    let first = channel * tiles + index * across;
                    let lines = row.outputs(&products[first..], out * tiles);
                    for (row, line) in rows.chunks_exact_mut(width).zip(lines) {
                        row.write_copy_of_slice(&line[..width]);
                    }
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the rows of all units are the whole of `y`, and each task writes all of its own.
    unsafe {
        fresh(batch * out * plane, write)
    }
}

/// The gradient of the weights, `[out, channels, 3, 3]`.
pub(crate) fn weight_gradient(
    gradient: &[f32],
    x: &[f32],
    [batch, channels, out]: [usize; 3],
    place: Sliding,
) -> Vec<f32> {
    let tiling = Tiling::new(place, channels.max(out));
    let (units, size) = (tiling.units(batch), COEFFICIENTS * out * channels);
    let blocks = units.div_ceil(tiling.block);
    let slice = blocks.div_ceil(SLICES) * tiling.block;
    let slices = units.div_ceil(slice);
    let write = |sums: &mut [MaybeUninit<f32>]| {
        let slices = sums.par_chunks_mut(size).enumerate();
        slices.for_each_init(Default::default, |(inputs, gradients), (index, sums)| {
            let units = index * slice..units.min((index + 1) * slice);
            for first in units.clone().step_by(tiling.block) {
                let block = first..units.end.min(first + tiling.block);
                let tiles = block.len() * tiling.size[1];
                tiling.inputs(x, channels, block.clone(), inputs);
                tiling.gradients(gradient, out, block, gradients);
                let inputs = inputs.chunks_exact(channels * tiles);
                let gradients = gradients.chunks_exact(out * tiles);
                let sums = sums.chunks_exact_mut(out * channels);
                for (sum, (gradient, input)) in sums.zip(gradients.zip(inputs)) {
                    let left = Matrix::new(gradient, [out, tiles]);
                    let right = Matrix::new(input, [channels, tiles]).transposed();
                    #[expect(unsafe_code, reason = "gemm takes pointers")]
                    // SAFETY: the first block only writes; the others find all of it written.
                    unsafe {
                        multiply(sum, left, right, first > units.start);
                    }
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the slices are all of the sums, and each begins with 16 whole products.
    let mut sums = unsafe { fresh(slices * size, write) };
    let (sum, rest) = sums.split_at_mut(size);
    for slice in rest.chunks_exact(size) {
        sum.par_iter_mut().zip(slice).for_each(|(sum, value)| *sum += value);
    }
    let mut weight = vec![0.0; out * channels * 9];
    weight.par_chunks_exact_mut(9).enumerate().for_each(|(index, weight)| {
        let changed = std::array::from_fn(|at| sum[at * out * channels + index]);
        weight.copy_from_slice(&window_gradient(changed));
    });
    weight
}

/// All windows changed, `[coefficient, window]`.
fn changed_windows(weight: &[f32]) -> Vec<f32> {
    let windows = weight.as_chunks::<9>().0;
    let mut changed = vec![0.0; COEFFICIENTS * windows.len()];
    for (index, weights) in windows.iter().enumerate() {
        for (at, value) in change_window(weights).into_iter().enumerate() {
            changed[at * windows.len() + index] = value;
        }
    }
    changed
}

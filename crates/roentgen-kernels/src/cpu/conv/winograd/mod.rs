//! The 3x3 convolution with steps of one by [Winograd's minimal filtering][paper], `F(2x2, 3x3)`:
//! 16 products for four outputs in place of 36.
//!
//! Planes are cut into tiles of four by four that overlap by two. Each tile, each window and each
//! gradient is changed into 16 coefficients; a convolution is then, coefficient by coefficient, a
//! product of matrices over the channels. A unit is one row of tiles of one image, or of a few where
//! planes are narrow; a task takes a few units, which, the shapes alone decide. In single precision the
//! result is off by about twice what the plain sum is.
//!
//! [paper]: https://arxiv.org/abs/1509.09308

mod tiles;

use std::mem::MaybeUninit;
use std::ops::Range;

use rayon::prelude::*;

use crate::cpu::conv::input::ConvInput;
use crate::cpu::conv::matmul::{multiply, sum_slices};
use crate::cpu::conv::matrix::Matrix;
use crate::cpu::conv::tuning::winograd::{
    ABREAST, CHANNELS, HELD, LARGE, SLICES, TASKS, TILES, WIDTH,
};
use crate::cpu::conv::winograd::tiles::{
    RowScratch, TILE, TileRow, transform_window, window_gradient,
};
use crate::cpu::storage::build_vec;
use crate::geometry::WindowGeometry;

/// Coefficients of a tile.
const COEFFICIENTS: usize = TILE * TILE;

/// Whether this algorithm is faster.
pub(crate) fn fits(window: WindowGeometry, channels: usize, out: usize) -> bool {
    window.kernel == [3, 3]
        && window.out[1] >= WIDTH
        && window.reverse().is_some()
        && channels.min(out) >= CHANNELS
}

/// The tiles of a batch.
#[derive(Clone, Copy)]
struct Tiling {
    window: WindowGeometry,
    batch: usize,
    /// Rows of tiles of an output plane.
    down: usize,
    row_of_tiles: TileRow,
    /// Units of a block.
    block: usize,
}

impl Tiling {
    fn new(window: WindowGeometry, batch: usize, channels: usize) -> Self {
        let [down, across] = window.out.map(|edge| edge.div_ceil(2));
        // As even as can be.
        let images = batch.div_ceil(batch.div_ceil((2 * ABREAST).div_ceil(across).min(batch)));
        let images = if across < ABREAST { images } else { 1 };
        let row_of_tiles = TileRow { images, across };
        let tiles = (HELD / (COEFFICIENTS * channels)).clamp(TILES[0], TILES[1]);
        let tiling = Self { window, batch, down, row_of_tiles, block: 1 };
        let block = tiles.div_ceil(row_of_tiles.tiles()).min(tiling.units().div_ceil(TASKS));
        Self { block, ..tiling }
    }

    fn units(&self) -> usize {
        self.batch.div_ceil(self.row_of_tiles.images) * self.down
    }

    /// The image of a unit, if the batch goes so far.
    fn image(&self, unit: usize, image: usize) -> Option<usize> {
        let image = unit / self.down * self.row_of_tiles.images + image;
        (image < self.batch).then_some(image)
    }

    /// Changes the tiles of some units, `[coefficient, channel, tile]`.
    fn inputs(&self, x: ConvInput, units: Range<usize>, changed: &mut Vec<f32>) {
        let (window, across) = (self.window, self.row_of_tiles.tiles());
        let (channels, tiles) = (x.channels, units.len() * across);
        changed.resize(COEFFICIENTS * channels * tiles, 0.0);
        let mut row = RowScratch::new(self.row_of_tiles);
        for (index, unit) in units.enumerate() {
            for channel in 0..channels {
                let out = &mut changed[channel * tiles + index * across..];
                let read = |image, first, out: &mut [f32]| match self.image(unit, image) {
                    Some(image) => x.copy([image, channel], first, out),
                    None => out.fill(0.0),
                };
                row.change(read, window, unit % self.down, out, channels * tiles);
            }
        }
    }

    /// Changes the output gradients of some units, `[coefficient, channel, tile]`.
    fn gradients(&self, dy: &[f32], out: usize, units: Range<usize>, changed: &mut Vec<f32>) {
        let (plane, width) = (self.window.out_plane(), self.window.out[1]);
        let across = self.row_of_tiles.tiles();
        let tiles = units.len() * across;
        changed.resize(COEFFICIENTS * out * tiles, 0.0);
        let mut row = RowScratch::new(self.row_of_tiles);
        for (index, unit) in units.enumerate() {
            let y = unit % self.down * 2;
            for channel in 0..out {
                let line = |image, below| {
                    let Some(image) = self.image(unit, image) else { return Default::default() };
                    let plane = &dy[(image * out + channel) * plane..][..plane];
                    let start = (y + below) * width;
                    plane.get(start..start + width).unwrap_or_default()
                };
                let into = &mut changed[channel * tiles + index * across..];
                row.spread(line, into, out * tiles);
            }
        }
    }
}

/// Convolves with `weight` of `[out, channels, 3, 3]`.
pub(crate) fn forward(
    x: ConvInput,
    weight: &[f32],
    out: usize,
    window: WindowGeometry,
) -> Vec<f32> {
    let (batch, channels) = (x.batch(), x.channels);
    let tiling = Tiling::new(window, batch, channels.max(out));
    let Tiling { row_of_tiles, down, .. } = tiling;
    let across = row_of_tiles.tiles();
    let (plane, width) = (window.out_plane(), window.out[1]);
    let windows = transform_windows(weight);
    let write = |y: &mut [MaybeUninit<f32>]| {
        // Each unit's two rows of each image and output channel.
        let rows = row_of_tiles.images * out;
        let mut units: Vec<_> = (0..tiling.units()).map(|_| Vec::with_capacity(rows)).collect();
        for (index, plane) in y.chunks_mut(plane).enumerate() {
            for (row, pair) in plane.chunks_mut(2 * width).enumerate() {
                units[index / rows * down + row].push(pair);
            }
        }
        let blocks = units.par_chunks_mut(tiling.block).enumerate();
        blocks.for_each_init(Vec::new, |inputs, (index, units)| {
            let tiles = units.len() * across;
            let first = index * tiling.block;
            tiling.inputs(x, first..first + units.len(), inputs);
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
            let products = unsafe { build_vec(COEFFICIENTS * out * tiles, products) };
            let mut row = RowScratch::new(row_of_tiles);
            for (index, rows) in units.iter_mut().enumerate() {
                for channel in 0..out {
                    let first = channel * tiles + index * across;
                    let lines = row.outputs(&products[first..], out * tiles);
                    let images = rows.iter_mut().skip(channel).step_by(out);
                    for (image, rows) in images.enumerate() {
                        for (row, line) in rows.chunks_exact_mut(width).zip(lines) {
                            row.write_copy_of_slice(&line[image * row_of_tiles.pitch()..][..width]);
                        }
                    }
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the rows of all units are the whole of `y`, and each task writes all of its own.
    unsafe {
        build_vec(batch * out * plane, write)
    }
}

/// The gradient of the weights, `[out, channels, 3, 3]`.
pub(crate) fn weight_gradient(
    gradient: &[f32],
    x: ConvInput,
    out: usize,
    window: WindowGeometry,
) -> Vec<f32> {
    let (batch, channels) = (x.batch(), x.channels);
    let tiling = Tiling::new(window, batch, channels.max(out));
    let (units, size) = (tiling.units(), COEFFICIENTS * out * channels);
    let blocks = units.div_ceil(tiling.block);
    let slices = if size < LARGE { SLICES[0] } else { SLICES[1] };
    let slice = blocks.div_ceil(slices) * tiling.block;
    let slices = units.div_ceil(slice);
    let write = |sums: &mut [MaybeUninit<f32>]| {
        let slices = sums.par_chunks_mut(size).enumerate();
        slices.for_each_init(Default::default, |(inputs, gradients), (index, sums)| {
            let units = index * slice..units.min((index + 1) * slice);
            for first in units.clone().step_by(tiling.block) {
                let block = first..units.end.min(first + tiling.block);
                let tiles = block.len() * tiling.row_of_tiles.tiles();
                tiling.inputs(x, block.clone(), inputs);
                tiling.gradients(gradient, out, block, gradients);
                let inputs = inputs.chunks_exact(channels * tiles);
                let gradients = gradients.chunks_exact(out * tiles);
                let pairs: Vec<_> = gradients.zip(inputs).collect();
                let sums = sums.par_chunks_exact_mut(out * channels);
                sums.zip(pairs).for_each(|(sum, (gradient, input))| {
                    let left = Matrix::new(gradient, [out, tiles]);
                    let right = Matrix::new(input, [channels, tiles]).transpose();
                    #[expect(unsafe_code, reason = "gemm takes pointers")]
                    // SAFETY: the first block only writes; the others find all of it written.
                    unsafe {
                        multiply(sum, left, right, first > units.start);
                    }
                });
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the slices are all of the sums, and each begins with 16 whole products.
    let sums = sum_slices(unsafe { build_vec(slices * size, write) }, size);
    let mut weight = vec![0.0; out * channels * 9];
    weight.par_chunks_exact_mut(9).enumerate().for_each(|(index, weight)| {
        let changed = std::array::from_fn(|at| sums[at * out * channels + index]);
        weight.copy_from_slice(&window_gradient(changed));
    });
    weight
}

/// All windows changed, `[coefficient, window]`.
fn transform_windows(weight: &[f32]) -> Vec<f32> {
    let windows = weight.as_chunks::<9>().0;
    let block = windows.len().div_ceil(TASKS);
    let mut changed = vec![0.0; COEFFICIENTS * windows.len()];
    let mut blocks: Vec<_> = windows.chunks(block).map(|windows| (windows, Vec::new())).collect();
    for row in changed.chunks_exact_mut(windows.len()) {
        for ((_, rows), row) in blocks.iter_mut().zip(row.chunks_mut(block)) {
            rows.push(row);
        }
    }
    blocks.into_par_iter().for_each(|(windows, mut rows)| {
        for (index, window) in windows.iter().enumerate() {
            for (row, value) in rows.iter_mut().zip(transform_window(window)) {
                row[index] = value;
            }
        }
    });
    changed
}

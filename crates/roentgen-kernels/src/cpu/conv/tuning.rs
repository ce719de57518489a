//! Sizes by which the convolutions divide their work.
//!
//! They were chosen by the time of whole training steps (`roentgen bench train`) on the six networks
//! of `docs/benchmarks.md`, which has the times that they give; the effect of each one alone was not
//! recorded. They depend on shapes and never on the machine, because they decide in which order sums
//! are added: another value gives other last digits. Compare with `benches/peers/compare.py` before
//! and after a change.

/// Columns that a matrix product should have at least: images with fewer go through a product
/// together, and a strip or block of columns is no narrower.
pub(crate) const COLUMNS: usize = 512;
/// Normalized values of an input to hold at a time, where that many columns allow it: they should
/// stay in cache.
pub(crate) const NORMALIZED: usize = 1 << 17;
/// Values of im2col to hold at a time, where that many columns allow it: they should stay in cache.
pub(crate) const UNFOLDED: usize = 1 << 19;

/// Tasks worth having in a product of a weight with each image, for the processors of a large
/// machine.
pub(crate) const PRODUCT_TASKS: usize = 16;
/// Tasks worth having in an outer product, where each slice of the batch costs a matrix.
pub(crate) const OUTER_TASKS: usize = 8;
/// Tasks worth having in a dense convolution, where each also computes rows of im2col.
pub(crate) const DENSE_TASKS: usize = 8;
/// Rows of the left matrix that a task should keep; for a dense convolution, where each block of
/// them computes im2col again, output channels.
pub(crate) const ROWS: usize = 64;
/// The same for an outer product, which repeats more work for each block of rows.
pub(crate) const OUTER_ROWS: usize = 256;

/// Winograd's minimal filtering.
pub(crate) mod winograd {
    /// Coefficients of one block of tiles to hold at a time: they should stay in the last cache.
    pub(crate) const HELD: usize = 1 << 21;
    /// Tiles that a product should have, at least and at most.
    pub(crate) const TILES: [usize; 2] = [128, 1024];
    /// Tasks worth having.
    pub(crate) const TASKS: usize = 8;
    /// Parts of the batch whose gradients of the weights are summed apart, each at the price of a
    /// set of transformed weights: fewer where that is large.
    pub(crate) const SLICES: [usize; 2] = [4, 2];
    /// Transformed weights that are large.
    pub(crate) const LARGE: usize = 1 << 21;
    /// Channels in and out from which the transforms pay.
    pub(crate) const CHANNELS: usize = 32;
    /// Width of the output from which too few tiles reach over the edge to undo the gain.
    pub(crate) const WIDTH: usize = 12;
    /// Tiles that fill vectors.
    pub(crate) const ABREAST: usize = 12;
}

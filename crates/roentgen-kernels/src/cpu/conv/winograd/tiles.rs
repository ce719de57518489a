//! The changes of Winograd's `F(2x2, 3x3)`, a row of tiles at a time so that vector code can follow.
//!
//! With the matrices of the paper, a tile `d` becomes `B' d B`, a window `g` becomes `G g G'`, and
//! `A' m A` are the four outputs; gradients go through the transposes. Every matrix is applied down
//! first and across then.

use crate::cpu::simd::multiversion;
use crate::geometry::WindowGeometry;

/// Height and width of a tile.
pub(crate) const TILE: usize = 4;

/// The tiles of a row: those of one image or, where planes are narrow, of a few side by side.
///
/// A tile between two images, over the end of one and the start of the next, is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TileRow {
    pub(crate) images: usize,
    /// Tiles of an image.
    pub(crate) across: usize,
}

impl TileRow {
    /// All tiles of the row.
    pub(crate) fn tiles(self) -> usize {
        self.images * (self.across + 1) - 1
    }

    /// Pixels from the start of one image to that of the next.
    pub(crate) fn pitch(self) -> usize {
        2 * self.across + 2
    }
}

/// Scratch memory for a row of tiles.
pub(crate) struct RowScratch {
    row_of_tiles: TileRow,
    /// The rows of the planes under the tiles.
    lines: [Vec<f32>; TILE],
    mixed: Vec<f32>,
    even: Vec<f32>,
    odd: Vec<f32>,
}

impl RowScratch {
    pub(crate) fn new(row_of_tiles: TileRow) -> Self {
        let line = || vec![0.0; 2 * row_of_tiles.tiles() + 2];
        let half = || vec![0.0; row_of_tiles.tiles() + 1];
        let lines = std::array::from_fn(|_| line());
        Self { row_of_tiles, lines, mixed: line(), even: half(), odd: half() }
    }

    /// Changes the tiles of row `row` of a plane of each image, of which `read` writes pixels from one
    /// on; coefficient `i` goes to `out[i * pitch..]`.
    pub(crate) fn change(
        &mut self,
        read: impl Fn(usize, usize, &mut [f32]),
        window: WindowGeometry,
        row: usize,
        out: &mut [f32],
        pitch: usize,
    ) {
        let [height, width] = window.size;
        let [top, left] = window.before;
        for (line, y) in self.lines.iter_mut().zip(2 * row..) {
            let Some(y) = y.checked_sub(top).filter(|&y| y < height) else {
                line.fill(0.0);
                continue;
            };
            for (image, line) in line.chunks_exact_mut(self.row_of_tiles.pitch()).enumerate() {
                let count = width.min(line.len() - left);
                line[..left].fill(0.0);
                read(image, y * width, &mut line[left..left + count]);
                line[left + count..].fill(0.0);
            }
        }
        transform_tiles(self, out, pitch);
    }

    /// Changes the gradients of the tiles' outputs: `read` gives the line above or below (0 or 1) of an
    /// image, which may end early.
    pub(crate) fn spread<'a>(
        &mut self,
        read: impl Fn(usize, usize) -> &'a [f32],
        out: &mut [f32],
        pitch: usize,
    ) {
        let [above, below, nothing, _] = &mut self.lines;
        for (which, line) in [above, below].into_iter().enumerate() {
            for (image, line) in line.chunks_exact_mut(self.row_of_tiles.pitch()).enumerate() {
                let values = read(image, which);
                line[..values.len()].copy_from_slice(values);
                line[values.len()..].fill(0.0);
            }
        }
        nothing.fill(0.0);
        transform_gradients(self, out, pitch);
    }

    /// The outputs of the tiles, two lines, from their coefficients, `pitch` apart.
    pub(crate) fn outputs(&mut self, products: &[f32], pitch: usize) -> [&[f32]; 2] {
        gather(self, products, pitch);
        [&self.lines[0], &self.lines[1]]
    }
}

/// `first + sign * second`.
#[inline(always)]
fn add(out: &mut [f32], first: &[f32], second: &[f32], sign: f32) {
    for ((out, first), second) in out.iter_mut().zip(first).zip(second) {
        *out = first + sign * second;
    }
}

/// Even and odd values.
#[inline(always)]
fn part(line: &[f32], even: &mut [f32], odd: &mut [f32]) {
    for ((pair, even), odd) in line.as_chunks::<2>().0.iter().zip(even).zip(odd) {
        (*even, *odd) = (pair[0], pair[1]);
    }
}

multiversion! {
    /// `B' d B` of each tile.
    fn transform_tiles(row: &mut RowScratch, out: &mut [f32], pitch: usize) {
        let _ = FUSED;
        let RowScratch { lines: [a, b, c, d], mixed, even, odd, row_of_tiles } = row;
        let across = row_of_tiles.tiles();
        for index in 0..TILE {
            match index {
                0 => add(mixed, a, c, -1.0),
                1 => add(mixed, b, c, 1.0),
                2 => add(mixed, c, b, -1.0),
                _ => add(mixed, b, d, -1.0),
            }
            part(mixed, even, odd);
            let mut lines = out[index * TILE * pitch..].chunks_mut(pitch);
            let mut write = |first: &[f32], second: &[f32], sign| {
                if let Some(line) = lines.next() {
                    add(&mut line[..across], &first[..across], &second[..across], sign);
                }
            };
            write(even, &even[1..], -1.0);
            write(odd, &even[1..], 1.0);
            write(&even[1..], odd, -1.0);
            write(odd, &odd[1..], -1.0);
        }
    }
}

multiversion! {
    /// `A m A'` of each tile.
    fn transform_gradients(row: &mut RowScratch, out: &mut [f32], pitch: usize) {
        let _ = FUSED;
        let RowScratch { lines: [a, b, nothing, _], mixed, even, odd, row_of_tiles } = row;
        let across = row_of_tiles.tiles();
        for index in 0..TILE {
            match index {
                0 => add(mixed, a, nothing, 1.0),
                1 => add(mixed, a, b, 1.0),
                2 => add(mixed, a, b, -1.0),
                _ => add(mixed, nothing, b, -1.0),
            }
            part(mixed, even, odd);
            let mut lines = out[index * TILE * pitch..].chunks_mut(pitch);
            let mut write = |first: &[f32], second: &[f32], sign| {
                if let Some(line) = lines.next() {
                    add(&mut line[..across], &first[..across], &second[..across], sign);
                }
            };
            write(even, nothing, 1.0);
            write(even, odd, 1.0);
            write(even, odd, -1.0);
            write(nothing, odd, -1.0);
        }
    }
}

multiversion! {
    /// `A' m A` of each tile, to the first two lines.
    fn gather(row: &mut RowScratch, products: &[f32], pitch: usize) {
        let _ = FUSED;
        let RowScratch { lines: [above, below, left, right], even, odd, row_of_tiles, .. } = row;
        let across = row_of_tiles.tiles();
        let product = |at: usize| &products[at * pitch..][..across];
        for (line, sign) in [(above, 1.0f32), (below, -1.0)] {
            // Down the columns: the sum of three, or the second less two.
            let column = |at: usize, out: &mut [f32]| {
                let [a, b, c, d] = [0, 4, 8, 12].map(|row| product(row + at));
                if sign > 0.0 {
                    for (((out, a), b), c) in out.iter_mut().zip(a).zip(b).zip(c) {
                        *out = a + b + c;
                    }
                } else {
                    for (((out, b), c), d) in out.iter_mut().zip(b).zip(c).zip(d) {
                        *out = b - c - d;
                    }
                }
            };
            column(0, even);
            column(1, odd);
            column(2, left);
            column(3, right);
            let columns = even.iter().zip(odd.iter()).zip(left.iter().zip(right.iter()));
            let pairs = line.as_chunks_mut::<2>().0;
            for (pair, ((a, b), (c, d))) in pairs[..across].iter_mut().zip(columns) {
                *pair = [a + b + c, b - c - d];
            }
        }
    }
}

/// A window's coefficients: `G g G'`.
#[inline]
pub(crate) fn transform_window(weights: &[f32; 9]) -> [f32; 16] {
    // Loops: an array's `map` in an array's `map` is not inlined.
    let mut down = [[0.0; 3]; TILE];
    for x in 0..3 {
        let [a, b, c] = [weights[x], weights[3 + x], weights[6 + x]];
        down[0][x] = a;
        down[1][x] = 0.5 * (a + b + c);
        down[2][x] = 0.5 * (a - b + c);
        down[3][x] = c;
    }
    let mut changed = [0.0; TILE * TILE];
    for (row, [a, b, c]) in changed.as_chunks_mut::<TILE>().0.iter_mut().zip(down) {
        *row = [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    }
    changed
}

/// A window's gradient from that of its coefficients: `G' m G`.
#[inline]
pub(crate) fn window_gradient(changed: [f32; 16]) -> [f32; 9] {
    let mut down = [[0.0; TILE]; 3];
    for x in 0..TILE {
        let [a, b, c, d] = [changed[x], changed[4 + x], changed[8 + x], changed[12 + x]];
        down[0][x] = a + 0.5 * (b + c);
        down[1][x] = 0.5 * (b - c);
        down[2][x] = 0.5 * (b + c) + d;
    }
    let mut gradient = [0.0; 9];
    for (row, [a, b, c, d]) in gradient.as_chunks_mut::<3>().0.iter_mut().zip(down) {
        *row = [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d];
    }
    gradient
}

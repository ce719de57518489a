//! The patches that occlusion covers: squares of two cells, a cell apart.

use roentgen_eval::HeatMap;

/// Cells along an edge; at 224 px a cell has 16 px and a patch 32.
const CELLS: usize = 14;

/// The patches of a square film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patches {
    /// Edge of the film, in pixels.
    size: usize,
    /// Edge of a cell, in pixels.
    cell: usize,
    /// Cells along an edge of the film.
    cells: usize,
}

impl Patches {
    /// Returns the patches of a film of `size` x `size` pixels, at least two.
    pub(super) fn of(size: usize) -> Self {
        let cell = size.div_ceil(CELLS);
        Self { size, cell, cells: size.div_ceil(cell) }
    }

    /// Lists the patches by the cell of their upper left corner, row by row.
    pub(super) fn positions(self) -> impl Iterator<Item = [usize; 2]> {
        let along = self.cells - 1;
        (0..along * along).map(move |number| [number / along, number % along])
    }

    /// Returns a film of any number of channels, `[channels, size, size]`, whose patch at `[row,
    /// column]` is covered with the mean of each channel.
    pub(super) fn cover(self, film: &[f32], [row, column]: [usize; 2]) -> Vec<f32> {
        let pixels = |first: usize| {
            let start = first * self.cell;
            start..(start + 2 * self.cell).min(self.size)
        };
        let mut film = film.to_vec();
        for channel in film.chunks_exact_mut(self.size * self.size) {
            let mean = channel.iter().sum::<f32>() / channel.len() as f32;
            for y in pixels(row) {
                channel[y * self.size..][pixels(column)].fill(mean);
            }
        }
        film
    }

    /// Takes the mean of the patches over each cell.
    pub(super) fn map(self, of_patches: &[f32]) -> HeatMap {
        let along = self.cells - 1;
        // The patches over a cell begin at it or one before it.
        let over = |cell: usize| cell.saturating_sub(1)..=cell.min(along - 1);
        let mut values = Vec::with_capacity(self.cells * self.cells);
        for row in 0..self.cells {
            for column in 0..self.cells {
                let patches =
                    over(row).flat_map(|top| over(column).map(move |left| top * along + left));
                let of_cell: Vec<f32> = patches.map(|patch| of_patches[patch]).collect();
                values.push(of_cell.iter().sum::<f32>() / of_cell.len() as f32);
            }
        }
        HeatMap { height: self.cells, width: self.cells, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_cover_the_whole_film_of_any_size() {
        for size in [2, 28, 32, 75, 224, 299] {
            let patches = Patches::of(size);
            let mut is_covered = vec![false; size * size];
            for at in patches.positions() {
                let film = patches.cover(&vec![1.0; size * size], at);
                assert_eq!(film, vec![1.0; size * size], "the mean covers an even film unseen");
                let mut marked = vec![0.0; size * size];
                marked[0] = (size * size) as f32;
                let marked = patches.cover(&marked, at);
                for (pixel, value) in is_covered.iter_mut().zip(marked) {
                    *pixel |= value == 1.0;
                }
            }
            assert!(is_covered.iter().all(|&pixel| pixel), "{size}");
        }
    }

    #[test]
    fn a_cell_is_the_mean_of_the_patches_over_it() {
        let patches = Patches { size: 6, cell: 2, cells: 3 };
        let map = patches.map(&[1.0, 2.0, 3.0, 6.0]);

        assert_eq!(map.values, [1.0, 1.5, 2.0, 2.0, 3.0, 4.0, 3.0, 4.5, 6.0]);
    }
}

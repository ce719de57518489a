//! im2col and col2im: planes unfolded for a matrix product, and gradients folded back.
//!
//! Unfolded, row `channel, tap` holds what that tap of the window reads at each output. Only some
//! rows of the output are unfolded at a time, because a whole layer would take nine times its memory.

use std::ops::Range;

use crate::geometry::WindowGeometry;

impl WindowGeometry {
    /// Writes some rows of the output, unfolded, for all planes of an image.
    ///
    /// Row `i` of the unfolded matrix goes to `columns[i * pitch + first..]`.
    pub(crate) fn unfold(
        &self,
        image: &[f32],
        rows: Range<usize>,
        columns: &mut [f32],
        [pitch, first]: [usize; 2],
    ) {
        let width = self.out[1];
        let planes = image.chunks_exact(self.plane());
        let taps = planes.flat_map(|plane| (0..self.taps()).map(move |tap| (plane, tap)));
        for ((plane, tap), line) in taps.zip(columns.chunks_mut(pitch)) {
            let line = &mut line[first..first + rows.len() * width];
            let (inside, start) = self.inside(tap);
            for (y, out) in rows.clone().zip(line.chunks_exact_mut(width)) {
                let Some(row) = self.row(y, tap) else {
                    out.fill(0.0);
                    continue;
                };
                let row = &plane[row * self.size[1]..][..self.size[1]];
                let (zeros, rest) = out.split_at_mut(inside.start);
                let (out, more_zeros) = rest.split_at_mut(inside.len());
                zeros.fill(0.0);
                more_zeros.fill(0.0);
                if self.stride == 1 {
                    out.copy_from_slice(&row[start..][..out.len()]);
                } else {
                    let source = row.iter().skip(start).step_by(self.stride);
                    out.iter_mut().zip(source).for_each(|(out, value)| *out = *value);
                }
            }
        }
    }

    /// Adds unfolded gradients, `[planes * taps, rows * width]`, up where they were taken from.
    pub(crate) fn fold(&self, columns: &[f32], rows: Range<usize>, image: &mut [f32]) {
        let width = self.out[1];
        let mut lines = columns.chunks_exact(rows.len() * width);
        for plane in image.chunks_exact_mut(self.plane()) {
            for (tap, line) in (0..self.taps()).zip(lines.by_ref()) {
                let (inside, start) = self.inside(tap);
                for (y, values) in rows.clone().zip(line.chunks_exact(width)) {
                    let Some(row) = self.row(y, tap) else { continue };
                    let row = &mut plane[row * self.size[1]..][..self.size[1]];
                    let target = row.iter_mut().skip(start).step_by(self.stride);
                    let values = &values[inside.clone()];
                    target.zip(values).for_each(|(target, value)| *target += value);
                }
            }
        }
    }

    /// The row of the plane that a tap reads for a row of the output; none where that is padding.
    fn row(&self, y: usize, tap: usize) -> Option<usize> {
        let row = (y * self.stride + tap / self.kernel[1]).checked_sub(self.before[0])?;
        (row < self.size[0]).then_some(row)
    }

    /// The columns of the output for which a tap reads the plane, and the first column it reads.
    fn inside(&self, tap: usize) -> (Range<usize>, usize) {
        let (x, zeros, width) = (tap % self.kernel[1], self.before[1], self.out[1]);
        let first = zeros.saturating_sub(x).div_ceil(self.stride).min(width);
        // The last column is the last whose tap is before the end of the plane.
        let last = (self.size[1] + zeros).saturating_sub(x).div_ceil(self.stride).min(width);
        let start = (first * self.stride + x).saturating_sub(zeros).min(self.size[1]);
        (first..last.max(first), start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_the_unfolded_is_what_one_tap_reads() {
        let window = WindowGeometry::new([2, 3], [2, 3], 1, [1, 1, 0, 1]);
        let mut columns = vec![f32::NAN; 6 * 6];

        window.unfold(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0..2, &mut columns, [6, 0]);

        assert_eq!(window.out, [2, 3]);
        assert_eq!(columns[..6], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0], "above and left");
        assert_eq!(columns[30..], [2.0, 3.0, 0.0, 5.0, 6.0, 0.0], "here and right");
    }

    #[test]
    fn folding_is_the_transpose_of_unfolding() {
        for (size, kernel, stride, padding) in [
            ([5, 4], [3, 3], 2, [1, 1, 1, 1]),
            ([7, 6], [1, 1], 2, [0; 4]),
            ([4, 9], [1, 7], 1, [0, 3, 0, 3]),
            ([9, 8], [7, 7], 2, [3, 3, 3, 3]),
            ([2, 2], [3, 3], 3, [2, 2, 2, 2]),
        ] {
            let window = WindowGeometry::new(size, kernel, stride, padding);
            let count = window.taps() * window.out_plane();
            let image: Vec<f32> = (0..window.plane()).map(|at| at as f32 + 1.0).collect();
            let weights: Vec<f32> = (0..count).map(|at| (at % 7) as f32 - 2.0).collect();
            let mut unfolded = vec![0.0; count];
            window.unfold(&image, 0..window.out[0], &mut unfolded, [window.out_plane(), 0]);
            let mut folded = vec![0.0; image.len()];
            window.fold(&weights, 0..window.out[0], &mut folded);

            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            assert_eq!(dot(&unfolded, &weights), dot(&image, &folded), "{window:?}");
        }
    }
}

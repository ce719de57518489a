//! A window of any size that slides over padded planes: unfolding them for a matrix product, and
//! folding gradients back.
//!
//! Unfolded, row `channel, tap` holds what that tap of the window reads at each output. Only some
//! rows of the output are unfolded at a time, or a layer would take nine times its memory.

use std::ops::Range;

/// Where a window goes on a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sliding {
    /// Height and width of the plane.
    pub(crate) size: [usize; 2],
    /// Height and width of the output.
    pub(crate) out: [usize; 2],
    /// Height and width of the window.
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    /// Zeros above and on the left.
    pub(crate) before: [usize; 2],
    /// Zeros below and on the right.
    pub(crate) after: [usize; 2],
}

impl Sliding {
    /// Places the window.
    ///
    /// # Panics
    ///
    /// Panics on a stride of zero and when the padded plane is smaller than the window.
    pub(crate) fn new(
        size: [usize; 2],
        kernel: [usize; 2],
        stride: usize,
        padding: [usize; 4],
    ) -> Self {
        let [top, left, bottom, right] = padding;
        let padded = [size[0] + top + bottom, size[1] + left + right];
        assert!(stride > 0, "a window must move");
        assert!(
            padded[0] >= kernel[0] && padded[1] >= kernel[1] && size.iter().all(|&edge| edge > 0),
            "a window of {kernel:?} needs a plane of that size after padding, not {padded:?}"
        );
        let out = [0, 1].map(|axis| (padded[axis] - kernel[axis]) / stride + 1);
        Self { size, out, kernel, stride, before: [top, left], after: [bottom, right] }
    }

    /// The window that takes output gradients back to the plane, its weights turned round; none
    /// where steps leave gaps or zeros lie beyond the window's reach.
    pub(crate) fn reversed(&self) -> Option<Self> {
        let reach = self.kernel.map(|edge| edge - 1);
        let fits =
            [0, 1].iter().all(|&axis| self.before[axis].max(self.after[axis]) <= reach[axis]);
        (self.stride == 1 && fits).then(|| {
            let [before, after] =
                [self.before, self.after].map(|zeros| [0, 1].map(|axis| reach[axis] - zeros[axis]));
            Self { size: self.out, out: self.size, before, after, ..*self }
        })
    }

    /// Taps of the window.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Values of a plane.
    pub(crate) fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Values of an output plane.
    pub(crate) fn out_plane(&self) -> usize {
        self.out[0] * self.out[1]
    }

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
        // The last column is the last whose tap lies before the plane's end.
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
        let window = Sliding::new([2, 3], [2, 3], 1, [1, 1, 0, 1]);
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
            let window = Sliding::new(size, kernel, stride, padding);
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

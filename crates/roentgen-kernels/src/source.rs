//! What a convolution reads: activations as they lie in memory, or the input of a norm, normalized and
//! activated a piece at a time where the convolution reads it.
//!
//! A normalized activation is then never stored whole: the largest tensors of a training step exist
//! once, not twice, and what was just normalized is still in the cache.

use std::ops::Range;

use crate::activation::Curve;
use crate::channel::activate_values;
use crate::product::Matrix;

/// Columns below which a strip is too narrow for a product.
const COLUMNS: usize = 512;
/// Normalized values to hold at a time, where that many columns allow it: they should stay in cache.
const HELD: usize = 1 << 17;

/// What a norm does to each channel.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// `(x - mean) * scale + shift`: mean, scale and shift.
    pub(crate) each: Vec<[f32; 3]>,
    /// What the result goes through.
    pub(crate) curve: Curve,
}

/// Activations of `[batch, channels, plane]`.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    values: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    lines: Option<&'a Lines>,
}

impl<'a> Source<'a> {
    /// Activations as they lie, or with a line for each channel.
    pub(crate) fn new(
        values: &'a [f32],
        [channels, plane]: [usize; 2],
        lines: Option<&'a Lines>,
    ) -> Self {
        assert!(values.len().is_multiple_of(channels * plane), "whole images of {channels} planes");
        assert!(lines.is_none_or(|lines| lines.each.len() == channels), "one line a channel");
        Self { values, channels, plane, lines }
    }

    /// Images.
    pub(crate) fn batch(&self) -> usize {
        self.values.len() / (self.channels * self.plane)
    }

    /// Writes some pixels of a channel of an image to all of `out`.
    pub(crate) fn copy(&self, [image, channel]: [usize; 2], first: usize, out: &mut [f32]) {
        let start = (image * self.channels + channel) * self.plane + first;
        let values = &self.values[start..start + out.len()];
        match self.lines {
            None => out.copy_from_slice(values),
            Some(lines) => activate_values(values, lines.each[channel], lines.curve, out),
        }
    }

    /// A channel of an image.
    pub(crate) fn plane<'s>(&self, at: [usize; 2], scratch: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        if self.lines.is_none() {
            return &self.values[(at[0] * self.channels + at[1]) * self.plane..][..self.plane];
        }
        scratch.resize(self.plane, 0.0);
        self.copy(at, 0, scratch);
        scratch
    }

    /// All channels of some images.
    pub(crate) fn images<'s>(&self, images: Range<usize>, scratch: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        let image = self.channels * self.plane;
        if self.lines.is_none() {
            return &self.values[images.start * image..images.end * image];
        }
        scratch.resize(images.len() * image, 0.0);
        for (index, out) in scratch.chunks_exact_mut(self.plane).enumerate() {
            let [image, channel] = [index / self.channels, index % self.channels];
            self.copy([images.start + image, channel], 0, out);
        }
        scratch
    }

    /// Columns of some channels of some images, side by side: `[channels, images * columns]`.
    pub(crate) fn matrix<'s>(
        &self,
        images: Range<usize>,
        channels: Range<usize>,
        columns: Range<usize>,
        scratch: &'s mut Vec<f32>,
    ) -> Matrix<'s>
    where
        'a: 's,
    {
        let (rows, count) = (channels.len(), columns.len());
        if self.lines.is_none() && images.len() == 1 {
            let first = images.start * self.channels + channels.start;
            let values = &self.values[first * self.plane + columns.start..];
            return Matrix::part(values, [rows, count], self.plane);
        }
        let pitch = images.len() * count;
        scratch.resize(rows * pitch, 0.0);
        for (channel, row) in channels.zip(scratch.chunks_exact_mut(pitch)) {
            for (image, out) in images.clone().zip(row.chunks_exact_mut(count)) {
                self.copy([image, channel], columns.start, out);
            }
        }
        Matrix::new(scratch, [rows, pitch])
    }

    /// The columns to take at a time: all where nothing has to be computed.
    pub(crate) fn strips(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let plane = self.plane;
        let most = match self.lines {
            None => plane,
            Some(_) => COLUMNS.max(HELD / self.channels).min(plane),
        };
        // As even as can be.
        let width = plane.div_ceil(plane.div_ceil(most));
        (0..plane).step_by(width).map(move |start| start..plane.min(start + width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of three channels of two pixels, and a line for each channel.
    fn lines() -> ([f32; 12], Lines) {
        let values = std::array::from_fn(|at| at as f32);
        let each = vec![[0.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, -1.0, 0.0]];
        (values, Lines { each, curve: Curve::Cut([-9.0, 15.0]) })
    }

    #[test]
    fn every_way_of_reading_puts_each_channel_on_its_line_and_cuts() {
        let (values, lines) = lines();
        let source = Source::new(&values, [3, 2], Some(&lines));
        let scratch = &mut Vec::new();

        assert_eq!(source.plane([1, 1], scratch), [14.5, 15.0]);
        assert_eq!(source.images(1..2, scratch), [6.0, 7.0, 14.5, 15.0, -9.0, -9.0]);
        let matrix = source.matrix(0..2, 1..3, 1..2, scratch);
        assert_eq!(matrix, Matrix::new(&[4.5, 15.0, -5.0, -9.0], [2, 2]));
    }

    #[test]
    fn strips_cover_a_plane_once_and_are_whole_without_lines() {
        let values = vec![0.0; 1100];
        let lines = Lines { each: vec![[0.0, 1.0, 0.0]; 1], curve: Curve::Cut([0.0, 1.0]) };
        let wide = Source::new(&values, [1, 1100], Some(&lines));
        assert!(wide.strips().eq(std::iter::once(0..1100)));

        let values = vec![0.0; 1100 * 300];
        let lines = Lines { each: vec![[0.0, 1.0, 0.0]; 300], curve: Curve::Cut([0.0, 1.0]) };
        let deep = Source::new(&values, [300, 1100], Some(&lines));
        assert_eq!(deep.strips().collect::<Vec<_>>(), [0..367, 367..734, 734..1100]);
        let plain = Source::new(&values, [300, 1100], None);
        assert_eq!(plain.strips().count(), 1);
    }
}

//! The input of a convolution: activations as they are in memory, or the input of a norm that is
//! normalized and activated a piece at a time while the convolution reads it (a fused prologue).
//!
//! A normalized activation is never stored as a whole: the largest tensors of a training step exist
//! once and not twice, and freshly normalized values are still in the cache.

use std::ops::Range;

use crate::cpu::conv::matrix::Matrix;
use crate::cpu::conv::tuning::{COLUMNS, NORMALIZED};
use crate::cpu::norm::channel::{ChannelAffine, normalize_values};

/// Activations of `[batch, channels, plane]`.
#[derive(Clone, Copy)]
pub(crate) struct ConvInput<'a> {
    values: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    affine: Option<&'a ChannelAffine>,
}

impl<'a> ConvInput<'a> {
    /// Activations as they are in memory, or with an affine for each channel.
    pub(crate) fn new(
        values: &'a [f32],
        [channels, plane]: [usize; 2],
        affine: Option<&'a ChannelAffine>,
    ) -> Self {
        assert!(values.len().is_multiple_of(channels * plane), "whole images of {channels} planes");
        assert!(
            affine.is_none_or(|affine| affine.channels.len() == channels),
            "one affine a channel"
        );
        Self { values, channels, plane, affine }
    }

    /// Images.
    pub(crate) fn batch(&self) -> usize {
        self.values.len() / (self.channels * self.plane)
    }

    /// Writes some pixels of a channel of an image to all of `out`.
    pub(crate) fn copy(&self, [image, channel]: [usize; 2], first: usize, out: &mut [f32]) {
        let start = (image * self.channels + channel) * self.plane + first;
        let values = &self.values[start..start + out.len()];
        match self.affine {
            None => out.copy_from_slice(values),
            Some(affine) => normalize_values(values, affine.channels[channel], affine.curve, out),
        }
    }

    /// A channel of an image.
    pub(crate) fn plane<'s>(&self, at: [usize; 2], scratch: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        if self.affine.is_none() {
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
        if self.affine.is_none() {
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
        if self.affine.is_none() && images.len() == 1 {
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
        let most = match self.affine {
            None => plane,
            Some(_) => COLUMNS.max(NORMALIZED / self.channels).min(plane),
        };
        // As even as can be.
        let width = plane.div_ceil(plane.div_ceil(most));
        (0..plane).step_by(width).map(move |start| start..plane.min(start + width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::Curve;
    use crate::cpu::norm::channel::Affine;

    fn one([mean, scale, shift]: [f32; 3]) -> Affine {
        Affine { mean, scale, shift }
    }

    /// Two images of three channels of two pixels, and an affine for each channel.
    fn affine() -> ([f32; 12], ChannelAffine) {
        let values = std::array::from_fn(|at| at as f32);
        let channels = [[0.0, 1.0, 0.0], [1.0, 2.0, 0.5], [0.0, -1.0, 0.0]].map(one).into();
        (values, ChannelAffine { channels, curve: Curve::Clamp([-9.0, 15.0]) })
    }

    #[test]
    fn every_way_of_reading_applies_each_channels_affine_and_clamps() {
        let (values, affine) = affine();
        let source = ConvInput::new(&values, [3, 2], Some(&affine));
        let scratch = &mut Vec::new();

        assert_eq!(source.plane([1, 1], scratch), [14.5, 15.0]);
        assert_eq!(source.images(1..2, scratch), [6.0, 7.0, 14.5, 15.0, -9.0, -9.0]);
        let matrix = source.matrix(0..2, 1..3, 1..2, scratch);
        assert_eq!(matrix, Matrix::new(&[4.5, 15.0, -5.0, -9.0], [2, 2]));
    }

    #[test]
    fn strips_cover_a_plane_once_and_are_whole_without_affine() {
        let values = vec![0.0; 1100];
        let affine = ChannelAffine {
            channels: vec![one([0.0, 1.0, 0.0]); 1],
            curve: Curve::Clamp([0.0, 1.0]),
        };
        let wide = ConvInput::new(&values, [1, 1100], Some(&affine));
        assert!(wide.strips().eq(std::iter::once(0..1100)));

        let values = vec![0.0; 1100 * 300];
        let affine = ChannelAffine {
            channels: vec![one([0.0, 1.0, 0.0]); 300],
            curve: Curve::Clamp([0.0, 1.0]),
        };
        let deep = ConvInput::new(&values, [300, 1100], Some(&affine));
        assert_eq!(deep.strips().collect::<Vec<_>>(), [0..367, 367..734, 734..1100]);
        let plain = ConvInput::new(&values, [300, 1100], None);
        assert_eq!(plain.strips().count(), 1);
    }
}

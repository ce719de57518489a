//! A padded plane whose columns are sorted by their place in a step, so that what one tap of a
//! depthwise window reads along a row is contiguous for any stride.

use crate::cpu::simd::{fma, multiversion};
use crate::geometry::WindowGeometry;

/// Partial sums of a dot product.
const LANES: usize = 16;

/// A padded plane.
pub(crate) struct PaddedPlane {
    window: WindowGeometry,
    /// Values of a row that have the same place in a step.
    phase: usize,
    values: Vec<f32>,
}

impl PaddedPlane {
    pub(crate) fn new(window: WindowGeometry) -> Self {
        let WindowGeometry { out, kernel, stride, .. } = window;
        let [rows, columns] = [0, 1].map(|axis| (out[axis] - 1) * stride + kernel[axis]);
        let phase = columns.div_ceil(stride);
        Self { window, phase, values: vec![0.0; rows * phase * stride] }
    }

    /// Takes over a plane; the zeros round it stay from one plane to the next.
    pub(crate) fn load(&mut self, plane: &[f32]) {
        self.pairs(|values, at, pixel| values[at] = plane[pixel]);
    }

    /// Adds what is held to a plane, and forgets it.
    pub(crate) fn unload(&mut self, plane: &mut [f32]) {
        self.pairs(|values, at, pixel| plane[pixel] += values[at]);
        self.values.fill(0.0);
    }

    /// Visits every value that is on the plane, with its pixel.
    #[inline(always)]
    fn pairs(&mut self, mut visit: impl FnMut(&mut [f32], usize, usize)) {
        let WindowGeometry { size: [height, width], stride, before: [top, left], .. } = self.window;
        let pitch = self.phase * stride;
        for (row, values) in self.values.chunks_exact_mut(pitch).enumerate() {
            let Some(y) = row.checked_sub(top).filter(|&y| y < height) else { continue };
            for place in 0..stride {
                let first = left.saturating_sub(place).div_ceil(stride);
                let end = (width + left).saturating_sub(place).div_ceil(stride).min(self.phase);
                for step in first..end {
                    let x = step * stride + place - left;
                    visit(values, place * self.phase + step, y * width + x);
                }
            }
        }
    }

    /// Where each tap begins to read, and how far apart rows of the output are.
    fn taps(&self) -> (Vec<usize>, usize) {
        let WindowGeometry { kernel: [_, width], stride, .. } = self.window;
        let pitch = self.phase * stride;
        let start = |tap: usize| {
            let x = tap % width;
            tap / width * pitch + x % stride * self.phase + x / stride
        };
        ((0..self.window.taps()).map(start).collect(), pitch * stride)
    }

    /// Writes what the window makes of the plane.
    pub(crate) fn correlate(&self, weight: &[f32], out: &mut [f32]) {
        let (taps, pitch) = self.taps();
        correlate(&self.values, (&taps, pitch), weight, self.window.out[1], out);
    }

    /// Adds the gradient of the plane.
    pub(crate) fn spread(&mut self, weight: &[f32], gradient: &[f32]) {
        let (taps, pitch) = self.taps();
        spread(&mut self.values, (&taps, pitch), weight, self.window.out[1], gradient);
    }

    /// Adds the gradient of the weights to `sums`.
    pub(crate) fn weigh(&self, gradient: &[f32], sums: &mut [f64]) {
        let (taps, pitch) = self.taps();
        weigh(&self.values, (&taps, pitch), self.window.out[1], gradient, sums);
    }
}

multiversion! {
    fn correlate(
        plane: &[f32],
        taps: (&[usize], usize),
        weight: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let (starts, pitch) = taps;
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            out.fill(0.0);
            for (start, weight) in starts.iter().zip(weight) {
                let values = &plane[row * pitch + start..][..width];
                for (out, value) in out.iter_mut().zip(values) {
                    *out = fma::<FUSED>(*value, *weight, *out);
                }
            }
        }
    }
}

multiversion! {
    fn spread(
        plane: &mut [f32],
        taps: (&[usize], usize),
        weight: &[f32],
        width: usize,
        gradient: &[f32],
    ) {
        let (starts, pitch) = taps;
        for (row, gradient) in gradient.chunks_exact(width).enumerate() {
            for (start, weight) in starts.iter().zip(weight) {
                let values = &mut plane[row * pitch + start..][..width];
                for (value, gradient) in values.iter_mut().zip(gradient) {
                    *value = fma::<FUSED>(*gradient, *weight, *value);
                }
            }
        }
    }
}

multiversion! {
    fn weigh(
        plane: &[f32],
        taps: (&[usize], usize),
        width: usize,
        gradient: &[f32],
        sums: &mut [f64],
    ) {
        let (starts, pitch) = taps;
        for (start, sum) in starts.iter().zip(sums) {
            let mut lanes = [0.0f32; LANES];
            let mut rest = 0.0f32;
            for (row, gradient) in gradient.chunks_exact(width).enumerate() {
                let values = &plane[row * pitch + start..][..width];
                let (blocks, tail) = values.as_chunks::<LANES>();
                let (gradients, gradient_tail) = gradient.as_chunks::<LANES>();
                for (values, gradients) in blocks.iter().zip(gradients) {
                    for lane in 0..LANES {
                        lanes[lane] = fma::<FUSED>(values[lane], gradients[lane], lanes[lane]);
                    }
                }
                for (value, gradient) in tail.iter().zip(gradient_tail) {
                    rest = fma::<FUSED>(*value, *gradient, rest);
                }
            }
            *sum += f64::from(lanes.iter().sum::<f32>() + rest);
        }
    }
}

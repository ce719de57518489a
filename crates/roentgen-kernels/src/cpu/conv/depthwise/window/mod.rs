//! A 3x3 window that slides over a zero-padded plane, in a form that vector code can follow.
//!
//! A padded plane is stored so that each of the nine taps reads a *flat* run of it: output `i`
//! times tap `t` needs value `i + offset(t)`, rows and all. A step of two splits the plane into
//! four phases, the even and odd rows and columns, which makes the same true. The price is one or
//! two values past the end of each row that nobody wants, [`Window3x3::pitch`] minus the width.

mod gradient;

use std::mem::MaybeUninit;

use crate::cpu::simd::{fma, multiversion};

pub(crate) use gradient::{PlaneGradient, WeightGradient};

/// Values that the flat loops take at once.
const LANES: usize = 16;

/// Where a 3x3 window is applied on a plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window3x3 {
    /// Height and width of the plane.
    pub(crate) size: [usize; 2],
    /// Height and width of the output.
    pub(crate) out: [usize; 2],
    stride: usize,
    /// Zeros above and on the left.
    before: [usize; 2],
}

impl Window3x3 {
    /// Places the window.
    ///
    /// # Panics
    ///
    /// Panics on a stride that is neither one nor two, on more than two zeros at a side, and when
    /// the padded plane is smaller than the window.
    pub(crate) fn new(size: [usize; 2], stride: usize, padding: [usize; 4]) -> Self {
        let [top, left, bottom, right] = padding;
        assert!(matches!(stride, 1 | 2), "the stride must be 1 or 2, not {stride}");
        assert!(padding.iter().all(|&zeros| zeros <= 2), "padding must be at most 2: {padding:?}");
        let padded = [size[0] + top + bottom, size[1] + left + right];
        assert!(
            size.iter().all(|&edge| edge > 0) && padded.iter().all(|&edge| edge >= 3),
            "a 3x3 window needs a plane of 3x3 after padding, not {padded:?}"
        );
        let out = padded.map(|edge| (edge - 3) / stride + 1);
        Self { size, out, stride, before: [top, left] }
    }

    /// The window that takes output gradients back to the plane: step one, weights turned round.
    fn reverse(&self) -> Self {
        let before = self.before.map(|zeros| 2 - zeros);
        Self { size: self.out, out: self.size, stride: 1, before }
    }

    /// Distance between two rows of the flat form.
    fn pitch(&self) -> usize {
        self.out[1] + 2 / self.stride
    }

    /// Rows of a phase.
    fn rows(&self) -> usize {
        self.out[0] + 2 / self.stride
    }

    /// Length of the flat output, whole lanes.
    fn flat(&self) -> usize {
        ((self.out[0] - 1) * self.pitch() + self.out[1]).next_multiple_of(LANES)
    }

    /// The first column of a phase that is on the plane, and that column of the plane.
    fn start(&self, axis: usize, phase: usize) -> [usize; 2] {
        let first = self.before[axis].saturating_sub(phase).div_ceil(self.stride);
        [first, first * self.stride + phase - self.before[axis]]
    }
}

/// A plane in the flat form.
pub(crate) struct PaddedPhases {
    window: Window3x3,
    phases: Vec<f32>,
    /// Where each tap begins to read.
    taps: [usize; 9],
}

impl PaddedPhases {
    pub(crate) fn new(window: Window3x3) -> Self {
        let Window3x3 { stride, .. } = window;
        let phase_len = window.rows() * window.pitch() + LANES;
        let taps = std::array::from_fn(|index| {
            let [y, x] = [index / 3, index % 3];
            let phase = y % stride * stride + x % stride;
            phase * phase_len + y / stride * window.pitch() + x / stride
        });
        Self { window, phases: vec![0.0; stride * stride * phase_len], taps }
    }

    /// Takes over a plane; the zeros round it stay from one plane to the next.
    pub(crate) fn load(&mut self, plane: &[f32]) {
        let Window3x3 { size: [height, width], stride, .. } = self.window;
        let pitch = self.window.pitch();
        let phase_len = self.phases.len() / (stride * stride);
        for (index, phase) in self.phases.chunks_exact_mut(phase_len).enumerate() {
            let [row, y] = self.window.start(0, index / stride);
            let [column, x] = self.window.start(1, index % stride);
            for (row, y) in (row..).zip((y..height).step_by(stride)) {
                let source = &plane[y * width..][x.min(width)..width];
                let target = &mut phase[row * pitch + column..];
                match stride {
                    1 => target[..source.len()].copy_from_slice(source),
                    _ => every_second(target, source),
                }
            }
        }
    }

    /// What tap `index` of the window reads, as long as the flat output.
    fn tap(&self, index: usize) -> &[f32] {
        &self.phases[self.taps[index]..][..self.window.flat()]
    }

    fn taps(&self) -> [&[f32]; 9] {
        std::array::from_fn(|index| self.tap(index))
    }
}

/// Correlates planes with a window; holds the scratch memory for it.
pub(crate) struct Correlation {
    padded: PaddedPhases,
    flat: Vec<f32>,
}

impl Correlation {
    pub(crate) fn new(window: Window3x3) -> Self {
        Self { padded: PaddedPhases::new(window), flat: vec![0.0; window.flat()] }
    }

    /// Writes all of `out`, `[out height, out width]`.
    pub(crate) fn run(&mut self, plane: &[f32], weight: &[f32; 9], out: &mut [MaybeUninit<f32>]) {
        self.padded.load(plane);
        correlate(&mut self.flat, self.padded.taps(), weight);
        copy_rows(&self.flat, self.padded.window, out);
    }
}

/// Copies the wanted part of a flat run to an output plane, all of which it writes.
fn copy_rows(flat: &[f32], window: Window3x3, out: &mut [MaybeUninit<f32>]) {
    let width = window.out[1];
    for (row, out) in flat.chunks(window.pitch()).zip(out.chunks_exact_mut(width)) {
        out.write_copy_of_slice(&row[..width]);
    }
}

multiversion! {
    fn every_second(target: &mut [f32], source: &[f32]) {
        let (pairs, rest) = source.as_chunks::<2>();
        for (target, pair) in target.iter_mut().zip(pairs) {
            *target = pair[0];
        }
        if let [last] = rest {
            target[pairs.len()] = *last;
        }
    }
}

multiversion! {
    fn correlate(out: &mut [f32], taps: [&[f32]; 9], weight: &[f32; 9]) {
        let taps = taps.map(|tap| tap.as_chunks::<LANES>().0);
        for (index, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sum = [0.0; LANES];
            for (tap, weight) in taps.iter().zip(weight) {
                let values = &tap[index];
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum = fma::<FUSED>(*value, *weight, *sum);
                }
            }
            *out = sum;
        }
    }
}

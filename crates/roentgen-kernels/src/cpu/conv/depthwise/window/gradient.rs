//! The backward pass of a window: the gradients of its weights and of the plane.

use std::mem::MaybeUninit;

use super::{Correlation, LANES, PaddedPhases, Window3x3};
use crate::cpu::simd::{fma, multiversion};

/// The gradient of a plane's weights.
pub(crate) struct WeightGradient {
    padded: PaddedPhases,
    gradient: Vec<f32>,
}

impl WeightGradient {
    pub(crate) fn new(window: Window3x3) -> Self {
        Self {
            padded: PaddedPhases::new(window),
            gradient: vec![0.0; window.flat() + window.pitch()],
        }
    }

    /// Sums gradient times value over the plane for each of the nine weights.
    pub(crate) fn run(&mut self, plane: &[f32], gradient: &[f32]) -> [f32; 9] {
        let window = self.padded.window;
        self.padded.load(plane);
        let rows = gradient.chunks_exact(window.out[1]);
        for (target, row) in self.gradient.chunks_mut(window.pitch()).zip(rows) {
            target[..row.len()].copy_from_slice(row);
        }
        dots(&self.gradient[..window.flat()], self.padded.taps())
    }
}

/// The gradient of a plane.
pub(crate) enum PlaneGradient {
    /// Step one: a correlation of the output's gradient.
    One(Correlation),
    /// Step two: phase by phase.
    Two(PhaseGradient),
}

impl PlaneGradient {
    pub(crate) fn new(window: Window3x3) -> Self {
        match window.stride {
            1 => Self::One(Correlation::new(window.reverse())),
            _ => Self::Two(PhaseGradient::new(window)),
        }
    }

    /// Writes all of `out`, `[height, width]` of the plane.
    pub(crate) fn run(
        &mut self,
        gradient: &[f32],
        weight: &[f32; 9],
        out: &mut [MaybeUninit<f32>],
    ) {
        match self {
            Self::One(correlation) => {
                let mut turned = *weight;
                turned.reverse();
                correlation.run(gradient, &turned, out);
            }
            Self::Two(phases) => phases.run(gradient, weight, out),
        }
    }
}

/// Scratch memory for the gradient of a plane at a step of two.
pub(crate) struct PhaseGradient {
    window: Window3x3,
    /// The gradient of the output, after one row and one value of zeros.
    gradient: Vec<f32>,
    phases: [Vec<f32>; 4],
}

impl PhaseGradient {
    fn new(window: Window3x3) -> Self {
        let flat = (window.rows() * window.pitch()).next_multiple_of(LANES);
        let gradient = vec![0.0; flat + window.pitch() + 1];
        Self { window, gradient, phases: std::array::from_fn(|_| vec![0.0; flat]) }
    }

    fn run(&mut self, gradient: &[f32], weight: &[f32; 9], out: &mut [MaybeUninit<f32>]) {
        let pitch = self.window.pitch();
        let [height, width] = self.window.size;
        let rows = gradient.chunks_exact(self.window.out[1]);
        for (target, row) in self.gradient[pitch + 1..].chunks_mut(pitch).zip(rows) {
            target[..row.len()].copy_from_slice(row);
        }
        spread(&mut self.phases, &self.gradient, pitch, weight);

        let [top, left] = self.window.before;
        for (y, row) in out.chunks_exact_mut(width).take(height).enumerate() {
            let first = (y + top) / 2 * pitch;
            let [even, odd] = [0, 1].map(|x| &self.phases[(y + top) % 2 * 2 + x][first..][..pitch]);
            interleave(row, even, odd, left);
        }
    }
}

multiversion! {
    /// Puts even and odd columns together, the first `skip` of which are left of the plane.
    fn interleave(row: &mut [MaybeUninit<f32>], even: &[f32], odd: &[f32], skip: usize) {
        let (head, row) = row.split_at_mut(skip % 2);
        if let [head] = head {
            head.write(odd[skip / 2]);
        }
        let [even, odd] = [&even[skip.div_ceil(2)..], &odd[skip.div_ceil(2)..]];
        let (pairs, rest) = row.as_chunks_mut::<2>();
        if let [last] = rest {
            last.write(even[pairs.len()]);
        }
        for ((pair, even), odd) in pairs.iter_mut().zip(even).zip(odd) {
            pair[0].write(*even);
            pair[1].write(*odd);
        }
    }
}

multiversion! {
    fn dots(gradient: &[f32], taps: [&[f32]; 9]) -> [f32; 9] {
        let taps = taps.map(|tap| tap.as_chunks::<8>().0);
        let mut sums = [[0.0f32; 8]; 9];
        for (index, gradient) in gradient.as_chunks::<8>().0.iter().enumerate() {
            for (sum, tap) in sums.iter_mut().zip(&taps) {
                let values = &tap[index];
                for lane in 0..8 {
                    sum[lane] = fma::<FUSED>(gradient[lane], values[lane], sum[lane]);
                }
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

multiversion! {
    /// Gathers what each phase of the plane gave to the outputs.
    ///
    /// `gradient` begins with `pitch + 1` zeros, so that the window above and on the left exists.
    fn spread(phases: &mut [Vec<f32>; 4], gradient: &[f32], pitch: usize, weight: &[f32; 9]) {
        let [a, b, c, d, e, f, g, h, i] = *weight;
        let len = phases[0].len();
        let [here, left, above, corner] = [pitch + 1, pitch, 1, 0]
            .map(|start| gradient[start..][..len].as_chunks::<LANES>().0);
        let [even, right, below, odd] = phases.each_mut().map(|p| p.as_chunks_mut::<LANES>().0);
        for index in 0..here.len() {
            let lanes = [&here[index], &left[index], &above[index], &corner[index]];
            for lane in 0..LANES {
                let [here, left, above, corner] = lanes.map(|values| values[lane]);
                let first = fma::<FUSED>(c, left, a * here);
                let second = fma::<FUSED>(i, corner, g * above);
                even[index][lane] = first + second;
                right[index][lane] = fma::<FUSED>(h, above, b * here);
                below[index][lane] = fma::<FUSED>(f, left, d * here);
                odd[index][lane] = e * here;
            }
        }
    }
}

//! Passes over one channel of a batch: statistics and normalization; [`gradient`] has the way back.
//!
//! A sum keeps [`LANES`] partial sums within a plane and adds planes in double precision, in the
//! order of the images.

pub(crate) mod gradient;

use std::mem::MaybeUninit;

use crate::activation::{Curve, cut, silu};
use crate::simd::{fma, multiversion};

/// Partial sums of a plane: four vectors of AVX2, to hide the latency of an addition.
const LANES: usize = 32;

/// One channel of `[batch, channels, plane]` values.
#[derive(Clone, Copy)]
pub(crate) struct Channel<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    pub(crate) index: usize,
}

impl<'a> Channel<'a> {
    #[inline(always)]
    fn planes(self) -> impl Iterator<Item = &'a [f32]> {
        let Self { values, channels, plane, index } = self;
        values.chunks_exact(channels * plane).map(move |image| &image[index * plane..][..plane])
    }
}

multiversion! {
    /// Mean and biased variance.
    pub(crate) fn statistics(channel: Channel) -> [f32; 2] {
        let mut count = 0;
        let mut sum = 0.0f64;
        for plane in channel.planes() {
            let mut lanes = [0.0; LANES];
            let (blocks, rest) = plane.as_chunks::<LANES>();
            for block in blocks {
                for lane in 0..LANES {
                    lanes[lane] += block[lane];
                }
            }
            sum += total(&lanes) + rest.iter().map(|&value| f64::from(value)).sum::<f64>();
            count += plane.len();
        }
        let mean = (sum / count as f64) as f32;

        let mut squares = 0.0f64;
        for plane in channel.planes() {
            let mut lanes = [0.0; LANES];
            let (blocks, rest) = plane.as_chunks::<LANES>();
            for block in blocks {
                for lane in 0..LANES {
                    let value = block[lane] - mean;
                    lanes[lane] = fma::<FUSED>(value, value, lanes[lane]);
                }
            }
            squares += total(&lanes)
                + rest.iter().map(|&value| f64::from(value - mean).powi(2)).sum::<f64>();
        }
        [mean, (squares / count as f64) as f32]
    }
}

multiversion! {
    /// Writes `(x - mean) * scale + shift` behind the activation to all of `out`.
    pub(crate) fn activate_line(
        x: Channel,
        line: [f32; 3],
        curve: Curve,
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        for (x, out) in x.planes().zip(out) {
            match curve {
                Curve::Cut(limits) => {
                    for (x, out) in x.iter().zip(out.iter_mut()) {
                        out.write(cut(on_line::<FUSED>(*x, line), limits));
                    }
                }
                Curve::Silu => {
                    for (x, out) in x.iter().zip(out.iter_mut()) {
                        out.write(silu::<FUSED>(on_line::<FUSED>(*x, line)));
                    }
                }
            }
        }
    }
}

multiversion! {
    /// The same for some values of a plane.
    pub(crate) fn activate_values(x: &[f32], line: [f32; 3], curve: Curve, out: &mut [f32]) {
        match curve {
            Curve::Cut(limits) => {
                for (x, out) in x.iter().zip(out) {
                    *out = cut(on_line::<FUSED>(*x, line), limits);
                }
            }
            Curve::Silu => {
                for (x, out) in x.iter().zip(out) {
                    *out = silu::<FUSED>(on_line::<FUSED>(*x, line));
                }
            }
        }
    }
}

multiversion! {
    /// Writes `(x - mean) * scale + shift` with the shortcut added, cut at the limits, to all of `out`.
    pub(crate) fn add_cut(
        x: Channel,
        line: [f32; 3],
        shortcut: Channel,
        limits: [f32; 2],
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        for ((x, shortcut), out) in x.planes().zip(shortcut.planes()).zip(out) {
            for ((x, shortcut), out) in x.iter().zip(shortcut).zip(out.iter_mut()) {
                out.write(cut(on_line::<FUSED>(*x, line) + shortcut, limits));
            }
        }
    }
}

#[inline(always)]
fn on_line<const FUSED: bool>(x: f32, [mean, scale, shift]: [f32; 3]) -> f32 {
    fma::<FUSED>(x - mean, scale, shift)
}

multiversion! {
    /// Scales and shifts all values, then activates them.
    pub(crate) fn line(line: [f32; 2], curve: Curve, planes: &mut [&mut [f32]]) {
        let [scale, shift] = line;
        for plane in planes {
            match curve {
                Curve::Cut(limits) => {
                    for value in plane.iter_mut() {
                        *value = cut(fma::<FUSED>(*value, scale, shift), limits);
                    }
                }
                Curve::Silu => {
                    for value in plane.iter_mut() {
                        *value = silu::<FUSED>(fma::<FUSED>(*value, scale, shift));
                    }
                }
            }
        }
    }
}

/// Adds partial sums by halves: 32 additions in turn would take longer than a small plane.
#[inline(always)]
fn total(lanes: &[f32; LANES]) -> f64 {
    let mut eight = [0.0; 8];
    for lane in 0..8 {
        eight[lane] = (lanes[lane] + lanes[lane + 8]) + (lanes[lane + 16] + lanes[lane + 24]);
    }
    let [a, b, c, d, e, f, g, h] = eight.map(f64::from);
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

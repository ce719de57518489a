//! Passes over one channel of a batch: statistics and normalization. The backward passes are in
//! [`gradient`](super::gradient).
//!
//! A sum keeps [`LANES`] partial sums within a plane and adds planes in double precision, in the
//! order of the images.

use std::mem::MaybeUninit;

use crate::activation::Curve;
use crate::cpu::activation::{clamp_to, silu};
use crate::cpu::simd::{fma, multiversion};

/// Partial sums of a plane: four vectors of AVX2, to hide the latency of an addition.
pub(super) const LANES: usize = 32;

/// One channel of `[batch, channels, plane]` values.
#[derive(Clone, Copy)]
pub(crate) struct Channel<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) channels: usize,
    pub(crate) plane: usize,
    pub(crate) index: usize,
}

/// The affine of a normalized channel: `(x - mean) * scale + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) mean: f32,
    pub(crate) scale: f32,
    pub(crate) shift: f32,
}

/// What a norm and its activation do to each channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelAffine {
    /// One affine a channel.
    pub(crate) channels: Vec<Affine>,
    /// The activation of the result.
    pub(crate) curve: Curve,
}

impl Affine {
    #[inline(always)]
    pub(super) fn of<const FUSED: bool>(self, x: f32) -> f32 {
        fma::<FUSED>(x - self.mean, self.scale, self.shift)
    }
}

impl<'a> Channel<'a> {
    #[inline(always)]
    pub(super) fn planes(self) -> impl Iterator<Item = &'a [f32]> {
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
            sum += sum_lanes(&lanes) + rest.iter().map(|&value| f64::from(value)).sum::<f64>();
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
            squares += sum_lanes(&lanes)
                + rest.iter().map(|&value| f64::from(value - mean).powi(2)).sum::<f64>();
        }
        [mean, (squares / count as f64) as f32]
    }
}

multiversion! {
    /// Writes the activated affine of `x` to all of `out`.
    pub(crate) fn normalize(
        x: Channel,
        affine: Affine,
        curve: Curve,
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        for (x, out) in x.planes().zip(out) {
            match curve {
                Curve::Clamp(limits) => {
                    for (x, out) in x.iter().zip(out.iter_mut()) {
                        out.write(clamp_to(affine.of::<FUSED>(*x), limits));
                    }
                }
                Curve::Silu => {
                    for (x, out) in x.iter().zip(out.iter_mut()) {
                        out.write(silu::<FUSED>(affine.of::<FUSED>(*x)));
                    }
                }
            }
        }
    }
}

multiversion! {
    /// The same as [`normalize`] for some values of a plane.
    pub(crate) fn normalize_values(x: &[f32], affine: Affine, curve: Curve, out: &mut [f32]) {
        match curve {
            Curve::Clamp(limits) => {
                for (x, out) in x.iter().zip(out) {
                    *out = clamp_to(affine.of::<FUSED>(*x), limits);
                }
            }
            Curve::Silu => {
                for (x, out) in x.iter().zip(out) {
                    *out = silu::<FUSED>(affine.of::<FUSED>(*x));
                }
            }
        }
    }
}

multiversion! {
    /// Writes the affine of `x` with the shortcut added, clamped to the limits, to all of `out`.
    pub(crate) fn normalize_add(
        x: Channel,
        affine: Affine,
        shortcut: Channel,
        limits: [f32; 2],
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        for ((x, shortcut), out) in x.planes().zip(shortcut.planes()).zip(out) {
            for ((x, shortcut), out) in x.iter().zip(shortcut).zip(out.iter_mut()) {
                out.write(clamp_to(affine.of::<FUSED>(*x) + shortcut, limits));
            }
        }
    }
}

multiversion! {
    /// Scales and shifts all values, then activates them.
    pub(crate) fn scale_shift(affine: [f32; 2], curve: Curve, planes: &mut [&mut [f32]]) {
        let [scale, shift] = affine;
        for plane in planes {
            match curve {
                Curve::Clamp(limits) => {
                    for value in plane.iter_mut() {
                        *value = clamp_to(fma::<FUSED>(*value, scale, shift), limits);
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
pub(super) fn sum_lanes(lanes: &[f32; LANES]) -> f64 {
    let mut eight = [0.0; 8];
    for lane in 0..8 {
        eight[lane] = (lanes[lane] + lanes[lane + 8]) + (lanes[lane + 16] + lanes[lane + 24]);
    }
    let [a, b, c, d, e, f, g, h] = eight.map(f64::from);
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

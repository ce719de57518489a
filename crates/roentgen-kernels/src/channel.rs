//! Passes over one channel of a batch: statistics, normalization, gradients.
//!
//! A sum keeps [`LANES`] partial sums within a plane and adds planes in double precision, in the
//! order of the images.

use std::mem::MaybeUninit;

use crate::activation::{Curve, cut, inside, silu, silu_slope};
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

multiversion! {
    /// Keeps the gradient where the output `y` stands at no cut; sums it, and its product with
    /// `x - mean`.
    pub(crate) fn cut_sums(
        x: Channel,
        mean: f32,
        y: Channel,
        limits: [f32; 2],
        gradient: &mut [&mut [f32]],
    ) -> [f64; 2] {
        let (mut sum, mut product) = (0.0, 0.0);
        for ((x, y), gradient) in x.planes().zip(y.planes()).zip(gradient) {
            let mut sums = [0.0; LANES];
            let mut products = [0.0; LANES];
            let (blocks, rest) = x.as_chunks::<LANES>();
            let (ys, y_rest) = y.as_chunks::<LANES>();
            let (gradients, gradient_rest) = gradient.as_chunks_mut::<LANES>();
            for ((x, y), gradient) in blocks.iter().zip(ys).zip(gradients) {
                for lane in 0..LANES {
                    gradient[lane] = inside(y[lane], limits, gradient[lane]);
                    sums[lane] += gradient[lane];
                    products[lane] = fma::<FUSED>(gradient[lane], x[lane] - mean, products[lane]);
                }
            }
            for ((x, y), gradient) in rest.iter().zip(y_rest).zip(gradient_rest) {
                *gradient = inside(*y, limits, *gradient);
                sum += f64::from(*gradient);
                product += f64::from(*gradient) * f64::from(x - mean);
            }
            sum += total(&sums);
            product += total(&products);
        }
        [sum, product]
    }
}

multiversion! {
    /// Writes the gradient of `x` from that of the norm's output; `back` as in [`line_gradient`].
    pub(crate) fn back_from_sums(
        x: Channel,
        mean: f32,
        back: [f32; 3],
        gradient: &[&mut [f32]],
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        let [factor, level, slope] = back;
        for ((x, gradient), out) in x.planes().zip(gradient).zip(out) {
            for ((x, gradient), out) in x.iter().zip(gradient.iter()).zip(out.iter_mut()) {
                out.write(factor * fma::<FUSED>(-slope, x - mean, gradient - level));
            }
        }
    }
}

#[inline(always)]
fn on_line<const FUSED: bool>(x: f32, [mean, scale, shift]: [f32; 3]) -> f32 {
    fma::<FUSED>(x - mean, scale, shift)
}

multiversion! {
    /// Sums the gradient behind the activation, and its product with `x - mean`.
    pub(crate) fn gradient_sums(
        x: Channel,
        line: [f32; 3],
        curve: Curve,
        gradient: &[&mut [f32]],
    ) -> [f64; 2] {
        match curve {
            Curve::Cut(limits) => sums::<FUSED>(x, line, gradient, |value, gradient| {
                inside(value, limits, gradient)
            }),
            Curve::Silu => sums::<FUSED>(x, line, gradient, |value, gradient| {
                gradient * silu_slope::<FUSED>(value)
            }),
        }
    }
}

/// Of the gradient that comes through for a value on the line.
#[inline(always)]
fn sums<const FUSED: bool>(
    x: Channel,
    line: [f32; 3],
    gradient: &[&mut [f32]],
    through: impl Fn(f32, f32) -> f32,
) -> [f64; 2] {
    let mean = line[0];
    let (mut sum, mut product) = (0.0, 0.0);
    for (x, gradient) in x.planes().zip(gradient) {
        let mut sums = [0.0; LANES];
        let mut products = [0.0; LANES];
        let (blocks, rest) = x.as_chunks::<LANES>();
        let (gradients, gradient_rest) = gradient.as_chunks::<LANES>();
        for (x, gradient) in blocks.iter().zip(gradients) {
            for lane in 0..LANES {
                let gradient = through(on_line::<FUSED>(x[lane], line), gradient[lane]);
                sums[lane] += gradient;
                products[lane] = fma::<FUSED>(gradient, x[lane] - mean, products[lane]);
            }
        }
        for (x, gradient) in rest.iter().zip(gradient_rest) {
            let gradient = through(on_line::<FUSED>(*x, line), *gradient);
            sum += f64::from(gradient);
            product += f64::from(gradient) * f64::from(x - mean);
        }
        sum += total(&sums);
        product += total(&products);
    }
    [sum, product]
}

multiversion! {
    /// Turns the gradient of the output into that of `x`.
    ///
    /// `back` holds the factor of all, the mean gradient and the share of `x - mean` in it.
    pub(crate) fn line_gradient(
        x: Channel,
        line: [f32; 3],
        back: [f32; 3],
        curve: Curve,
        gradient: &mut [&mut [f32]],
    ) {
        match curve {
            Curve::Cut(limits) => turned::<FUSED>(x, line, back, gradient, |value, gradient| {
                inside(value, limits, gradient)
            }),
            Curve::Silu => turned::<FUSED>(x, line, back, gradient, |value, gradient| {
                gradient * silu_slope::<FUSED>(value)
            }),
        }
    }
}

#[inline(always)]
fn turned<const FUSED: bool>(
    x: Channel,
    line: [f32; 3],
    [factor, level, slope]: [f32; 3],
    gradient: &mut [&mut [f32]],
    through: impl Fn(f32, f32) -> f32,
) {
    for (x, gradient) in x.planes().zip(gradient) {
        for (x, gradient) in x.iter().zip(gradient.iter_mut()) {
            let through = through(on_line::<FUSED>(*x, line), *gradient);
            *gradient = factor * fma::<FUSED>(-slope, x - line[0], through - level);
        }
    }
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

multiversion! {
    /// Keeps the gradient where the output `y` stands at no cut: its sum.
    pub(crate) fn through(y: Channel, limits: [f32; 2], gradient: &mut [&mut [f32]]) -> f64 {
        let _ = FUSED;
        let mut sum = 0.0;
        for (y, gradient) in y.planes().zip(gradient) {
            let mut lanes = [0.0; LANES];
            let (blocks, rest) = y.as_chunks::<LANES>();
            let (gradients, gradient_rest) = gradient.as_chunks_mut::<LANES>();
            for (y, gradient) in blocks.iter().zip(gradients) {
                for lane in 0..LANES {
                    gradient[lane] = inside(y[lane], limits, gradient[lane]);
                    lanes[lane] += gradient[lane];
                }
            }
            for (y, gradient) in rest.iter().zip(gradient_rest) {
                *gradient = inside(*y, limits, *gradient);
                sum += f64::from(*gradient);
            }
            sum += total(&lanes);
        }
        sum
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

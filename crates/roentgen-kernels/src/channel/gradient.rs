//! The way back through one channel of a batch: sums of gradients, and the gradients of what went in.

use std::mem::MaybeUninit;

use super::{Channel, LANES, on_line, total};
use crate::activation::{Curve, inside, silu_slope};
use crate::simd::{fma, multiversion};

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

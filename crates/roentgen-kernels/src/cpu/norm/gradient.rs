//! Backward passes over one channel of a batch: sums of gradients, and the gradients of the inputs.

use std::mem::MaybeUninit;

use super::channel::{Affine, Channel, LANES, sum_lanes};
use crate::activation::Curve;
use crate::cpu::activation::{inside, silu_slope};
use crate::cpu::simd::{fma, multiversion};

/// The coefficients of the gradient of a normalized input:
/// `factor * (gradient - mean_gradient - slope * (x - mean))`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AffineGradient {
    pub(crate) factor: f32,
    pub(crate) mean_gradient: f32,
    pub(crate) slope: f32,
}

multiversion! {
    /// Sums the gradient after the activation, and its product with `x - mean`.
    pub(crate) fn gradient_sums(
        x: Channel,
        affine: Affine,
        curve: Curve,
        gradient: &[&mut [f32]],
    ) -> [f64; 2] {
        match curve {
            Curve::Clamp(limits) => sums::<FUSED>(x, affine, gradient, |value, gradient| {
                inside(value, limits, gradient)
            }),
            Curve::Silu => sums::<FUSED>(x, affine, gradient, |value, gradient| {
                gradient * silu_slope::<FUSED>(value)
            }),
        }
    }
}

/// Sums what `through` makes of the gradient for each normalized value.
#[inline(always)]
fn sums<const FUSED: bool>(
    x: Channel,
    affine: Affine,
    gradient: &[&mut [f32]],
    through: impl Fn(f32, f32) -> f32,
) -> [f64; 2] {
    let mean = affine.mean;
    let (mut sum, mut product) = (0.0, 0.0);
    for (x, gradient) in x.planes().zip(gradient) {
        let mut sums = [0.0; LANES];
        let mut products = [0.0; LANES];
        let (blocks, rest) = x.as_chunks::<LANES>();
        let (gradients, gradient_rest) = gradient.as_chunks::<LANES>();
        for (x, gradient) in blocks.iter().zip(gradients) {
            for lane in 0..LANES {
                let gradient = through(affine.of::<FUSED>(x[lane]), gradient[lane]);
                sums[lane] += gradient;
                products[lane] = fma::<FUSED>(gradient, x[lane] - mean, products[lane]);
            }
        }
        for (x, gradient) in rest.iter().zip(gradient_rest) {
            let gradient = through(affine.of::<FUSED>(*x), *gradient);
            sum += f64::from(gradient);
            product += f64::from(gradient) * f64::from(x - mean);
        }
        sum += sum_lanes(&sums);
        product += sum_lanes(&products);
    }
    [sum, product]
}

multiversion! {
    /// Turns the gradient of the output into that of `x`.
    pub(crate) fn input_gradient(
        x: Channel,
        affine: Affine,
        back: AffineGradient,
        curve: Curve,
        gradient: &mut [&mut [f32]],
    ) {
        match curve {
            Curve::Clamp(limits) => input_gradient_with::<FUSED>(x, affine, back, gradient, |value, gradient| {
                inside(value, limits, gradient)
            }),
            Curve::Silu => input_gradient_with::<FUSED>(x, affine, back, gradient, |value, gradient| {
                gradient * silu_slope::<FUSED>(value)
            }),
        }
    }
}

#[inline(always)]
fn input_gradient_with<const FUSED: bool>(
    x: Channel,
    affine: Affine,
    AffineGradient { factor, mean_gradient, slope }: AffineGradient,
    gradient: &mut [&mut [f32]],
    through: impl Fn(f32, f32) -> f32,
) {
    for (x, gradient) in x.planes().zip(gradient) {
        for (x, gradient) in x.iter().zip(gradient.iter_mut()) {
            let through = through(affine.of::<FUSED>(*x), *gradient);
            *gradient = factor * fma::<FUSED>(-slope, x - affine.mean, through - mean_gradient);
        }
    }
}

multiversion! {
    /// Zeroes the gradient where the output `y` is clamped; sums it, and its product with
    /// `x - mean`.
    pub(crate) fn clamped_gradient_sums(
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
            sum += sum_lanes(&sums);
            product += sum_lanes(&products);
        }
        [sum, product]
    }
}

multiversion! {
    /// Writes the gradient of `x` from that of the norm's output.
    pub(crate) fn normed_gradient(
        x: Channel,
        mean: f32,
        back: AffineGradient,
        gradient: &[&mut [f32]],
        out: &mut [&mut [MaybeUninit<f32>]],
    ) {
        let AffineGradient { factor, mean_gradient, slope } = back;
        for ((x, gradient), out) in x.planes().zip(gradient).zip(out) {
            for ((x, gradient), out) in x.iter().zip(gradient.iter()).zip(out.iter_mut()) {
                out.write(factor * fma::<FUSED>(-slope, x - mean, gradient - mean_gradient));
            }
        }
    }
}

multiversion! {
    /// Zeroes the gradient where the output `y` is clamped, and returns its sum.
    pub(crate) fn clamped_gradient_sum(y: Channel, limits: [f32; 2], gradient: &mut [&mut [f32]]) -> f64 {
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
            sum += sum_lanes(&lanes);
        }
        sum
    }
}

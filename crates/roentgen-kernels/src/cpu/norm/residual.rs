//! Batch normalization with a shortcut added to it and the activation after both: the end of a
//! residual block, in one pass over the values where single operations take three.

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::channel::{Affine, Channel, normalize_add, statistics};
use super::gradient::{AffineGradient, clamped_gradient_sums, normed_gradient};
use super::{BatchNorm, inverse_deviation, unzip};
use crate::activation::Activation;
use crate::cpu::storage::{build_vec, dims, split_by_channel, tensor, values};

pub(crate) fn forward(
    [x, gamma, beta]: [FlexTensor; 3],
    shortcut: &FlexTensor,
    epsilon: f64,
    limits: [f32; 2],
) -> (FlexTensor, BatchNorm) {
    let [batch, channels, height, width] = dims(&x);
    let plane = height * width;
    let (gammas, betas) = (values(&gamma), values(&beta));
    let mut found = Vec::with_capacity(channels);
    let write = |out: &mut [MaybeUninit<f32>]| {
        split_by_channel(out, channels, plane)
            .into_par_iter()
            .enumerate()
            .map(|(index, mut out)| {
                let [x, shortcut] = [&x, shortcut].map(|tensor| Channel {
                    values: values(tensor),
                    channels,
                    plane,
                    index,
                });
                let [mean, variance] = statistics(x);
                let scale = gammas[index] * inverse_deviation(variance, epsilon);
                let affine = Affine { mean, scale, shift: betas[index] };
                normalize_add(x, affine, shortcut, limits, &mut out);
                [mean, variance]
            })
            .collect_into_vec(&mut found);
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `out`, and `normalize_add` writes them.
    let y = unsafe { build_vec(batch * channels * plane, write) };
    let y = tensor(y, [batch, channels, height, width]);
    let statistics = unzip(&found).map(|each| tensor(each, [channels]));
    (y, BatchNorm { x, gamma, beta, statistics, epsilon, curve: Activation::Linear.curve() })
}

/// The gradients of input, gamma, beta and shortcut; the last takes the memory of the output's gradient.
pub(crate) fn backward(
    norm: &BatchNorm,
    limits: [f32; 2],
    y: &FlexTensor,
    mut gradient: FlexTensor,
) -> [FlexTensor; 4] {
    let [batch, channels, height, width] = dims(y);
    let plane = height * width;
    let count = (batch * plane) as f64;
    let [mean, variance] = norm.statistics.each_ref().map(values);
    let gamma = values(&norm.gamma);
    let mut sums = Vec::with_capacity(channels);
    let write = |dx: &mut [MaybeUninit<f32>]| {
        split_by_channel(gradient.storage_mut(), channels, plane)
            .into_par_iter()
            .zip(split_by_channel(dx, channels, plane))
            .enumerate()
            .map(|(index, (mut gradient, mut dx))| {
                let [x, y] = [&norm.x, y].map(|tensor| Channel {
                    values: values(tensor),
                    channels,
                    plane,
                    index,
                });
                let inverse = inverse_deviation(variance[index], norm.epsilon);
                let [sum, product] =
                    clamped_gradient_sums(x, mean[index], y, limits, &mut gradient);
                let inverse_64 = f64::from(inverse);
                let slope = product * inverse_64 * inverse_64 / count;
                let back = AffineGradient {
                    factor: gamma[index] * inverse,
                    mean_gradient: (sum / count) as f32,
                    slope: slope as f32,
                };
                normed_gradient(x, mean[index], back, &gradient, &mut dx);
                [(product * inverse_64) as f32, sum as f32]
            })
            .collect_into_vec(&mut sums);
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `dx`, and `normed_gradient` writes them.
    let dx = unsafe { build_vec(batch * channels * plane, write) };
    let dx = tensor(dx, [batch, channels, height, width]);
    let [gamma, beta] = unzip(&sums).map(|each| tensor(each, [channels]));
    [dx, gamma, beta, gradient]
}

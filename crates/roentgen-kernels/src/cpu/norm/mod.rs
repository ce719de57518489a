//! [Batch normalization][paper] by the statistics of the batch, and the activation after it.
//!
//! One task takes one channel through all images twice: the second time it is still in the cache,
//! so a training step reads each activation from memory once. The normalized values are not kept;
//! the backward pass computes them again from the input.
//!
//! [paper]: https://arxiv.org/abs/1502.03167

pub(crate) mod channel;
pub(crate) mod gradient;
pub(crate) mod residual;

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::activation::Curve;
use crate::cpu::storage::{build_vec, dims, split_by_channel, tensor, values};
use channel::{Affine, Channel, ChannelAffine, normalize, scale_shift, statistics};
use gradient::{AffineGradient, gradient_sums, input_gradient};

/// Multiplies each channel, adds to it and activates, in the memory of `x`.
pub(crate) fn scale_activate(
    mut x: FlexTensor,
    scale: &FlexTensor,
    shift: &FlexTensor,
    curve: Curve,
) -> FlexTensor {
    let [_, channels, height, width] = dims(&x);
    let (scale, shift) = (values(scale), values(shift));
    split_by_channel(x.storage_mut(), channels, height * width)
        .into_par_iter()
        .enumerate()
        .for_each(|(index, mut planes)| {
            scale_shift([scale[index], shift[index]], curve, &mut planes)
        });
    x
}

/// A norm's input with everything that its output, and the backward pass, are computed from.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    pub(crate) x: FlexTensor,
    pub(crate) gamma: FlexTensor,
    pub(crate) beta: FlexTensor,
    /// Mean and variance.
    pub(crate) statistics: [FlexTensor; 2],
    pub(crate) epsilon: f64,
    pub(crate) curve: Curve,
}

impl BatchNorm {
    /// Measures `x` without normalizing it.
    pub(crate) fn measure([x, gamma, beta]: [FlexTensor; 3], epsilon: f64, curve: Curve) -> Self {
        let [_, channels, height, width] = dims(&x);
        let (activations, plane) = (values(&x), height * width);
        let measure = |index| statistics(Channel { values: activations, channels, plane, index });
        let found: Vec<_> = (0..channels).into_par_iter().map(measure).collect();
        let statistics = unzip(&found).map(|each| tensor(each, [channels]));
        Self { x, gamma, beta, statistics, epsilon, curve }
    }

    /// Measures and normalizes each channel while it is in the cache.
    pub(crate) fn forward(
        [x, gamma, beta]: [FlexTensor; 3],
        epsilon: f64,
        curve: Curve,
    ) -> (FlexTensor, Self) {
        let [batch, channels, height, width] = dims(&x);
        let (activations, plane) = (values(&x), height * width);
        let (gammas, betas) = (values(&gamma), values(&beta));
        let mut found = Vec::with_capacity(channels);
        let write = |out: &mut [MaybeUninit<f32>]| {
            split_by_channel(out, channels, plane)
                .into_par_iter()
                .enumerate()
                .map(|(index, mut out)| {
                    let channel = Channel { values: activations, channels, plane, index };
                    let [mean, variance] = statistics(channel);
                    let scale = gammas[index] * inverse_deviation(variance, epsilon);
                    let affine = Affine { mean, scale, shift: betas[index] };
                    normalize(channel, affine, curve, &mut out);
                    [mean, variance]
                })
                .collect_into_vec(&mut found);
        };
        #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
        // SAFETY: the planes of all channels are the whole of `out`, and `normalize` writes them.
        let y = unsafe { build_vec(activations.len(), write) };
        let y = tensor(y, [batch, channels, height, width]);
        let statistics = unzip(&found).map(|each| tensor(each, [channels]));
        (y, Self { x, gamma, beta, statistics, epsilon, curve })
    }

    /// The affine of each channel.
    pub(crate) fn affine(&self) -> ChannelAffine {
        let [mean, variance] = self.statistics.each_ref().map(values);
        let (gamma, beta) = (values(&self.gamma), values(&self.beta));
        let affine = |index: usize| {
            let scale = gamma[index] * inverse_deviation(variance[index], self.epsilon);
            Affine { mean: mean[index], scale, shift: beta[index] }
        };
        ChannelAffine { channels: (0..mean.len()).map(affine).collect(), curve: self.curve }
    }

    /// The gradients of input, gamma and beta; the first takes the memory of the output's.
    pub(crate) fn backward(&self, mut gradient: FlexTensor) -> [FlexTensor; 3] {
        let [batch, channels, height, width] = dims(&self.x);
        let plane = height * width;
        let count = (batch * plane) as f64;
        let (x, ChannelAffine { channels: affines, curve }) = (values(&self.x), self.affine());
        let variance = values(&self.statistics[1]);
        let sums: Vec<_> = split_by_channel(gradient.storage_mut(), channels, plane)
            .into_par_iter()
            .enumerate()
            .map(|(index, mut gradient)| {
                let channel = Channel { values: x, channels, plane, index };
                let inverse = f64::from(inverse_deviation(variance[index], self.epsilon));
                let affine = affines[index];
                let [sum, product] = gradient_sums(channel, affine, curve, &gradient);
                let slope = product * inverse * inverse / count;
                let back = AffineGradient {
                    factor: affine.scale,
                    mean_gradient: (sum / count) as f32,
                    slope: slope as f32,
                };
                input_gradient(channel, affine, back, curve, &mut gradient);
                [(product * inverse) as f32, sum as f32]
            })
            .collect();
        let [gamma, beta] = unzip(&sums).map(|each| tensor(each, [channels]));
        [gradient, gamma, beta]
    }
}

/// Splits pairs into their first and second values.
pub(crate) fn unzip(pairs: &[[f32; 2]]) -> [Vec<f32>; 2] {
    [0, 1].map(|which| pairs.iter().map(|pair| pair[which]).collect())
}

/// One over the root of variance and epsilon.
pub(crate) fn inverse_deviation(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

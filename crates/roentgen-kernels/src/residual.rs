//! Batch normalization, a shortcut added to it, and the activation behind both: the end of a residual block, in
//! one pass over the values where single operations take three.

use std::mem::MaybeUninit;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::activation::Activation;
use crate::channel::gradient::{back_from_sums, cut_sums};
use crate::channel::{Channel, add_cut, statistics};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::norm::{self, Normed, apart, inverse_deviation};
use crate::storage::{by_channel, contiguous, dims, fresh, register, tensor, values};
use crate::{on_flex, reference};

/// Normalizes each channel of `x` as [`norm_activate`](crate::norm_activate) does, adds the
/// shortcut, then activates; SiLU in plain Burn.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `x`, `shortcut`, output: `[batch, channels, height, width]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics on another shape of `gamma`, `beta` or `shortcut`.
pub fn norm_add_activate(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    shortcut: Tensor<4>,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    norm::check(&x, [&gamma, &beta]);
    assert_eq!(x.dims(), shortcut.dims(), "a shortcut of another shape");
    #[cfg(feature = "cuda")]
    if cuda::takes(&x)
        && cuda::takes(&shortcut)
        && x.dtype() == shortcut.dtype()
        && [&gamma, &beta].into_iter().all(cuda::takes_weight)
        && let Some(limits) = activation.limits()
    {
        let operation = cuda::Operation::NormAdd { epsilon, limits };
        return cuda::run_norm_and(x, [gamma, beta], shortcut, operation);
    }
    let is_fast = on_flex(&x) && on_flex(&gamma) && on_flex(&beta) && on_flex(&shortcut);
    let Some(limits) = activation.limits().filter(|_| is_fast) else {
        return reference::norm_add_activate(x, [gamma, beta], shortcut, epsilon, activation);
    };
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (x, shortcut) = (x.into_dispatch(), shortcut.into_dispatch());
    let (y, mean, variance) =
        Dispatch::norm_add_activate(x, gamma, beta, shortcut, epsilon, limits);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Residual: Backend {
    fn norm_add_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl Residual for Flex {
    fn norm_add_activate(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        shortcut: FlexTensor,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let line = [x, gamma, beta].map(contiguous);
        let (y, normed) = forward(line, &contiguous(shortcut), epsilon, limits);
        let [mean, variance] = normed.statistics;
        (y, mean, variance)
    }
}

impl<C: CheckpointStrategy> Residual for Autodiff<Flex, C> {
    fn norm_add_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let (shortcut, shortcut_node) = shortcut.into_parts();
        let line = [x, gamma, beta].map(contiguous);
        let (y, normed) = forward(line, &contiguous(shortcut), epsilon, limits);
        let [mean, variance] = normed.statistics.clone();
        let nodes = [x_node, gamma_node, beta_node, shortcut_node];
        let y = match ResidualBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((normed, limits, y.clone()), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[derive(Debug)]
struct ResidualBackward;

impl Backward<Flex, 4> for ResidualBackward {
    /// The norm, where the output of the block was cut, and that output.
    type State = (Normed, [f32; 2], FlexTensor);

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (normed, limits, y) = ops.state;
        let inputs = ops.parents.map(|node| node.map(|node| node.id));
        register(inputs, backward(&normed, limits, &y, gradient), gradients);
    }
}

fn forward(
    [x, gamma, beta]: [FlexTensor; 3],
    shortcut: &FlexTensor,
    epsilon: f64,
    limits: [f32; 2],
) -> (FlexTensor, Normed) {
    let [batch, channels, height, width] = dims(&x);
    let plane = height * width;
    let (gammas, betas) = (values(&gamma), values(&beta));
    let mut found = Vec::with_capacity(channels);
    let write = |out: &mut [MaybeUninit<f32>]| {
        by_channel(out, channels, plane)
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
                add_cut(x, [mean, scale, betas[index]], shortcut, limits, &mut out);
                [mean, variance]
            })
            .collect_into_vec(&mut found);
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `out`, and `add_cut` writes them.
    let y = unsafe { fresh(batch * channels * plane, write) };
    let y = tensor(y, [batch, channels, height, width]);
    let statistics = apart(&found).map(|each| tensor(each, [channels]));
    (y, Normed { x, gamma, beta, statistics, epsilon, curve: Activation::Linear.curve() })
}

/// The gradients of input, gamma, beta and shortcut; the last takes the memory of the output's.
fn backward(
    normed: &Normed,
    limits: [f32; 2],
    y: &FlexTensor,
    mut gradient: FlexTensor,
) -> [FlexTensor; 4] {
    let [batch, channels, height, width] = dims(y);
    let plane = height * width;
    let count = (batch * plane) as f64;
    let [mean, variance] = normed.statistics.each_ref().map(values);
    let gamma = values(&normed.gamma);
    let mut sums = Vec::with_capacity(channels);
    let write = |dx: &mut [MaybeUninit<f32>]| {
        by_channel(gradient.storage_mut(), channels, plane)
            .into_par_iter()
            .zip(by_channel(dx, channels, plane))
            .enumerate()
            .map(|(index, (mut gradient, mut dx))| {
                let [x, y] = [&normed.x, y].map(|tensor| Channel {
                    values: values(tensor),
                    channels,
                    plane,
                    index,
                });
                let inverse = inverse_deviation(variance[index], normed.epsilon);
                let [sum, product] = cut_sums(x, mean[index], y, limits, &mut gradient);
                let inverse_64 = f64::from(inverse);
                let slope = product * inverse_64 * inverse_64 / count;
                let back = [gamma[index] * inverse, (sum / count) as f32, slope as f32];
                back_from_sums(x, mean[index], back, &gradient, &mut dx);
                [(product * inverse_64) as f32, sum as f32]
            })
            .collect_into_vec(&mut sums);
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `dx`, and `back_from_sums` writes them.
    let dx = unsafe { fresh(batch * channels * plane, write) };
    let dx = tensor(dx, [batch, channels, height, width]);
    let [gamma, beta] = apart(&sums).map(|each| tensor(each, [channels]));
    [dx, gamma, beta, gradient]
}

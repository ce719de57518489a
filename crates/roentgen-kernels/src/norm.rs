//! [Batch normalization][paper] by the statistics of the batch, and the
//! activation behind it.
//!
//! One task takes one channel through all images, twice: the second time it is still in the
//! cache, so that a training step reads each activation from memory once. The normalized values
//! are not kept; the backward pass makes them again from the input.
//!
//! [paper]: https://arxiv.org/abs/1502.03167

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

use crate::activation::{Activation, Curve};
use crate::channel::gradient::{gradient_sums, line_gradient};
use crate::channel::{Channel, activate_line, line, statistics};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::source::Lines;
use crate::storage::{by_channel, contiguous, dims, fresh, register, tensor, values};
use crate::{on_flex, reference};

/// Normalizes each channel by its mean and variance over the batch, then activates.
///
/// Returns the output and, without gradients, mean and biased variance of each channel, those
/// that Burn's `BatchNorm` averages.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics on another shape of `gamma` or `beta`.
pub fn norm_activate(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    check(&x, [&gamma, &beta]);
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) && [&gamma, &beta].into_iter().all(cuda::takes_weight) {
        let operation = cuda::Operation::Norm { epsilon, curve: activation.curve() };
        return cuda::run_norm(x, [gamma, beta], operation);
    }
    if !(on_flex(&x) && on_flex(&gamma) && on_flex(&beta)) {
        return reference::norm_activate(x, gamma, beta, epsilon, activation);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (y, mean, variance) =
        Dispatch::norm_activate(x.into_dispatch(), gamma, beta, epsilon, activation.curve());
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// Multiplies each channel, adds to it, and activates.
///
/// This is [`norm_activate`] by running statistics, with `scale = gamma / sqrt(variance + epsilon)`
/// and `shift = beta - mean * scale`. It is fast only off autodiff devices.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
/// - `scale`, `shift`: `[channels]`
///
/// # Panics
///
/// Panics on another shape of `scale` or `shift`.
pub fn scale_activate(
    x: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    activation: Activation,
) -> Tensor<4> {
    check(&x, [&scale, &shift]);
    let tracks =
        x.device().is_autodiff() || scale.device().is_autodiff() || shift.device().is_autodiff();
    #[cfg(feature = "cuda")]
    if !tracks && cuda::takes(&x) && [&scale, &shift].into_iter().all(cuda::takes_weight) {
        return cuda::scale_activate(x, [scale, shift], activation.curve());
    }
    if tracks || !(on_flex(&x) && on_flex(&scale) && on_flex(&shift)) {
        return reference::scale_activate(x, scale, shift, activation);
    }
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::scale_activate(
        x.into_dispatch(),
        scale,
        shift,
        activation.curve(),
    ))
}

/// Panics where there is not one of both a channel.
pub(crate) fn check(x: &Tensor<4>, line: [&Tensor<1>; 2]) {
    assert_eq!(line.map(Tensor::dims), [[x.dims()[1]]; 2], "one scale and one shift a channel");
}

/// The differentiable operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Norm: Backend {
    fn norm_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The operation of inference on a backend's own tensors.
#[backend_extension(Flex)]
pub(crate) trait Scale: Backend {
    fn scale_activate(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        curve: Curve,
    ) -> FloatTensor<Self>;
}

impl Norm for Flex {
    fn norm_activate(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        curve: Curve,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (y, Normed { statistics: [mean, variance], .. }) =
            Normed::forward([x, gamma, beta].map(contiguous), epsilon, curve);
        (y, mean, variance)
    }
}

impl Scale for Flex {
    fn scale_activate(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        curve: Curve,
    ) -> FlexTensor {
        let [mut x, scale, shift] = [x, scale, shift].map(contiguous);
        let [_, channels, height, width] = dims(&x);
        let (scale, shift) = (values(&scale), values(&shift));
        by_channel(x.storage_mut(), channels, height * width)
            .into_par_iter()
            .enumerate()
            .for_each(|(index, mut planes)| line([scale[index], shift[index]], curve, &mut planes));
        x
    }
}

impl<C: CheckpointStrategy> Norm for Autodiff<Flex, C> {
    fn norm_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let (y, normed) = Normed::forward([x, gamma, beta].map(contiguous), epsilon, curve);
        let [mean, variance] = normed.statistics.clone();
        let nodes = [x_node, gamma_node, beta_node];
        let y = match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(normed, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = Normed;

    fn backward(
        self,
        ops: Ops<Normed, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let inputs = ops.parents.map(|node| node.map(|node| node.id));
        register(inputs, ops.state.backward(gradient), gradients);
    }
}

/// A norm's input with all that its output, and the way back from it, are made of.
#[derive(Clone, Debug)]
pub(crate) struct Normed {
    pub(crate) x: FlexTensor,
    pub(crate) gamma: FlexTensor,
    pub(crate) beta: FlexTensor,
    /// Mean and variance.
    pub(crate) statistics: [FlexTensor; 2],
    pub(crate) epsilon: f64,
    pub(crate) curve: Curve,
}

impl Normed {
    /// Measures `x` without normalizing it.
    pub(crate) fn measure([x, gamma, beta]: [FlexTensor; 3], epsilon: f64, curve: Curve) -> Self {
        let [_, channels, height, width] = dims(&x);
        let (activations, plane) = (values(&x), height * width);
        let measure = |index| statistics(Channel { values: activations, channels, plane, index });
        let found: Vec<_> = (0..channels).into_par_iter().map(measure).collect();
        let statistics = apart(&found).map(|each| tensor(each, [channels]));
        Self { x, gamma, beta, statistics, epsilon, curve }
    }

    /// Measures and normalizes each channel while it is in the cache.
    fn forward(
        [x, gamma, beta]: [FlexTensor; 3],
        epsilon: f64,
        curve: Curve,
    ) -> (FlexTensor, Self) {
        let [batch, channels, height, width] = dims(&x);
        let (activations, plane) = (values(&x), height * width);
        let (gammas, betas) = (values(&gamma), values(&beta));
        let mut found = Vec::with_capacity(channels);
        let write = |out: &mut [MaybeUninit<f32>]| {
            by_channel(out, channels, plane)
                .into_par_iter()
                .enumerate()
                .map(|(index, mut out)| {
                    let channel = Channel { values: activations, channels, plane, index };
                    let [mean, variance] = statistics(channel);
                    let scale = gammas[index] * inverse_deviation(variance, epsilon);
                    activate_line(channel, [mean, scale, betas[index]], curve, &mut out);
                    [mean, variance]
                })
                .collect_into_vec(&mut found);
        };
        #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
        // SAFETY: the planes of all channels are the whole of `out`, and `activate_line` writes them.
        let y = unsafe { fresh(activations.len(), write) };
        let y = tensor(y, [batch, channels, height, width]);
        let statistics = apart(&found).map(|each| tensor(each, [channels]));
        (y, Self { x, gamma, beta, statistics, epsilon, curve })
    }

    /// The line that each channel goes through.
    pub(crate) fn lines(&self) -> Lines {
        let [mean, variance] = self.statistics.each_ref().map(values);
        let (gamma, beta) = (values(&self.gamma), values(&self.beta));
        let line = |index: usize| {
            let scale = gamma[index] * inverse_deviation(variance[index], self.epsilon);
            [mean[index], scale, beta[index]]
        };
        Lines { each: (0..mean.len()).map(line).collect(), curve: self.curve }
    }

    /// The gradients of input, gamma and beta; the first takes the memory of the output's.
    pub(crate) fn backward(&self, mut gradient: FlexTensor) -> [FlexTensor; 3] {
        let [batch, channels, height, width] = dims(&self.x);
        let plane = height * width;
        let count = (batch * plane) as f64;
        let (x, Lines { each, curve }) = (values(&self.x), self.lines());
        let variance = values(&self.statistics[1]);
        let sums: Vec<_> = by_channel(gradient.storage_mut(), channels, plane)
            .into_par_iter()
            .enumerate()
            .map(|(index, mut gradient)| {
                let channel = Channel { values: x, channels, plane, index };
                let inverse = f64::from(inverse_deviation(variance[index], self.epsilon));
                let line = each[index];
                let [sum, product] = gradient_sums(channel, line, curve, &gradient);
                let slope = product * inverse * inverse / count;
                let back = [line[1], (sum / count) as f32, slope as f32];
                line_gradient(channel, line, back, curve, &mut gradient);
                [(product * inverse) as f32, sum as f32]
            })
            .collect();
        let [gamma, beta] = apart(&sums).map(|each| tensor(each, [channels]));
        [gradient, gamma, beta]
    }
}

/// The firsts and the seconds of pairs.
pub(crate) fn apart(pairs: &[[f32; 2]]) -> [Vec<f32>; 2] {
    [0, 1].map(|which| pairs.iter().map(|pair| pair[which]).collect())
}

/// One over the root of variance and epsilon.
pub(crate) fn inverse_deviation(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

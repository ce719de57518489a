//! [Batch normalization][paper] by the statistics of the batch, and the
//! rectifier behind it.
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

use crate::channel::{Channel, cut_line, gradient_sums, line, line_gradient, statistics};
use crate::storage::{by_channel, contiguous, dims, fresh, tensor, values};
use crate::{on_flex, reference};

/// Where the values behind a normalization are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere.
    None,
    /// Below zero.
    Relu,
    /// Below zero and above six.
    Relu6,
}

impl Cut {
    /// The least and the greatest value that come through.
    pub(crate) fn limits(self) -> [f32; 2] {
        match self {
            Cut::None => [f32::NEG_INFINITY, f32::INFINITY],
            Cut::Relu => [0.0, f32::INFINITY],
            Cut::Relu6 => [0.0, 6.0],
        }
    }
}

/// Normalizes each channel by its mean and variance over the batch, then cuts.
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
pub fn norm_cut(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    cut: Cut,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    let channels = [x.dims()[1]];
    assert_eq!([gamma.dims(), beta.dims()], [channels; 2], "one gamma and one beta a channel");
    if !(on_flex(&x) && on_flex(&gamma) && on_flex(&beta)) {
        return reference::norm_cut(x, gamma, beta, epsilon, cut);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (y, mean, variance) =
        Dispatch::norm_cut(x.into_dispatch(), gamma, beta, epsilon, cut.limits());
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// Multiplies each channel, adds to it, and cuts.
///
/// This is [`norm_cut`] by running statistics, with `scale = gamma / sqrt(variance + epsilon)`
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
pub fn scale_cut(x: Tensor<4>, scale: Tensor<1>, shift: Tensor<1>, cut: Cut) -> Tensor<4> {
    let channels = [x.dims()[1]];
    assert_eq!([scale.dims(), shift.dims()], [channels; 2], "one scale and one shift a channel");
    let tracks =
        x.device().is_autodiff() || scale.device().is_autodiff() || shift.device().is_autodiff();
    if tracks || !(on_flex(&x) && on_flex(&scale) && on_flex(&shift)) {
        return reference::scale_cut(x, scale, shift, cut);
    }
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::scale_cut(x.into_dispatch(), scale, shift, cut.limits()))
}

/// The differentiable operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Norm: Backend {
    fn norm_cut(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The operation of inference on a backend's own tensors.
#[backend_extension(Flex)]
pub(crate) trait Scale: Backend {
    fn scale_cut(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        limits: [f32; 2],
    ) -> FloatTensor<Self>;
}

impl Norm for Flex {
    fn norm_cut(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        forward(&contiguous(x), &contiguous(gamma), &contiguous(beta), epsilon, limits)
    }
}

impl Scale for Flex {
    fn scale_cut(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        limits: [f32; 2],
    ) -> FlexTensor {
        let [mut x, scale, shift] = [x, scale, shift].map(contiguous);
        let [_, channels, height, width] = dims(&x);
        let (scale, shift) = (values(&scale), values(&shift));
        by_channel(x.storage_mut(), channels, height * width).into_par_iter().enumerate().for_each(
            |(index, mut planes)| line([scale[index], shift[index]], limits, &mut planes),
        );
        x
    }
}

impl<C: CheckpointStrategy> Norm for Autodiff<Flex, C> {
    fn norm_cut(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        limits: [f32; 2],
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let [x, gamma, beta] = [x, gamma, beta].map(contiguous);
        let (y, mean, variance) = forward(&x, &gamma, &beta, epsilon, limits);
        let statistics = [mean.clone(), variance.clone()];
        let nodes = [x_node, gamma_node, beta_node];
        let y = match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(Saved { x, gamma, beta, statistics, epsilon, limits }, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }
}

/// What the forward pass leaves for the backward pass.
#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    /// Mean and variance.
    statistics: [FlexTensor; 2],
    epsilon: f64,
    limits: [f32; 2],
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Saved, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        for (node, gradient) in ops.parents.into_iter().zip(backward(gradient, &ops.state)) {
            if let Some(node) = node {
                gradients.register::<Flex>(node.id, gradient);
            }
        }
    }
}

fn forward(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f64,
    limits: [f32; 2],
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let [batch, channels, height, width] = dims(x);
    let (x, plane) = (values(x), height * width);
    let (gamma, beta) = (values(gamma), values(beta));
    let mut found = Vec::with_capacity(channels);
    let write = |out: &mut [MaybeUninit<f32>]| {
        by_channel(out, channels, plane)
            .into_par_iter()
            .enumerate()
            .map(|(index, mut out)| {
                let channel = Channel { values: x, channels, plane, index };
                let [mean, variance] = statistics(channel);
                let scale = gamma[index] * inverse_deviation(variance, epsilon);
                cut_line(channel, [mean, scale, beta[index]], limits, &mut out);
                [mean, variance]
            })
            .collect_into_vec(&mut found);
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes of all channels are the whole of `out`, and `cut_line` writes them.
    let y = unsafe { fresh(x.len(), write) };
    let [mean, variance] =
        [0, 1].map(|which| found.iter().map(|channel: &[f32; 2]| channel[which]).collect());
    let y = tensor(y, [batch, channels, height, width]);
    (y, tensor(mean, [channels]), tensor(variance, [channels]))
}

/// The gradients of input, gamma and beta; the first takes the memory of the output's.
fn backward(mut gradient: FlexTensor, saved: &Saved) -> [FlexTensor; 3] {
    let [batch, channels, height, width] = dims(&saved.x);
    let plane = height * width;
    let count = (batch * plane) as f64;
    let (x, gamma, beta) = (values(&saved.x), values(&saved.gamma), values(&saved.beta));
    let [mean, variance] = saved.statistics.each_ref().map(values);
    let sums: Vec<_> = by_channel(gradient.storage_mut(), channels, plane)
        .into_par_iter()
        .enumerate()
        .map(|(index, mut gradient)| {
            let channel = Channel { values: x, channels, plane, index };
            let inverse = inverse_deviation(variance[index], saved.epsilon);
            let scale = gamma[index] * inverse;
            let line = [mean[index], scale, beta[index]];
            let [sum, product] = gradient_sums(channel, line, saved.limits, &gradient);
            let slope = product * f64::from(inverse) * f64::from(inverse) / count;
            let back = [scale, (sum / count) as f32, slope as f32];
            line_gradient(channel, line, back, saved.limits, &mut gradient);
            [(product * f64::from(inverse)) as f32, sum as f32]
        })
        .collect();
    let [gamma, beta] = [0, 1].map(|which| sums.iter().map(|channel| channel[which]).collect());
    [gradient, tensor(gamma, [channels]), tensor(beta, [channels])]
}

fn inverse_deviation(variance: f32, epsilon: f64) -> f32 {
    (1.0 / (f64::from(variance) + epsilon).sqrt()) as f32
}

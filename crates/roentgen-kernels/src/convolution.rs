//! Convolutions as differentiable operations, alone or with the norm and the activation in front of them.
//!
//! With a norm in front, its input is all that is kept for the backward pass: what the norm makes of
//! it is computed again where the gradient of the weights reads it, see [`Source`](crate::source).

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn_flex::FlexTensor;

use crate::activation::{Activation, Curve};
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::norm::{self, Normed};
use crate::source::Lines;
use crate::storage::{contiguous, dims, register, values};
use crate::way::Way;
use crate::{on_flex, reference};

/// A convolution without its weights and without bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Whether each channel has a window of its own, or one window spans all channels.
    pub is_depthwise: bool,
    /// Step in both directions.
    pub stride: usize,
    /// Zeros at the top, left, bottom and right.
    pub padding: [usize; 4],
}

/// Convolves.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - `weight`: `[channels out, channels, kernel height, kernel width]`, depthwise `[channels, 1, …]`
/// - output: `[batch, channels out, (height + top + bottom - kernel height) / stride + 1, …]`
///
/// # Panics
///
/// Panics on another shape of `weight`, a stride of zero, and a padded plane below the window.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, convolution: Convolution) -> Tensor<4> {
    let way = Way::new(x.dims(), weight.dims(), convolution);
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) && cuda::takes_weight(&weight) {
        return cuda::run_2(x, weight, cuda::Operation::Convolve(way));
    }
    if !(on_flex(&x) && on_flex(&weight)) {
        return reference::convolve(x, weight, convolution);
    }
    Tensor::from_dispatch(Dispatch::convolve(x.into_dispatch(), weight.into_dispatch(), way))
}

/// Normalizes as [`norm_activate`](crate::norm_activate) does and convolves the result.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `gamma`, `beta`, mean, variance: `[channels]`
/// - the others as in [`convolve`]
///
/// # Panics
///
/// As [`convolve`], and on another shape of `gamma` or `beta`.
pub fn norm_convolve(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    activation: Activation,
    weight: Tensor<4>,
    convolution: Convolution,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    norm::check(&x, [&gamma, &beta]);
    let way = Way::new(x.dims(), weight.dims(), convolution);
    #[cfg(feature = "cuda")]
    if cuda::takes(&x)
        && [&gamma, &beta].into_iter().all(cuda::takes_weight)
        && cuda::takes_weight(&weight)
    {
        let operation = cuda::Operation::NormConvolve { epsilon, curve: activation.curve(), way };
        return cuda::run_norm_and(x, [gamma, beta], weight, operation);
    }
    if !(on_flex(&x) && on_flex(&gamma) && on_flex(&beta) && on_flex(&weight)) {
        let (y, mean, variance) = reference::norm_activate(x, gamma, beta, epsilon, activation);
        return (reference::convolve(y, weight, convolution), mean, variance);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let (y, mean, variance) =
        Dispatch::norm_convolve(x, gamma, beta, weight, epsilon, activation.curve(), way);
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// Scales as [`scale_activate`](crate::scale_activate) does and convolves the result. It is fast only off
/// autodiff devices.
///
/// # Shapes
///
/// - `scale`, `shift`: `[channels]`
/// - the others as in [`convolve`]
///
/// # Panics
///
/// As [`convolve`], and on another shape of `scale` or `shift`.
pub fn scale_convolve(
    x: Tensor<4>,
    [scale, shift]: [Tensor<1>; 2],
    activation: Activation,
    weight: Tensor<4>,
    convolution: Convolution,
) -> Tensor<4> {
    norm::check(&x, [&scale, &shift]);
    let way = Way::new(x.dims(), weight.dims(), convolution);
    let tracks = [x.device(), weight.device(), scale.device(), shift.device()]
        .iter()
        .any(burn::tensor::Device::is_autodiff);
    #[cfg(feature = "cuda")]
    if !tracks
        && cuda::takes(&x)
        && [&scale, &shift].into_iter().all(cuda::takes_weight)
        && cuda::takes_weight(&weight)
    {
        return cuda::scale_convolve(x, [scale, shift], activation.curve(), weight, way);
    }
    if tracks || !(on_flex(&x) && on_flex(&scale) && on_flex(&shift) && on_flex(&weight)) {
        return reference::convolve(
            reference::scale_activate(x, scale, shift, activation),
            weight,
            convolution,
        );
    }
    let [scale, shift] = [scale, shift].map(Tensor::into_dispatch);
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::scale_convolve(
        x,
        scale,
        shift,
        weight,
        activation.curve(),
        way,
    ))
}

/// The differentiable operations on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Convolve: Backend {
    fn convolve(x: FloatTensor<Self>, weight: FloatTensor<Self>, way: Way) -> FloatTensor<Self>;

    fn norm_convolve(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
        way: Way,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The operation of inference on a backend's own tensors.
#[backend_extension(Flex)]
pub(crate) trait ScaleConvolve: Backend {
    fn scale_convolve(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        curve: Curve,
        way: Way,
    ) -> FloatTensor<Self>;
}

impl Convolve for Flex {
    fn convolve(x: FlexTensor, weight: FlexTensor, way: Way) -> FlexTensor {
        way.forward(&contiguous(x), None, &contiguous(weight))
    }

    fn norm_convolve(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        weight: FlexTensor,
        epsilon: f64,
        curve: Curve,
        way: Way,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let line = [x, gamma, beta].map(contiguous);
        let (y, saved) = BehindNorm::forward(line, contiguous(weight), epsilon, curve, way);
        let [mean, variance] = saved.normed.statistics;
        (y, mean, variance)
    }
}

impl ScaleConvolve for Flex {
    fn scale_convolve(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        weight: FlexTensor,
        curve: Curve,
        way: Way,
    ) -> FlexTensor {
        let [x, scale, shift, weight] = [x, scale, shift, weight].map(contiguous);
        let pairs = values(&scale).iter().zip(values(&shift));
        let each = pairs.map(|(&scale, &shift)| [0.0, scale, shift]).collect();
        way.forward(&x, Some(&Lines { each, curve }), &weight)
    }
}

impl<C: CheckpointStrategy> Convolve for Autodiff<Flex, C> {
    fn convolve(x: FloatTensor<Self>, weight: FloatTensor<Self>, way: Way) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let [x, weight] = [contiguous(x), contiguous(weight)];
        let y = way.forward(&x, None, &weight);
        match Plain.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight, way), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn norm_convolve(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
        way: Way,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let line = [x, gamma, beta].map(contiguous);
        let (y, saved) = BehindNorm::forward(line, contiguous(weight), epsilon, curve, way);
        let [mean, variance] = saved.normed.statistics.clone();
        let nodes = [x_node, gamma_node, beta_node, weight_node];
        let y = match BehindNormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(saved, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[derive(Debug)]
struct Plain;

impl Backward<Flex, 2> for Plain {
    type State = (FlexTensor, FlexTensor, Way);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let (x, weight, way) = ops.state;
        let [x_node, weight_node] = ops.parents;
        if let Some(node) = weight_node {
            let dw = way.weight_gradient(&gradient, &x, None, dims(&weight));
            gradients.register::<Flex>(node.id, dw);
        }
        if let Some(node) = x_node {
            gradients.register::<Flex>(node.id, way.x_gradient(&gradient, &weight, dims(&x)));
        }
    }
}

/// A convolution behind a norm, with what both passes need of them.
#[derive(Clone, Debug)]
pub(crate) struct BehindNorm {
    pub(crate) normed: Normed,
    weight: FlexTensor,
    way: Way,
}

impl BehindNorm {
    /// Measures `x`, `[x, gamma, beta]` being the norm, and convolves what it becomes.
    pub(crate) fn forward(
        line: [FlexTensor; 3],
        weight: FlexTensor,
        epsilon: f64,
        curve: Curve,
        way: Way,
    ) -> (FlexTensor, Self) {
        let normed = Normed::measure(line, epsilon, curve);
        let y = way.forward(&normed.x, Some(&normed.lines()), &weight);
        (y, Self { normed, weight, way })
    }

    pub(crate) fn weight_gradient(&self, gradient: &FlexTensor) -> FlexTensor {
        let (x, lines) = (&self.normed.x, self.normed.lines());
        self.way.weight_gradient(gradient, x, Some(&lines), dims(&self.weight))
    }

    /// The gradients of `x`, gamma and beta.
    pub(crate) fn line_gradients(&self, gradient: FlexTensor) -> [FlexTensor; 3] {
        let inner = self.way.x_gradient(&gradient, &self.weight, dims(&self.normed.x));
        // Its memory goes to what follows.
        drop(gradient);
        self.normed.backward(inner)
    }
}

#[derive(Debug)]
struct BehindNormBackward;

impl Backward<Flex, 4> for BehindNormBackward {
    type State = BehindNorm;

    fn backward(
        self,
        ops: Ops<BehindNorm, 4>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [before @ .., weight_node] = ops.parents;
        if let Some(node) = weight_node {
            gradients.register::<Flex>(node.id, ops.state.weight_gradient(&gradient));
        }
        if before.iter().any(Option::is_some) {
            let before = before.map(|node| node.map(|node| node.id));
            register(before, ops.state.line_gradients(gradient), gradients);
        }
    }
}

//! Batch normalization, an activation, and the mean of each two by two values behind them: what a DenseNet does
//! between two blocks, without keeping the maps of full size.

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
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::norm::{self, Normed};
use crate::source::Source;
use crate::storage::{contiguous, dims, fresh, register, tensor, values};
use crate::{on_flex, reference};

/// Normalizes and activates as [`norm_activate`](crate::norm_activate) does, then takes the mean of each two by two
/// values; an odd row or column is left out.
///
/// Returns the output and, without gradients, mean and biased variance of each channel of `x`.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`, both sides at least two
/// - output: `[batch, channels, height / 2, width / 2]`
/// - `gamma`, `beta`, mean, variance: `[channels]`
///
/// # Panics
///
/// Panics on another shape of `gamma` or `beta`, and on a side below two.
pub fn norm_activate_mean_pool(
    x: Tensor<4>,
    [gamma, beta]: [Tensor<1>; 2],
    epsilon: f64,
    activation: Activation,
) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
    norm::check(&x, [&gamma, &beta]);
    let [_, _, height, width] = x.dims();
    assert!(height.min(width) >= 2, "a mean of two by two needs a plane of that size");
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) && [&gamma, &beta].into_iter().all(cuda::takes_weight) {
        let operation = cuda::Operation::NormMeanPool { epsilon, curve: activation.curve() };
        return cuda::run_norm(x, [gamma, beta], operation);
    }
    if !(on_flex(&x) && on_flex(&gamma) && on_flex(&beta)) {
        let (y, mean, variance) = reference::norm_activate(x, gamma, beta, epsilon, activation);
        return (reference::mean_pool(y), mean, variance);
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let (y, mean, variance) = Dispatch::norm_activate_mean_pool(
        x.into_dispatch(),
        gamma,
        beta,
        epsilon,
        activation.curve(),
    );
    (Tensor::from_dispatch(y), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait MeanPool: Backend {
    fn norm_activate_mean_pool(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl MeanPool for Flex {
    fn norm_activate_mean_pool(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f64,
        curve: Curve,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let normed = Normed::measure([x, gamma, beta].map(contiguous), epsilon, curve);
        let y = forward(&normed);
        let [mean, variance] = normed.statistics;
        (y, mean, variance)
    }
}

impl<C: CheckpointStrategy> MeanPool for Autodiff<Flex, C> {
    fn norm_activate_mean_pool(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
        curve: Curve,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma, gamma_node) = gamma.into_parts();
        let (beta, beta_node) = beta.into_parts();
        let normed = Normed::measure([x, gamma, beta].map(contiguous), epsilon, curve);
        let y = forward(&normed);
        let [mean, variance] = normed.statistics.clone();
        let nodes = [x_node, gamma_node, beta_node];
        let y = match MeanPoolBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(normed, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[derive(Debug)]
struct MeanPoolBackward;

impl Backward<Flex, 3> for MeanPoolBackward {
    type State = Normed;

    fn backward(
        self,
        ops: Ops<Normed, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let inner = spread(&gradient, dims(&ops.state.x));
        let inputs = ops.parents.map(|node| node.map(|node| node.id));
        register(inputs, ops.state.backward(inner), gradients);
    }
}

fn forward(normed: &Normed) -> FlexTensor {
    let [batch, channels, height, width] = dims(&normed.x);
    let size = [height / 2, width / 2];
    let lines = normed.lines();
    let x = Source::new(values(&normed.x), [channels, height * width], Some(&lines));
    let write = |y: &mut [MaybeUninit<f32>]| {
        let planes = y.par_chunks_exact_mut(size[0] * size[1]).enumerate();
        planes.for_each_init(Vec::new, |scratch, (index, y)| {
            let plane = x.plane([index / channels, index % channels], scratch);
            let pairs = plane.chunks_exact(2 * width);
            for (pair, y) in pairs.zip(y.chunks_exact_mut(size[1])) {
                let (above, below) = pair.split_at(width);
                let columns = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
                for (y, ([a, b], [c, d])) in y.iter_mut().zip(columns) {
                    y.write(0.25 * ((a + b) + (c + d)));
                }
            }
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: the planes are the whole of `y`; each has half the rows and columns of `x`, and there is
    // a pair of rows and a pair of columns for each.
    let y = unsafe { fresh(batch * channels * size[0] * size[1], write) };
    tensor(y, [batch, channels, size[0], size[1]])
}

/// A quarter of each gradient to each of the four values, which are of `shape`.
fn spread(gradient: &FlexTensor, shape: [usize; 4]) -> FlexTensor {
    let [batch, channels, height, width] = shape;
    let mut inner = vec![0.0; batch * channels * height * width];
    let planes = values(gradient).par_chunks_exact((height / 2) * (width / 2));
    inner.par_chunks_exact_mut(height * width).zip(planes).for_each(|(inner, gradient)| {
        let rows = gradient.chunks_exact(width / 2);
        for (pair, gradient) in inner.chunks_exact_mut(2 * width).zip(rows) {
            for row in pair.chunks_exact_mut(width) {
                for (pair, gradient) in row.as_chunks_mut::<2>().0.iter_mut().zip(gradient) {
                    *pair = [0.25 * gradient; 2];
                }
            }
        }
    });
    tensor(inner, shape)
}

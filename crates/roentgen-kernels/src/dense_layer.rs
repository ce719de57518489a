//! A layer of a DenseNet: twice a norm, ReLU and convolution, the result put behind the features that
//! went in.
//!
//! As one operation it copies the features once forward; on the way back it copies those that were added
//! and adds to the gradient of the others where it lies, on all threads. Burn's concatenation and its
//! gradients, on one thread, take as long as the norms.

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

use crate::convolution::BehindNorm;
#[cfg(feature = "cuda")]
use crate::cuda;
use crate::storage::{contiguous, dims, fresh, register, tensor, values};
use crate::way::Way;
use crate::{Activation, Convolution, norm, norm_convolve, on_flex, storage};

/// Norm, ReLU and convolution.
#[derive(Clone, Debug)]
pub struct NormConvolution {
    /// Gamma and beta, `[channels]` each.
    pub line: [Tensor<1>; 2],
    /// Added to the variance.
    pub epsilon: f64,
    /// `[channels out, channels, kernel height, kernel width]`
    pub weight: Tensor<4>,
    /// How the window goes.
    pub convolution: Convolution,
}

/// Mean and biased variance of each channel.
pub type Statistics = [Tensor<1>; 2];

/// Convolves twice, each time behind a norm and ReLU, and puts the result behind `x`.
///
/// Returns the output and, without gradients, the statistics of both norms.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - output: `[batch, channels + channels out of the second, height, width]`
///
/// # Panics
///
/// As [`norm_convolve`], and where the second convolution gives another size than `x` has.
pub fn dense_layer(x: Tensor<4>, parts: [NormConvolution; 2]) -> (Tensor<4>, [Statistics; 2]) {
    let is_fast = |part: &NormConvolution| part.line.iter().all(on_flex) && on_flex(&part.weight);
    #[cfg(feature = "cuda")]
    let on_cuda = cuda::takes(&x)
        && parts.iter().all(|part| {
            part.line.iter().all(cuda::takes_weight) && cuda::takes_weight(&part.weight)
        });
    #[cfg(not(feature = "cuda"))]
    let on_cuda = false;
    let on_flex = on_flex(&x) && parts.iter().all(is_fast);
    if !on_cuda && !on_flex {
        return reference(x, parts);
    }
    let [batch, channels, height, width] = x.dims();
    norm::check(&x, parts[0].line.each_ref());
    let first = Way::new(x.dims(), parts[0].weight.dims(), parts[0].convolution);
    let between = [batch, parts[0].weight.dims()[0], height, width];
    assert_eq!(parts[1].line.each_ref().map(Tensor::dims), [[between[1]]; 2], "channels between");
    let second = Way::new(between, parts[1].weight.dims(), parts[1].convolution);
    for way in [first, second] {
        assert!(way.keeps_size(), "{channels} features of another size than what is put behind");
    }
    let ways = [(first, parts[0].epsilon), (second, parts[1].epsilon)];
    #[cfg(feature = "cuda")]
    if on_cuda {
        return cuda::dense_layer(x, parts, ways);
    }
    let [a, b] = parts.map(|part| {
        let [gamma, beta] = part.line.map(Tensor::into_dispatch);
        (gamma, beta, part.weight.into_dispatch())
    });
    let x = x.into_dispatch();
    let (y, statistics) = Dispatch::dense_layer(x, a.0, a.1, a.2, b.0, b.1, b.2, ways);
    let statistics = Tensor::<1>::from_dispatch(statistics);
    let mut first = 0;
    let statistics = [channels, between[1]].map(|channels| {
        [0, 1].map(|_| {
            let part = statistics.clone().narrow(0, first, channels);
            first += channels;
            part
        })
    });
    (Tensor::from_dispatch(y), statistics)
}

fn reference(x: Tensor<4>, parts: [NormConvolution; 2]) -> (Tensor<4>, [Statistics; 2]) {
    let mut added = x.clone();
    let statistics = parts.map(|part| {
        let NormConvolution { line, epsilon, weight, convolution } = part;
        let (y, mean, variance) =
            norm_convolve(added.clone(), line, epsilon, Activation::Relu, weight, convolution);
        added = y;
        [mean, variance]
    });
    (Tensor::cat(vec![x, added], 1), statistics)
}

/// Ways and epsilons of both convolutions.
type Ways = [(Way, f64); 2];

/// The operation on a backend's own tensors.
#[backend_extension(Flex, Autodiff)]
#[expect(clippy::too_many_arguments, reason = "a backend's operation takes its tensors one by one")]
pub(crate) trait DenseLayer: Backend {
    fn dense_layer(
        x: FloatTensor<Self>,
        gamma_1: FloatTensor<Self>,
        beta_1: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        gamma_2: FloatTensor<Self>,
        beta_2: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        ways: Ways,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl DenseLayer for Flex {
    fn dense_layer(
        x: FlexTensor,
        gamma_1: FlexTensor,
        beta_1: FlexTensor,
        weight_1: FlexTensor,
        gamma_2: FlexTensor,
        beta_2: FlexTensor,
        weight_2: FlexTensor,
        ways: Ways,
    ) -> (FlexTensor, FlexTensor) {
        let first = [gamma_1, beta_1, weight_1];
        let (y, saved) = forward(x, first, [gamma_2, beta_2, weight_2], ways);
        (y, saved.statistics())
    }
}

impl<C: CheckpointStrategy> DenseLayer for Autodiff<Flex, C> {
    fn dense_layer(
        x: FloatTensor<Self>,
        gamma_1: FloatTensor<Self>,
        beta_1: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        gamma_2: FloatTensor<Self>,
        beta_2: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        ways: Ways,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (x, x_node) = x.into_parts();
        let (gamma_1, gamma_1_node) = gamma_1.into_parts();
        let (beta_1, beta_1_node) = beta_1.into_parts();
        let (weight_1, weight_1_node) = weight_1.into_parts();
        let (gamma_2, gamma_2_node) = gamma_2.into_parts();
        let (beta_2, beta_2_node) = beta_2.into_parts();
        let (weight_2, weight_2_node) = weight_2.into_parts();
        let nodes = [
            x_node,
            gamma_1_node,
            beta_1_node,
            weight_1_node,
            gamma_2_node,
            beta_2_node,
            weight_2_node,
        ];
        let first = [gamma_1, beta_1, weight_1];
        let (y, saved) = forward(x, first, [gamma_2, beta_2, weight_2], ways);
        let statistics = saved.statistics();
        let y = match DenseLayerBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(saved, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        };
        (y, Self::from_inner(statistics))
    }
}

/// What the forward pass leaves for the backward pass: both halves.
#[derive(Clone, Debug)]
struct Saved([BehindNorm; 2]);

impl Saved {
    /// Mean and variance of the first norm, then of the second, in one tensor.
    fn statistics(&self) -> FlexTensor {
        let all = self.0.iter().flat_map(|half| &half.normed.statistics);
        let all: Vec<f32> = all.flat_map(values).copied().collect();
        let count = all.len();
        tensor(all, [count])
    }
}

#[derive(Debug)]
struct DenseLayerBackward;

impl Backward<Flex, 7> for DenseLayerBackward {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Saved, 7>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let Saved([first, second]) = ops.state;
        let [_, channels, height, width] = dims(&first.normed.x);
        let plane = height * width;
        let added = behind(&gradient, channels);
        let dw_2 = second.weight_gradient(&added);
        let [between, dg_2, db_2] = second.line_gradients(added);
        let dw_1 = first.weight_gradient(&between);
        let [mut dx, dg_1, db_1] = first.line_gradients(between);
        // What went straight through.
        let through = values(&gradient).par_chunks_exact(dims::<4>(&gradient)[1] * plane);
        let images = dx.storage_mut::<f32>().par_chunks_exact_mut(channels * plane);
        images.zip(through).for_each(|(dx, through)| {
            dx.iter_mut().zip(through).for_each(|(dx, through)| *dx += through);
        });
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        register(parents, [dx, dg_1, db_1, dw_1, dg_2, db_2, dw_2], gradients);
    }
}

fn forward(
    x: FlexTensor,
    [gamma_1, beta_1, weight_1]: [FlexTensor; 3],
    [gamma_2, beta_2, weight_2]: [FlexTensor; 3],
    [(way_1, epsilon_1), (way_2, epsilon_2)]: Ways,
) -> (FlexTensor, Saved) {
    let half = |line: [FlexTensor; 3], weight, epsilon, way| {
        let relu = Activation::Relu.curve();
        BehindNorm::forward(line.map(contiguous), contiguous(weight), epsilon, relu, way)
    };
    let (between, first) = half([x, gamma_1, beta_1], weight_1, epsilon_1, way_1);
    let (added, second) = half([between, gamma_2, beta_2], weight_2, epsilon_2, way_2);
    let y = put_behind(&first.normed.x, &added);
    (y, Saved([first, second]))
}

/// The channels of `x` and those of `added` behind them.
fn put_behind(x: &FlexTensor, added: &FlexTensor) -> FlexTensor {
    let [batch, channels, height, width] = dims(x);
    let [_, more, ..] = dims::<4>(added);
    let plane = height * width;
    let all = channels + more;
    let write = |y: &mut [MaybeUninit<f32>]| {
        let x = values(x).par_chunks_exact(channels * plane);
        let added = values(added).par_chunks_exact(more * plane);
        y.par_chunks_exact_mut(all * plane).zip(x.zip(added)).for_each(|(y, (x, added))| {
            let (front, back) = y.split_at_mut(channels * plane);
            front.write_copy_of_slice(x);
            back.write_copy_of_slice(added);
        });
    };
    #[expect(unsafe_code, reason = "spares a pass that fills with zeros")]
    // SAFETY: images are the whole of `y`, and both parts of each are written.
    let y = unsafe { fresh(batch * all * plane, write) };
    tensor(y, [batch, all, height, width])
}

/// The channels from `first` on.
fn behind(x: &FlexTensor, first: usize) -> FlexTensor {
    let [batch, all, height, width] = dims(x);
    let plane = height * width;
    let mut values = Vec::with_capacity(batch * (all - first) * plane);
    for image in storage::values(x).chunks_exact(all * plane) {
        values.extend_from_slice(&image[first * plane..]);
    }
    tensor(values, [batch, all - first, height, width])
}

//! A layer of a DenseNet.

use burn::tensor::Tensor;

use crate::activation::Activation;
use crate::algorithm::Algorithm;
use crate::operation::Operation;
use crate::ops::convolution::norm_convolve;
use crate::ops::norm;
use crate::place::{self, Place};
use crate::settings::Convolution;
use crate::tape;

/// Norm, ReLU and convolution.
#[derive(Clone, Debug)]
pub struct NormConvolution {
    /// Gamma and beta, `[channels]` each.
    pub affine: [Tensor<1>; 2],
    /// Added to the variance.
    pub epsilon: f64,
    /// `[channels out, channels, kernel height, kernel width]`
    pub weight: Tensor<4>,
    /// Window, stride and padding.
    pub convolution: Convolution,
}

/// Mean and biased variance of each channel.
pub type Statistics = [Tensor<1>; 2];

/// Convolves twice, each time after a norm and ReLU, and concatenates `x` and the result.
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
/// Panics as [`norm_convolve`] does, and if a convolution changes height or width.
pub fn dense_layer(x: Tensor<4>, parts: [NormConvolution; 2]) -> (Tensor<4>, [Statistics; 2]) {
    let places = |part: &NormConvolution| {
        let [gamma, beta] = part.affine.each_ref().map(Place::of_weight);
        [gamma, beta, Place::of_weight(&part.weight)]
    };
    let [[a, b, c], [d, e, f]] = parts.each_ref().map(places);
    if !place::takes([Place::of_activation(&x), a, b, c, d, e, f]) {
        return reference(x, parts);
    }
    let [batch, channels, height, width] = x.dims();
    norm::check(&x, parts[0].affine.each_ref());
    let first = Algorithm::new(x.dims(), parts[0].weight.dims(), parts[0].convolution);
    let between = [batch, parts[0].weight.dims()[0], height, width];
    assert_eq!(parts[1].affine.each_ref().map(Tensor::dims), [[between[1]]; 2], "channels between");
    let second = Algorithm::new(between, parts[1].weight.dims(), parts[1].convolution);
    for algorithm in [first, second] {
        assert!(algorithm.keeps_size(), "a layer of {channels} channels that changes their size");
    }
    let operation = Operation::DenseLayer([(first, parts[0].epsilon), (second, parts[1].epsilon)]);
    let [[gamma_1, beta_1, weight_1], [gamma_2, beta_2, weight_2]] = parts.map(|part| {
        let [gamma, beta] = part.affine.map(Tensor::into_dispatch);
        [gamma, beta, part.weight.into_dispatch()]
    });
    let inputs = [x.into_dispatch(), gamma_1, beta_1, weight_1, gamma_2, beta_2, weight_2];
    let [y, mean_1, variance_1, mean_2, variance_2] = tape::run(operation, inputs);
    let statistics = [[mean_1, variance_1], [mean_2, variance_2]];
    (Tensor::from_dispatch(y), statistics.map(|pair| pair.map(Tensor::from_dispatch)))
}

fn reference(x: Tensor<4>, parts: [NormConvolution; 2]) -> (Tensor<4>, [Statistics; 2]) {
    let mut added = x.clone();
    let statistics = parts.map(|part| {
        let NormConvolution { affine, epsilon, weight, convolution } = part;
        let (y, mean, variance) =
            norm_convolve(added.clone(), affine, epsilon, Activation::Relu, weight, convolution);
        added = y;
        [mean, variance]
    });
    (Tensor::cat(vec![x, added], 1), statistics)
}

//! A layer of a DenseNet: a norm, ReLU and convolution twice, and its result concatenated with the
//! input.
//!
//! As one operation it copies the features once on the forward pass. On the backward pass it copies
//! the added ones and adds to the gradient of the others in place, on all threads. Burn's
//! concatenation and its gradients, on one thread, take as long as the norms.

use std::mem::MaybeUninit;

use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::activation::Activation;
use crate::algorithm::Algorithm;
use crate::cpu::conv::NormedConv;
use crate::cpu::storage::{build_vec, dims, tensor, values};

/// The two halves of a layer, as the backward pass needs them.
#[derive(Clone, Debug)]
pub(crate) struct DenseLayer([NormedConv; 2]);

impl DenseLayer {
    /// Computes the output of `x`; `parts` are gamma, beta and weight of both halves.
    pub(crate) fn forward(
        x: FlexTensor,
        parts: [[FlexTensor; 3]; 2],
        algorithms: [(Algorithm, f64); 2],
    ) -> (FlexTensor, Self) {
        let [[gamma_1, beta_1, weight_1], [gamma_2, beta_2, weight_2]] = parts;
        let [(algorithm_1, epsilon_1), (algorithm_2, epsilon_2)] = algorithms;
        let relu = Activation::Relu.curve();
        let inputs = [x, gamma_1, beta_1];
        let (between, first) = NormedConv::forward(inputs, weight_1, epsilon_1, relu, algorithm_1);
        let inputs = [between, gamma_2, beta_2];
        let (added, second) = NormedConv::forward(inputs, weight_2, epsilon_2, relu, algorithm_2);
        let y = concat_channels(&first.norm.x, &added);
        (y, Self([first, second]))
    }

    /// Mean and variance of the first norm, then of the second.
    pub(crate) fn statistics(&self) -> impl Iterator<Item = FlexTensor> {
        self.0.iter().flat_map(|half| half.norm.statistics.clone())
    }

    /// The gradients of the seven inputs.
    pub(crate) fn backward(self, gradient: &FlexTensor) -> [FlexTensor; 7] {
        let [first, second] = self.0;
        let [_, channels, height, width] = dims(&first.norm.x);
        let plane = height * width;
        let added = channels_from(gradient, channels);
        let dw_2 = second.weight_gradient(&added);
        let [between, gamma_2, beta_2] = second.norm_gradients(added);
        let dw_1 = first.weight_gradient(&between);
        let [mut dx, gamma_1, beta_1] = first.norm_gradients(between);
        // The gradient of the concatenated input.
        let direct = values(gradient).par_chunks_exact(dims::<4>(gradient)[1] * plane);
        let images = dx.storage_mut::<f32>().par_chunks_exact_mut(channels * plane);
        images.zip(direct).for_each(|(dx, direct)| {
            dx.iter_mut().zip(direct).for_each(|(dx, direct)| *dx += direct);
        });
        [dx, gamma_1, beta_1, dw_1, gamma_2, beta_2, dw_2]
    }
}

/// Concatenates the channels of `x` and of `added`.
fn concat_channels(x: &FlexTensor, added: &FlexTensor) -> FlexTensor {
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
    let y = unsafe { build_vec(batch * all * plane, write) };
    tensor(y, [batch, all, height, width])
}

/// Copies the channels from `first` on.
fn channels_from(x: &FlexTensor, first: usize) -> FlexTensor {
    let [batch, all, height, width] = dims(x);
    let plane = height * width;
    let mut taken = Vec::with_capacity(batch * (all - first) * plane);
    for image in values(x).chunks_exact(all * plane) {
        taken.extend_from_slice(&image[first * plane..]);
    }
    tensor(taken, [batch, all - first, height, width])
}

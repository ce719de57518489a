//! Convolutions on the CPU, alone or after a norm.

mod dense;
mod depthwise;
mod im2col;
pub(crate) mod input;
mod matmul;
mod matrix;
mod tuning;
mod winograd;

use burn_flex::FlexTensor;

use crate::activation::Curve;
use crate::algorithm::Algorithm;
use crate::cpu::norm::BatchNorm;
use crate::cpu::norm::channel::ChannelAffine;
use crate::cpu::storage::{dims, tensor, values};
use input::ConvInput;
use matmul::{outer_product, per_image};
use matrix::Matrix;

impl Algorithm {
    /// Convolves `x`, normalized and activated while it is read where there is an affine.
    pub(crate) fn forward(
        self,
        x: &FlexTensor,
        affine: Option<&ChannelAffine>,
        weight: &FlexTensor,
    ) -> FlexTensor {
        let [batch, _, height, width] = dims(x);
        let [out, channels, ..] = dims::<4>(weight);
        let x = input(x, affine);
        match self {
            Algorithm::Pointwise => {
                let weight = Matrix::new(values(weight), [out, channels]);
                tensor(per_image(weight, x), [batch, out, height, width])
            }
            Algorithm::Depthwise(window) => depthwise::forward(x, weight, window),
            Algorithm::Dense(window) => dense::forward(x, weight, window),
        }
    }

    /// The gradient of the input, of `shape`.
    pub(crate) fn x_gradient(
        self,
        gradient: &FlexTensor,
        weight: &FlexTensor,
        shape: [usize; 4],
    ) -> FlexTensor {
        match self {
            Algorithm::Pointwise => {
                let [out, channels, ..] = dims::<4>(weight);
                let weight = Matrix::new(values(weight), [out, channels]).transpose();
                tensor(per_image(weight, input(gradient, None)), shape)
            }
            Algorithm::Depthwise(window) => depthwise::x_gradient(gradient, weight, shape, window),
            Algorithm::Dense(window) => dense::x_gradient(gradient, weight, window),
        }
    }

    /// The gradient of the weights, of `shape`.
    pub(crate) fn weight_gradient(
        self,
        gradient: &FlexTensor,
        x: &FlexTensor,
        affine: Option<&ChannelAffine>,
        shape: [usize; 4],
    ) -> FlexTensor {
        let x = input(x, affine);
        match self {
            Algorithm::Pointwise => tensor(outer_product(input(gradient, None), x), shape),
            Algorithm::Depthwise(window) => depthwise::weight_gradient(gradient, x, window),
            Algorithm::Dense(window) => dense::weight_gradient(gradient, x, shape, window),
        }
    }
}

/// A convolution after a norm, with what the backward pass needs of both.
///
/// The norm's input is all that is kept: its output is computed again where the gradient of the
/// weights reads it, see [`ConvInput`].
#[derive(Clone, Debug)]
pub(crate) struct NormedConv {
    pub(crate) norm: BatchNorm,
    weight: FlexTensor,
    algorithm: Algorithm,
}

impl NormedConv {
    /// Measures `x` of `[x, gamma, beta]`, and convolves what the norm makes of it.
    pub(crate) fn forward(
        inputs: [FlexTensor; 3],
        weight: FlexTensor,
        epsilon: f64,
        curve: Curve,
        algorithm: Algorithm,
    ) -> (FlexTensor, Self) {
        let norm = BatchNorm::measure(inputs, epsilon, curve);
        let y = algorithm.forward(&norm.x, Some(&norm.affine()), &weight);
        (y, Self { norm, weight, algorithm })
    }

    pub(crate) fn weight_gradient(&self, gradient: &FlexTensor) -> FlexTensor {
        let (x, affine) = (&self.norm.x, self.norm.affine());
        self.algorithm.weight_gradient(gradient, x, Some(&affine), dims(&self.weight))
    }

    /// The gradients of `x`, gamma and beta.
    pub(crate) fn norm_gradients(&self, gradient: FlexTensor) -> [FlexTensor; 3] {
        let inner = self.algorithm.x_gradient(&gradient, &self.weight, dims(&self.norm.x));
        // Its memory goes to the tensors that follow.
        drop(gradient);
        self.norm.backward(inner)
    }
}

fn input<'a>(x: &'a FlexTensor, affine: Option<&'a ChannelAffine>) -> ConvInput<'a> {
    let [_, channels, height, width] = dims(x);
    ConvInput::new(values(x), [channels, height * width], affine)
}

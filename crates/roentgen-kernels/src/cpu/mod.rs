//! The operations on the CPU, on the tensors of Burn's `flex` backend.

pub(crate) mod activation;
mod adam;
pub(crate) mod conv;
mod dense_layer;
mod mean_pool;
pub(crate) mod norm;
mod pool;
mod shift;
pub(crate) mod simd;
pub(crate) mod storage;

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::ops::{FloatTensorOps, ModuleOps};
use burn_flex::FlexTensor;

use crate::activation::Curve;
use crate::algorithm::Algorithm;
use crate::geometry::WindowGeometry;
use crate::operation::Operation;
use crate::settings::AdamStep;
use crate::tape::{Compute, Infer, exactly};
use conv::NormedConv;
use dense_layer::DenseLayer;
use norm::channel::{Affine, ChannelAffine};
use norm::{BatchNorm, residual};
use storage::{contiguous, dims, values};

pub(crate) use simd::instruction_set;

/// What the backward pass of each operation needs.
#[derive(Clone, Debug)]
pub(crate) enum Saved {
    Convolve { x: FlexTensor, weight: FlexTensor, algorithm: Algorithm },
    NormConvolve(NormedConv),
    Norm(BatchNorm),
    NormAdd { norm: BatchNorm, limits: [f32; 2], y: FlexTensor },
    NormMeanPool(BatchNorm),
    Shift { y: FlexTensor, limits: [f32; 2] },
    MaxPool { taps: Arc<Vec<u8>>, window: WindowGeometry },
    ShiftMaxPool { y: FlexTensor, limits: [f32; 2], taps: Arc<Vec<u8>>, window: WindowGeometry },
    FilmMean { x: FlexTensor },
    DenseLayer(Box<DenseLayer>),
}

impl Compute for Flex {
    type Saved = Saved;

    fn forward(operation: Operation, inputs: Vec<FlexTensor>) -> (Vec<FlexTensor>, Saved) {
        let inputs: Vec<_> = inputs.into_iter().map(contiguous).collect();
        match operation {
            Operation::Convolve(algorithm) => {
                let [x, weight] = exactly(inputs);
                let y = algorithm.forward(&x, None, &weight);
                (vec![y], Saved::Convolve { x, weight, algorithm })
            }
            Operation::NormConvolve { epsilon, curve, algorithm } => {
                let [x, gamma, beta, weight] = exactly(inputs);
                let (y, saved) =
                    NormedConv::forward([x, gamma, beta], weight, epsilon, curve, algorithm);
                (with_statistics(y, &saved.norm), Saved::NormConvolve(saved))
            }
            Operation::Norm { epsilon, curve } => {
                let (y, norm) = BatchNorm::forward(exactly(inputs), epsilon, curve);
                (with_statistics(y, &norm), Saved::Norm(norm))
            }
            Operation::NormAdd { epsilon, limits } => {
                let [x, gamma, beta, shortcut] = exactly(inputs);
                let (y, norm) = residual::forward([x, gamma, beta], &shortcut, epsilon, limits);
                (with_statistics(y.clone(), &norm), Saved::NormAdd { norm, limits, y })
            }
            Operation::NormMeanPool { epsilon, curve } => {
                let norm = BatchNorm::measure(exactly(inputs), epsilon, curve);
                let y = mean_pool::forward(&norm);
                (with_statistics(y, &norm), Saved::NormMeanPool(norm))
            }
            Operation::Shift { limits } => {
                let [x, shift] = exactly(inputs);
                let y = shift::forward(x, &shift, limits);
                (vec![y.clone()], Saved::Shift { y, limits })
            }
            Operation::MaxPool(window) => {
                let [x] = exactly(inputs);
                let (y, taps) = pool::forward(&x, window);
                (vec![y], Saved::MaxPool { taps: Arc::new(taps), window })
            }
            Operation::ShiftMaxPool { limits, window } => {
                let [x, shift] = exactly(inputs);
                let (y, taps) = pool::forward(&shift::forward(x, &shift, limits), window);
                let taps = Arc::new(taps);
                (vec![y.clone()], Saved::ShiftMaxPool { y, limits, taps, window })
            }
            Operation::FilmMean => {
                let [x] = exactly(inputs);
                let [batch, channels, ..] = dims::<4>(&x);
                let mean = Flex::adaptive_avg_pool2d(x.clone(), [1, 1]);
                (vec![Flex::float_reshape(mean, [batch, channels].into())], Saved::FilmMean { x })
            }
            Operation::DenseLayer(algorithms) => {
                let [x, gamma_1, beta_1, weight_1, gamma_2, beta_2, weight_2] = exactly(inputs);
                let parts = [[gamma_1, beta_1, weight_1], [gamma_2, beta_2, weight_2]];
                let (y, saved) = DenseLayer::forward(x, parts, algorithms);
                let outputs = std::iter::once(y).chain(saved.statistics()).collect();
                (outputs, Saved::DenseLayer(Box::new(saved)))
            }
            Operation::ChannelNorm { .. } | Operation::ShiftGelu | Operation::ScaledAdd => {
                unreachable!("{operation:?} is computed in plain Burn")
            }
        }
    }

    fn backward(saved: Saved, gradient: FlexTensor, wanted: &[bool]) -> Vec<Option<FlexTensor>> {
        let mut gradient = contiguous(gradient);
        match saved {
            Saved::Convolve { x, weight, algorithm } => {
                let dw = || algorithm.weight_gradient(&gradient, &x, None, dims(&weight));
                let dw = wanted[1].then(dw);
                let dx = || algorithm.x_gradient(&gradient, &weight, dims(&x));
                vec![wanted[0].then(dx), dw]
            }
            Saved::NormConvolve(saved) => {
                let dw = wanted[3].then(|| saved.weight_gradient(&gradient));
                let before = if wanted[..3].contains(&true) {
                    saved.norm_gradients(gradient).map(Some)
                } else {
                    [None, None, None]
                };
                before.into_iter().chain([dw]).collect()
            }
            Saved::Norm(norm) => some(norm.backward(gradient)),
            Saved::NormAdd { norm, limits, y } => {
                some(residual::backward(&norm, limits, &y, gradient))
            }
            Saved::NormMeanPool(norm) => {
                let inner = mean_pool::backward(&gradient, dims(&norm.x));
                some(norm.backward(inner))
            }
            Saved::Shift { y, limits } => {
                let shift = shift::backward(&mut gradient, &y, limits);
                some([gradient, shift])
            }
            Saved::MaxPool { taps, window } => some([pool::backward(&gradient, &taps, window)]),
            Saved::ShiftMaxPool { y, limits, taps, window } => {
                // The greatest value is clamped where the output is.
                let shift = shift::backward(&mut gradient, &y, limits);
                let dx = wanted[0].then(|| pool::backward(&gradient, &taps, window));
                vec![dx, Some(shift)]
            }
            Saved::FilmMean { x } => {
                let [batch, channels, ..] = dims::<4>(&x);
                let gradient = Flex::float_reshape(gradient, [batch, channels, 1, 1].into());
                some([Flex::adaptive_avg_pool2d_backward(x, gradient)])
            }
            Saved::DenseLayer(saved) => some(saved.backward(&gradient)),
        }
    }
}

impl Infer for Flex {
    fn scale_activate(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        curve: Curve,
    ) -> FlexTensor {
        let [x, scale, shift] = [x, scale, shift].map(contiguous);
        norm::scale_activate(x, &scale, &shift, curve)
    }

    fn scale_convolve(
        x: FlexTensor,
        scale: FlexTensor,
        shift: FlexTensor,
        weight: FlexTensor,
        curve: Curve,
        algorithm: Algorithm,
    ) -> FlexTensor {
        let [x, scale, shift, weight] = [x, scale, shift, weight].map(contiguous);
        let pairs = values(&scale).iter().zip(values(&shift));
        let channels = pairs.map(|(&scale, &shift)| Affine { mean: 0.0, scale, shift }).collect();
        algorithm.forward(&x, Some(&ChannelAffine { channels, curve }), &weight)
    }

    fn adam(
        parameter: FlexTensor,
        mean: FlexTensor,
        square: FlexTensor,
        gradient: FlexTensor,
        step: AdamStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        adam::step([parameter, mean, square], gradient, step)
    }
}

fn with_statistics(y: FlexTensor, norm: &BatchNorm) -> Vec<FlexTensor> {
    let [mean, variance] = norm.statistics.clone();
    vec![y, mean, variance]
}

fn some<const N: usize>(found: [FlexTensor; N]) -> Vec<Option<FlexTensor>> {
    found.into_iter().map(Some).collect()
}

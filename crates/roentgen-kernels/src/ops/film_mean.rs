//! Global average pooling.

use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{DType, FloatDType, Tensor};

use crate::operation::Operation;
use crate::place::{self, Place};
use crate::tape;

/// Takes the mean of each channel over the film, in single precision.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - output: `[batch, channels]`
pub fn film_mean(x: Tensor<4>) -> Tensor<2> {
    if place::takes([Place::of_activation(&x)]) {
        let [y] = tape::run(Operation::FilmMean, [x.into_dispatch()]);
        return Tensor::from_dispatch(y);
    }
    // Adaptive pooling and not `mean_dim`: the ONNX exporter lowers only the first.
    let mean: Tensor<2> = adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3);
    match mean.dtype() {
        DType::BF16 | DType::F16 => mean.cast(FloatDType::F32),
        _ => mean,
    }
}

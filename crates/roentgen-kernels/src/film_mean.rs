//! The mean of each channel over a film.

use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{DType, FloatDType, Tensor};

#[cfg(feature = "cuda")]
use crate::cuda;

/// Takes the mean of each channel over the film, in single precision.
///
/// # Shapes
///
/// - `x`: `[batch, channels, height, width]`
/// - output: `[batch, channels]`
pub fn film_mean(x: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) {
        return cuda::run_1(x, cuda::Operation::FilmMean);
    }
    // Adaptive pooling and not `mean_dim`: the ONNX exporter lowers the one and not the other.
    let mean: Tensor<2> = adaptive_avg_pool2d(x, [1, 1]).flatten(1, 3);
    match mean.dtype() {
        DType::BF16 | DType::F16 => mean.cast(FloatDType::F32),
        _ => mean,
    }
}

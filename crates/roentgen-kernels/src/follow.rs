//! Running statistics.

use burn::tensor::Tensor;

#[cfg(feature = "cuda")]
use crate::cuda;

/// Moves a running statistic towards that of a batch: `running * (1 - momentum) + batch * momentum`, without gradients.
///
/// # Shapes
///
/// - all: `[channels]`
pub fn follow(running: Tensor<1>, batch: Tensor<1>, momentum: f64) -> Tensor<1> {
    let (running, batch) = (running.without_autodiff(), batch.without_autodiff());
    #[cfg(feature = "cuda")]
    if cuda::takes_weight(&running) && cuda::takes_weight(&batch) {
        return cuda::follow(running, batch, momentum);
    }
    running * (1.0 - momentum) + batch * momentum
}

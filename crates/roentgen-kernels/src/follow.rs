//! Running statistics.

use burn::tensor::Tensor;

#[cfg(feature = "cuda")]
use crate::cuda;

/// Moves a running mean and variance towards those of a batch: `running * (1 - momentum) + batch * momentum`.
///
/// On an NVIDIA GPU they are written where they lie, whoever holds them, and nothing is returned: two tensors for each norm
/// and step would cost more than the norm.
///
/// # Shapes
///
/// - all: `[channels]`
pub fn follow(
    running: [Tensor<1>; 2],
    batch: [Tensor<1>; 2],
    momentum: f64,
) -> Option<[Tensor<1>; 2]> {
    #[cfg(feature = "cuda")]
    if running.iter().chain(&batch).all(cuda::takes_weight) {
        let [running, batch] = [running, batch].map(|pair| pair.map(Tensor::without_autodiff));
        cuda::follow(running, batch, momentum);
        return None;
    }
    let mut batches = batch.into_iter();
    Some(running.map(|running| {
        let batch = batches.next().expect("two of both");
        let kept = running.to_device(&batch.device()) * (1.0 - momentum);
        (kept + batch * momentum).detach()
    }))
}

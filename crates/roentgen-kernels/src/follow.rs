//! Running statistics: moved while training, folded into a line in inference.

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

/// Folds a norm by its running statistics into one scale and one shift a channel, those of
/// [`scale_activate`](crate::scale_activate).
///
/// # Shapes
///
/// - all: `[channels]`
pub fn fold(
    [gamma, beta]: [Tensor<1>; 2],
    [mean, variance]: [Tensor<1>; 2],
    epsilon: f64,
) -> [Tensor<1>; 2] {
    #[cfg(feature = "cuda")]
    if [&gamma, &beta, &mean, &variance]
        .into_iter()
        .all(|tensor| cuda::takes_weight(tensor) && !tensor.device().is_autodiff())
    {
        return cuda::fold([gamma, beta], [mean, variance], epsilon);
    }
    let scale = gamma / (variance + epsilon).sqrt();
    let shift = beta - mean * scale.clone();
    [scale, shift]
}

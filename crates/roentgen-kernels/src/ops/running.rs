//! Running statistics of a norm: updated in training, folded into an affine for inference.

use burn::tensor::Tensor;

#[cfg(feature = "cuda")]
use crate::cuda;
#[cfg(feature = "cuda")]
use crate::place::{self, Place};

/// Moves a running mean and variance towards those of a batch:
/// `running * (1 - momentum) + batch * momentum`.
///
/// Returns none on an NVIDIA GPU, where the running statistics are updated in place, in every tensor
/// that shares their memory: two new tensors for each norm and step would cost more than the norm.
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
    if running.iter().chain(&batch).all(|tensor| Place::of_weight(tensor) == Some(Place::Cuda)) {
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

/// Folds a norm with its running statistics into the scale and shift of each channel that
/// [`scale_activate`](crate::scale_activate) takes.
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
    {
        let places = [&gamma, &beta, &mean, &variance].map(Place::of_constant);
        if places[0] == Some(Place::Cuda) && place::takes(places) {
            return cuda::fold([gamma, beta], [mean, variance], epsilon);
        }
    }
    let scale = gamma / (variance + epsilon).sqrt();
    let shift = beta - mean * scale.clone();
    [scale, shift]
}

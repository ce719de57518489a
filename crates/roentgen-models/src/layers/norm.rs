//! Batch norm and the activation behind it, in one pass over the values on the CPU.
//!
//! Burn's own layer holds parameters and running statistics. A frozen norm (its training flag off)
//! uses the running statistics while the rest of the network trains, as Keras' `trainable = False`
//! does.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;
use roentgen_kernels::{norm_cut, scale_cut};

use super::Activation;

/// Applies a batch norm, then an activation.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
pub fn normalize(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let is_training = x.device().is_autodiff() && norm.training.is_enabled();
    let x =
        if is_training { by_batch(norm, x, activation) } else { by_running(norm, x, activation) };
    activation.rest(x)
}

/// Normalizes by the batch and moves the running statistics towards it, as Burn's own layer does.
fn by_batch(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    let (y, mean, variance) = norm_cut(x, gamma, beta, norm.epsilon, activation.cut());
    for (running, batch) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let kept = running.value_sync().to_device(&batch.device()) * (1.0 - norm.momentum);
        running.update((kept + batch * norm.momentum).detach());
    }
    y
}

/// Normalizes by the running statistics, folded into one scale and one shift a channel.
fn by_running(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let device = x.device();
    let variance = norm.running_var.value().to_device(&device);
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let mean = norm.running_mean.value().to_device(&device);
    let shift = norm.beta.val() - mean * scale.clone();
    scale_cut(x, scale, shift, activation.cut())
}

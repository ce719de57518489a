//! Batch norm and the activation after it, in one pass over the values on the CPU.
//!
//! Burn's own layer contains the parameters and running statistics. A frozen norm (its training
//! flag off) uses the running statistics while the rest of the network is trained, as with Keras'
//! `trainable = False`.

use burn::nn::BatchNorm;
use burn::tensor::{Device, Tensor};
use roentgen_kernels::{norm_activate, scale_activate};

use super::Activation;

/// Applies a batch norm, then an activation.
///
/// # Shapes
///
/// - `x`, output: `[batch, channels, height, width]`
pub(crate) fn normalize(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    if normalizes_by_batch(norm, &x) {
        return by_batch(norm, x, activation);
    }
    let [scale, shift] = fold(norm, &x.device());
    scale_activate(x, scale, shift, activation)
}

/// Whether the norm uses the statistics of the batch.
pub(crate) fn normalizes_by_batch(norm: &BatchNorm, x: &Tensor<4>) -> bool {
    x.device().is_autodiff() && norm.training.is_enabled()
}

/// Normalizes by batch statistics and updates the running statistics, as Burn's own layer does.
fn by_batch(norm: &BatchNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
    let (y, mean, variance) = norm_activate(x, gamma, beta, norm.epsilon, activation);
    follow(norm, mean, variance);
    y
}

/// Updates the running statistics towards those of a batch.
///
/// # Shapes
///
/// - `mean`, `variance`: `[channels]`
pub(crate) fn follow(norm: &BatchNorm, mean: Tensor<1>, variance: Tensor<1>) {
    let running = [&norm.running_mean, &norm.running_var];
    let values = running.map(|running| running.value_sync());
    let moved = roentgen_kernels::follow(values, [mean, variance], norm.momentum);
    for (running, moved) in running.into_iter().zip(moved.into_iter().flatten()) {
        running.update(moved);
    }
}

/// Folds the running statistics into one scale and one shift per channel.
pub(super) fn fold(norm: &BatchNorm, device: &Device) -> [Tensor<1>; 2] {
    let running = [&norm.running_mean, &norm.running_var];
    let running = running.map(|running| running.value().to_device(device));
    roentgen_kernels::fold([norm.gamma.val(), norm.beta.val()], running, norm.epsilon)
}

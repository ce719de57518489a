//! The [Gaussian error linear unit][paper], `x / 2 * (1 + erf(x / sqrt(2)))`.
//!
//! [paper]: https://arxiv.org/abs/1606.08415

use std::f64::consts::FRAC_1_SQRT_2;

use burn::backend::DispatchDevice;
use burn::tensor::Tensor;
use roentgen_kernels::{Activation, shift_activate};

/// Adds to each channel, then applies the unit.
///
/// burn-onnx exports no error function. On the device that records a network for it, a hyperbolic
/// tangent, which no network uses otherwise, takes the place of the error function; roentgen-onnx
/// puts the error function back.
pub(crate) fn shift_gelu(x: Tensor<4>, shift: Tensor<1>) -> Tensor<4> {
    if matches!(x.device().as_dispatch(), DispatchDevice::Capture(_)) {
        let x = shift_activate(x, shift, Activation::Linear);
        return x.clone() * ((x * FRAC_1_SQRT_2).tanh() + 1.0) * 0.5;
    }
    roentgen_kernels::shift_gelu(x, shift)
}

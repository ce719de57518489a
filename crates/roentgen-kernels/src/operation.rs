//! The differentiable operations of this crate.

use crate::activation::Curve;
use crate::algorithm::Algorithm;
use crate::geometry::WindowGeometry;

/// An operation, with everything that its input tensors do not say.
///
/// Inputs are in the order of the public functions in [`ops`](crate::ops). Only the first output is
/// differentiable; the others are statistics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// `x`, weight.
    Convolve(Algorithm),
    /// `x`, gamma, beta, weight; returns the output, mean and variance.
    NormConvolve { epsilon: f64, curve: Curve, algorithm: Algorithm },
    /// `x`, gamma, beta; returns the output, mean and variance.
    Norm { epsilon: f64, curve: Curve },
    /// `x`, gamma, beta, shortcut; returns the output, mean and variance.
    NormAdd { epsilon: f64, limits: [f32; 2] },
    /// `x`, gamma, beta; returns the output, mean and variance.
    NormMeanPool { epsilon: f64, curve: Curve },
    /// `x`, shift.
    Shift { limits: [f32; 2] },
    /// `x`.
    MaxPool(WindowGeometry),
    /// `x`, shift.
    ShiftMaxPool { limits: [f32; 2], window: WindowGeometry },
    /// `x`.
    FilmMean,
    /// `x`, then gamma, beta and weight of both halves; returns the output, then mean and variance
    /// of both norms.
    DenseLayer([(Algorithm, f64); 2]),
    /// `x`, gamma, beta. On the CPU this and the two below are computed in plain Burn.
    ChannelNorm { epsilon: f64 },
    /// `x`, shift.
    ShiftGelu,
    /// `x`, inner, scale and, in training with stochastic depth, a factor for each film.
    ScaledAdd,
}

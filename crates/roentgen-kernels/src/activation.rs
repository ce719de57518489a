//! The activation after a normalization.

/// The function that is applied after a normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Values do not change.
    Linear,
    /// Values below zero become zero.
    Relu,
    /// Values below zero become zero, and values above six become six.
    Relu6,
    /// `x` is multiplied by its sigmoid, as in EfficientNet.
    Silu,
}

/// An activation in the form that the loops use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Curve {
    /// Clamps to the first and the second value.
    Clamp([f32; 2]),
    Silu,
}

impl Activation {
    pub(crate) fn curve(self) -> Curve {
        match self {
            Activation::Linear => Curve::Clamp([f32::NEG_INFINITY, f32::INFINITY]),
            Activation::Relu => Curve::Clamp([0.0, f32::INFINITY]),
            Activation::Relu6 => Curve::Clamp([0.0, 6.0]),
            Activation::Silu => Curve::Silu,
        }
    }

    /// Returns the values it clamps to, or `None` for an activation whose slope does not follow from
    /// its value.
    pub(crate) fn limits(self) -> Option<[f32; 2]> {
        match self.curve() {
            Curve::Clamp(limits) => Some(limits),
            Curve::Silu => None,
        }
    }
}

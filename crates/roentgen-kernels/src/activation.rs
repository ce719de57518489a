//! The activation behind a normalization.

/// The function behind a normalization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Linear,
    /// Values below zero become zero.
    Relu,
    /// And those above six, six.
    Relu6,
    /// `x` times its sigmoid, EfficientNet's.
    Silu,
}

/// An activation as the loops take it.
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

    /// The values it clamps to; none for an activation whose slope does not follow from its value.
    pub(crate) fn limits(self) -> Option<[f32; 2]> {
        match self.curve() {
            Curve::Clamp(limits) => Some(limits),
            Curve::Silu => None,
        }
    }
}

//! What follows a normalization.

use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use roentgen_kernels::Cut;

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

impl Activation {
    /// Whether a normalization does all of it.
    pub(super) fn is_cut(self) -> bool {
        match self {
            Activation::Linear | Activation::Relu | Activation::Relu6 => true,
            Activation::Silu => false,
        }
    }

    /// The part that a normalization does in the same pass.
    pub(super) fn cut(self) -> Cut {
        match self {
            Activation::Linear | Activation::Silu => Cut::None,
            Activation::Relu => Cut::Relu,
            Activation::Relu6 => Cut::Relu6,
        }
    }

    /// The part that is left.
    pub(super) fn rest(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Activation::Linear | Activation::Relu | Activation::Relu6 => x,
            Activation::Silu => silu(x),
        }
    }
}

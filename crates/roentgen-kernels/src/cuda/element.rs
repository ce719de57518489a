//! What an activation is stored as.

use burn::tensor::DType;

/// What an activation is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    F32,
    Bf16,
    F16,
}

impl Element {
    /// The element of a tensor; none where kernels have no form for it.
    pub(crate) fn of(dtype: DType) -> Option<Self> {
        match dtype {
            DType::F32 => Some(Element::F32),
            DType::BF16 => Some(Element::Bf16),
            DType::F16 => Some(Element::F16),
            _ => None,
        }
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::F32 => 4,
            Element::Bf16 | Element::F16 => 2,
        }
    }

    pub(crate) fn dtype(self) -> DType {
        match self {
            Element::F32 => DType::F32,
            Element::Bf16 => DType::BF16,
            Element::F16 => DType::F16,
        }
    }
}

//! What activations are computed in.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// What the activations of a backbone, and their gradients, are stored in. Weights, statistics, the head and the loss are in
/// single precision whichever it is, and so are all sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision; products are not shortened to TF32.
    #[default]
    F32,
    /// Sixteen bits with the range of single precision: 8 digits in binary.
    Bf16,
}

impl Precision {
    /// Films as the backbone takes them: the layers keep to the type of what they are given.
    ///
    /// # Shapes
    ///
    /// - `films`, output: `[batch, channels, height, width]`
    pub fn films(self, films: Tensor<4>) -> Tensor<4> {
        match self {
            Precision::F32 => films,
            Precision::Bf16 => films.cast(FloatDType::BF16),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Precision::F32),
            "bf16" => Ok(Precision::Bf16),
            _ => Err("give f32 or bf16".to_owned()),
        }
    }
}

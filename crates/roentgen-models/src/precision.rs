//! Precision of activations.

use std::fmt;
use std::str::FromStr;

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// Storage type of a backbone's activations and their gradients. Weights, statistics, the head, the
/// loss and all sums are always in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision; products are not shortened to TF32.
    #[default]
    F32,
    /// Sixteen bits with the range of single precision and 8 binary digits.
    Bf16,
}

impl Precision {
    /// Casts films to the type of the backbone's input; layers keep the type of their input.
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
            _ => Err("must be f32 or bf16".to_owned()),
        }
    }
}

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
    /// Sixteen bits with 11 binary digits and a range from 2^-24 to 65504. Gradients are often
    /// smaller, so the loss must be scaled up before the backward pass.
    F16,
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
            Precision::F16 => films.cast(FloatDType::F16),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::F16 => "f16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Precision::F32),
            "bf16" => Ok(Precision::Bf16),
            "f16" => Ok(Precision::F16),
            _ => Err("must be f32, bf16 or f16".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_are_read_as_they_are_written_and_others_are_refused() {
        for precision in [Precision::F32, Precision::Bf16, Precision::F16] {
            let text = precision.to_string();

            assert_eq!(text.parse(), Ok(precision));
            assert_eq!(serde_json::to_value(precision).unwrap(), text);
        }
        let refused = "f64".parse::<Precision>();
        assert_eq!(refused, Err("must be f32, bf16 or f16".to_owned()));
    }
}

//! How probabilities are calibrated.

use serde::{Deserialize, Serialize};

/// How probabilities are calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalibrationMethod {
    /// [Platt scaling](super::Platt).
    Platt,
    /// A temperature.
    Temperature,
    /// [Isotonic regression](super::Isotonic).
    Isotonic,
}

impl CalibrationMethod {
    /// All methods.
    pub const ALL: [Self; 3] = [Self::Platt, Self::Temperature, Self::Isotonic];

    /// Returns its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Platt => "platt",
            Self::Temperature => "temperature",
            Self::Isotonic => "isotonic",
        }
    }
}

/// Whether the table of points of an isotonic regression is fitted and stored too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithIsotonic {
    /// Fit it and store it.
    Yes,
    /// Leave it out.
    No,
}

//! The functions that a file names for its values: lookup tables, rescaling, windows (PS3.3 C.11).

use serde::Serialize;

/// Stored values to the values of the modality.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Modality {
    /// A lookup table of the file.
    Lut(Lut),
    /// `value * slope + intercept`.
    Rescale {
        /// The factor, not zero.
        slope: f64,
        /// The value of the stored value zero.
        intercept: f64,
    },
}

/// Values of the modality to shares of white.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "function", rename_all = "kebab-case")]
pub enum Voi {
    /// A lookup table of the file.
    Lut(Lut),
    /// A window.
    Window {
        /// Its function.
        window: Window,
        /// The value that is shown half white.
        center: f64,
        /// The values from black to white.
        width: f64,
    },
    /// The whole range of the stored bits.
    None,
}

/// The function of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// `(value - (center - 0.5)) / (width - 1) + 0.5`.
    Linear,
    /// `(value - center) / width + 0.5`.
    LinearExact,
    /// `1 / (1 + exp(-4 (value - center) / width))`.
    Sigmoid,
}

/// A lookup table. Values before its first are as the first, values after its last as the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lut {
    /// The value of the first entry.
    pub first: i32,
    /// At least one entry.
    pub entries: Vec<u16>,
    /// Bits of each entry, 8 to 16.
    pub bits: u32,
}

impl Lut {
    pub(super) fn entry(&self, value: f64) -> f64 {
        let last = self.entries.len().saturating_sub(1);
        let place = (value - f64::from(self.first)).clamp(0.0, last as f64);
        f64::from(self.entries[place as usize])
    }

    /// The largest entry that its bits allow.
    pub(super) fn largest_entry(&self) -> f64 {
        f64::from((1_u32 << self.bits) - 1)
    }
}

impl Modality {
    pub(super) fn apply(&self, stored: i32) -> f64 {
        match self {
            Modality::Lut(lut) => lut.entry(stored.into()),
            Modality::Rescale { slope, intercept } => f64::from(stored) * slope + intercept,
        }
    }

    /// Returns the lowest and the highest value that `range` of stored values can become.
    pub(super) fn range(&self, range: [i32; 2]) -> [f64; 2] {
        match self {
            Modality::Lut(lut) => [0.0, lut.largest_entry()],
            Modality::Rescale { .. } => {
                let [a, b] = range.map(|stored| self.apply(stored));
                [a.min(b), a.max(b)]
            }
        }
    }
}

impl Window {
    /// Returns the share of white of a value.
    pub(super) fn apply(self, value: f64, center: f64, width: f64) -> f64 {
        let linear = |center: f64, width: f64| {
            if value <= center - width / 2.0 {
                0.0
            } else if value > center + width / 2.0 {
                1.0
            } else {
                (value - center) / width + 0.5
            }
        };
        match self {
            Window::Linear => linear(center - 0.5, width - 1.0),
            Window::LinearExact => linear(center, width),
            Window::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
        }
    }
}

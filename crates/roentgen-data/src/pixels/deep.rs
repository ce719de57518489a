//! A film at the depth of its file, and how its samples become gray.
//!
//! A viewer needs more than the 8-bit gray that a network gets: the values before the window, what the
//! window is at first, and the size of a pixel. Both come from the same decoders, so that the first
//! look of a film in a viewer is what the network gets.

use serde::Serialize;

use super::Plane;
use super::lut::{Modality, Voi, Window};

/// A film at the depth of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct DeepFilm {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `height * width` samples in row-major order, each the stored value less [`AboutFilm::lowest`].
    pub samples: Vec<u16>,
    /// What the samples mean.
    pub about: AboutFilm,
}

/// What the samples of a film mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AboutFilm {
    /// Whether the file is in DICOM.
    #[serde(rename = "dicom")]
    pub is_dicom: bool,
    /// Bits of a sample, 1 to 16.
    pub bits: u32,
    /// The stored value of the sample zero.
    pub lowest: i32,
    /// From stored values to values of the modality.
    pub modality: Modality,
    /// From values of the modality to shares of white at first; not [`Voi::None`].
    pub voi: Voi,
    /// Whether the lowest value is shown white.
    #[serde(rename = "inverted")]
    pub is_inverted: bool,
    /// Stored values that are not part of the picture, from the first to the last.
    pub padding: Option<[i32; 2]>,
    /// The distance of pixels, if the file says it.
    pub spacing: Option<Spacing>,
    /// Patient ID (0010,0020).
    pub patient: Option<String>,
    /// Study Date (0008,0020), as year, month and day without separators.
    pub study_date: Option<String>,
}

/// The distance of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spacing {
    /// Between the centers of rows and between those of columns.
    pub millimeters: [f64; 2],
    /// Where the distance is measured.
    pub measured_at: MeasuredAt,
}

/// Where a distance on a film is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeasuredAt {
    /// At the detector, where everything is larger than in the patient.
    Detector,
    /// In the patient, by a calibration.
    Patient,
    /// The file does not say.
    Unknown,
}

impl AboutFilm {
    /// Describes samples of `bits` bits, of which 0 is black and the largest is white.
    pub(super) fn of_bits(bits: u32) -> Self {
        let top = f64::from((1_u32 << bits) - 1);
        Self {
            is_dicom: false,
            bits,
            lowest: 0,
            modality: Modality::Rescale { slope: 1.0, intercept: 0.0 },
            voi: Voi::Window { window: Window::LinearExact, center: top / 2.0, width: top },
            is_inverted: false,
            padding: None,
            spacing: None,
            patient: None,
            study_date: None,
        }
    }
}

impl From<Plane> for DeepFilm {
    /// Takes 8-bit gray as it is.
    fn from(Plane { width, height, pixels }: Plane) -> Self {
        let samples = pixels.into_iter().map(u16::from).collect();
        Self { width, height, samples, about: AboutFilm::of_bits(8) }
    }
}

impl DeepFilm {
    /// Makes the film smaller by a whole number, so that no edge is longer than `edge`. Each sample is
    /// the mean of those that it replaces; the distance of pixels remains that of the file.
    pub fn shrunk(self, edge: u32) -> Self {
        let factor = self.width.max(self.height).div_ceil(edge.max(1)).max(1);
        if factor == 1 {
            return self;
        }
        let [width, height] = [self.width, self.height].map(|size| size.div_ceil(factor));
        let mut samples = Vec::with_capacity(width as usize * height as usize);
        for row in 0..height {
            for column in 0..width {
                samples.push(self.mean([row, column].map(|start| start * factor), factor));
            }
        }
        Self { width, height, samples, about: self.about }
    }

    fn mean(&self, [top, left]: [u32; 2], factor: u32) -> u16 {
        let rows = top..(top + factor).min(self.height);
        let columns = left as usize..(left + factor).min(self.width) as usize;
        let count = (rows.len() * columns.len()) as u64;
        let of_row = |row: u32| {
            let start = row as usize * self.width as usize;
            self.samples[start + columns.start..start + columns.end].iter()
        };
        let sum: u64 = rows.flat_map(of_row).map(|&sample| u64::from(sample)).sum();
        ((sum + count / 2) / count) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_is_shrunk_to_means_and_keeps_its_last_rows() {
        let samples = vec![0, 2, 10, 65_535, 2, 4, 10, 65_535, 7, 8, 9, 1];
        let film = || DeepFilm {
            width: 4,
            height: 3,
            samples: samples.clone(),
            about: AboutFilm::of_bits(16),
        };

        let small = film().shrunk(2);
        assert_eq!((small.width, small.height), (2, 2));
        assert_eq!(small.samples, [2, 32_773, 8, 5]);
        assert_eq!(film().shrunk(4), film());
        assert_eq!(film().shrunk(0).samples.len(), 1);
    }
}

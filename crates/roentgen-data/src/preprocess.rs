//! Turns planes into network input: channels and normalization. No other code of the project does.
//!
//! Training, prediction and serving all call it: most "every answer is 0.5" reports in this field
//! come down to two preprocessings that differ.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// ImageNet's means of red, green and blue, on a scale of 0..1.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// ImageNet's standard deviations of red, green and blue, on a scale of 0..1.
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// How gray values become network input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Mean 0 and standard deviation 1 within each film, as in the 2019 study. A film with a single
    /// gray value becomes zeros.
    PerImage,
    /// ImageNet's channel means and deviations; a single channel uses the mean of the three.
    Imagenet,
    /// Maps 0..255 to -1..1, as Keras does for MobileNet.
    MinusOneToOne,
    /// Maps 0..255 to -1024..1024, as torchxrayvision does.
    #[serde(rename = "minus-1024-to-1024")]
    Minus1024To1024,
}

/// A name that no normalization has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown normalization `{0}`; it must be per-image, imagenet, minus-one-to-one or \
     minus-1024-to-1024"
)]
pub struct UnknownNormalize(pub String);

impl Normalize {
    /// All normalizations.
    pub const ALL: [Normalize; 4] = [
        Normalize::PerImage,
        Normalize::Imagenet,
        Normalize::MinusOneToOne,
        Normalize::Minus1024To1024,
    ];

    /// Returns the name used in experiments and in `model.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Normalize::PerImage => "per-image",
            Normalize::Imagenet => "imagenet",
            Normalize::MinusOneToOne => "minus-one-to-one",
            Normalize::Minus1024To1024 => "minus-1024-to-1024",
        }
    }
}

impl FromStr for Normalize {
    type Err = UnknownNormalize;

    fn from_str(name: &str) -> Result<Self, UnknownNormalize> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| UnknownNormalize(name.to_owned()))
    }
}

/// Shape and scaling of a network's input: `[channels, size, size]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Height and width in pixels.
    pub size: usize,
    /// 1 for gray, 3 to repeat the gray channel.
    pub channels: usize,
    /// How gray values are scaled.
    pub normalize: Normalize,
}

impl Input {
    /// Returns the number of values in one film's input.
    pub fn len(&self) -> usize {
        self.channels * self.size * self.size
    }

    /// Whether an input has no values, which no valid input has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a film's input, `[channels, size, size]`, to `batch`.
    ///
    /// # Panics
    ///
    /// Panics if `plane` does not have `size * size` values.
    pub fn append(&self, plane: &[u8], batch: &mut Vec<f32>) {
        assert_eq!(
            plane.len(),
            self.size * self.size,
            "the plane must have the network's input size"
        );
        for [mean, scale] in self.means_and_scales(plane) {
            batch.extend(plane.iter().map(|&value| (f32::from(value) - mean) * scale));
        }
    }

    /// Returns the input of several films: `[films, channels, size, size]`.
    ///
    /// # Panics
    ///
    /// Panics if a plane does not have `size * size` values.
    pub fn batch(&self, planes: &[&[u8]]) -> Vec<f32> {
        let mut batch = Vec::with_capacity(planes.len() * self.len());
        planes.iter().for_each(|plane| self.append(plane, &mut batch));
        batch
    }

    /// Returns the value to subtract from the gray values of a channel, on 0..255, and the value to
    /// divide by afterwards; `None` if each film has its own.
    pub fn fixed_mean_and_std(&self, channel: usize) -> Option<(f32, f32)> {
        match self.normalize {
            Normalize::PerImage => None,
            Normalize::Imagenet => {
                let of = |table: [f32; 3]| match self.channels {
                    1 => table.iter().sum::<f32>() / 3.0,
                    _ => table[channel % 3],
                };
                Some((255.0 * of(IMAGENET_MEAN), 255.0 * of(IMAGENET_STD)))
            }
            Normalize::MinusOneToOne => Some((127.5, 127.5)),
            Normalize::Minus1024To1024 => Some((127.5, 127.5 / 1024.0)),
        }
    }

    /// Returns, for each channel, the value to subtract from a film's gray values, on 0..255, and
    /// the factor to multiply by afterwards.
    pub fn means_and_scales(&self, plane: &[u8]) -> Vec<[f32; 2]> {
        if self.normalize == Normalize::PerImage {
            let (mean, std) = mean_and_std(plane);
            return vec![[mean as f32, (1.0 / (std + 1e-6)) as f32]; self.channels];
        }
        let fixed = |channel| self.fixed_mean_and_std(channel).map(|(mean, std)| [mean, 1.0 / std]);
        (0..self.channels).filter_map(fixed).collect()
    }
}

/// Computes mean and population standard deviation of a plane exactly, by integer sums.
fn mean_and_std(plane: &[u8]) -> (f64, f64) {
    let count = plane.len() as f64;
    let (mut sum, mut squares) = (0_u64, 0_u64);
    // The largest part whose sum of squares fits 32 bits.
    for part in plane.chunks(1 << 16) {
        sum += u64::from(part.iter().map(|&value| u32::from(value)).sum::<u32>());
        squares += u64::from(part.iter().map(|&value| u32::from(value).pow(2)).sum::<u32>());
    }
    let mean = sum as f64 / count;
    (mean, (squares as f64 / count - mean * mean).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(channels: usize, normalize: Normalize) -> Vec<f32> {
        let mut batch = Vec::new();
        Input { size: 2, channels, normalize }.append(&[0, 51, 204, 255], &mut batch);
        batch
    }

    #[test]
    fn per_image_has_mean_zero_and_deviation_one() {
        let batch = input(1, Normalize::PerImage);

        assert!(batch.iter().sum::<f32>().abs() < 1e-6);
        assert!((batch.iter().map(|x| x * x).sum::<f32>() / 4.0 - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        assert_eq!(mean_and_std(&[255; (1 << 16) + 1]), (255.0, 0.0));
    }

    #[test]
    fn minus_one_to_one_reaches_both_ends_in_each_channel() {
        let batch = input(3, Normalize::MinusOneToOne);

        assert_eq!(batch.len(), 12);
        assert_eq!([batch[0], batch[3], batch[8], batch[11]], [-1.0, 1.0, -1.0, 1.0]);
    }

    #[test]
    fn minus_1024_to_1024_is_torchxrayvisions() {
        let batch = input(1, Normalize::Minus1024To1024);

        // (2 * (gray / 255) - 1) * 1024
        for (value, expected) in batch.into_iter().zip([-1024.0, -614.4, 614.4, 1024.0]) {
            assert!((value - expected).abs() < 1e-3, "{value}");
        }
    }

    #[test]
    fn every_name_is_the_one_in_files() {
        for normalize in Normalize::ALL {
            let written = toml::Value::try_from(normalize).unwrap();

            assert_eq!(written.as_str(), Some(normalize.name()));
            assert_eq!(normalize.name().parse(), Ok(normalize));
        }
        assert!("zscore".parse::<Normalize>().is_err());
    }

    #[test]
    fn imagenet_differs_by_channel() {
        let batch = input(3, Normalize::Imagenet);

        assert!((batch[3] - (1.0 - 0.485) / 0.229).abs() < 1e-5);
        assert!((batch[11] - (1.0 - 0.406) / 0.225).abs() < 1e-5);
    }

    #[test]
    fn a_film_of_one_gray_value_becomes_zeros() {
        let mut batch = Vec::new();
        Input { size: 2, channels: 1, normalize: Normalize::PerImage }.append(&[9; 4], &mut batch);

        assert_eq!(batch, [0.0; 4]);
    }
}

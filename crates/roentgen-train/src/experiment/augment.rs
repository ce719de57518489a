//! The 2019 study's augmentation, as one affine map per film, computed on the tensor's own device.
//!
//! Ranges and order are those of Keras' `ImageDataGenerator`: rotation, shift, shear, zoom about
//! the center, then a flip. Its `shear` is an *angle in degrees*, so the study's 0.1 has almost no
//! effect. Reflection is about the outer edge of the last pixel (`cba|abc|cba`), which is
//! `align_corners = false`. Film `i` of epoch `e` has its own random stream, so batch size and
//! order change nothing. Each film is normalized before it is moved, and not again afterwards.

use burn::tensor::ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::invalid::Invalid;
use crate::seed::{self, Purpose};

/// `[image.augment]`; a range of zero has no effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augment {
    /// Whether to mirror half of the films left to right.
    pub flip: bool,
    /// Shift by up to this fraction of `[height, width]`, in either direction.
    pub shift: [f64; 2],
    /// Rotation by up to this many degrees, in either direction.
    pub rotate: f64,
    /// Shear by up to this many degrees, in either direction.
    pub shear: f64,
    /// Zoom by up to this fraction, in or out, independently for height and width.
    pub zoom: f64,
    /// Values beyond the edge.
    pub fill: Fill,
}

/// Values beyond the edge of a film.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// Mirrors the film, as in the 2019 study.
    #[default]
    Reflect,
    /// Repeats the edge.
    Nearest,
    /// Zero, the mean of a normalized film.
    Zero,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            flip: false,
            shift: [0.0; 2],
            rotate: 0.0,
            shear: 0.0,
            zoom: 0.0,
            fill: Fill::Reflect,
        }
    }
}

/// Maps a point of the new film to the old one, both in -1..1: two rows of x, y, 1.
type Map = [[f64; 3]; 2];

impl Augment {
    /// Augments a batch of films.
    ///
    /// # Shapes
    ///
    /// - `films`: `[batch, channels, height, width]`; `names` has a film number for each
    /// - output: the same
    pub fn apply(&self, films: Tensor<4>, names: &[usize], seed: u64, epoch: usize) -> Tensor<4> {
        let [batch, _, height, width] = films.dims();
        let maps: Vec<f32> = names
            .iter()
            .flat_map(|&name| self.map(seed, epoch, name).into_iter().flatten())
            .map(|value| value as f32)
            .collect();
        let device = films.device();
        let maps = Tensor::<3>::from_data(TensorData::new(maps, [batch, 2, 3]), &device);
        // [1, pixels, 3] x [batch, 3, 2]: the source position of each pixel.
        let grid = centres(height, width, &device).matmul(maps.swap_dims(1, 2));
        let options = GridSampleOptions {
            mode: InterpolateMode::Bilinear,
            padding_mode: match self.fill {
                Fill::Reflect => GridSamplePaddingMode::Reflection,
                Fill::Nearest => GridSamplePaddingMode::Border,
                Fill::Zero => GridSamplePaddingMode::Zeros,
            },
            align_corners: false,
        };
        films.grid_sample_2d(grid.reshape([batch, height, width, 2]), options)
    }

    /// Draws the map of one film in one epoch.
    fn map(&self, seed: u64, epoch: usize, name: usize) -> Map {
        let mut random = ChaCha8Rng::seed_from_u64(seed::derive(seed, Purpose::Augment));
        random.set_stream(((epoch as u64) << 32) | name as u64);
        let mut within = |range: f64| range * (2.0 * random.random::<f64>() - 1.0);
        let (sin, cos) = within(self.rotate).to_radians().sin_cos();
        // A film spans 2 in these coordinates, so a fraction of it is twice that fraction.
        let (down, along) = (within(2.0 * self.shift[0]), within(2.0 * self.shift[1]));
        let (shear_sin, shear_cos) = within(self.shear).to_radians().sin_cos();
        let (zoom_y, zoom_x) = (1.0 + within(self.zoom), 1.0 + within(self.zoom));
        let mirror = if self.flip && within(1.0) < 0.0 { -1.0 } else { 1.0 };

        let rotation = [[cos, -sin, 0.0], [sin, cos, 0.0]];
        let shift = [[1.0, 0.0, along], [0.0, 1.0, down]];
        let shear = [[shear_cos, 0.0, 0.0], [-shear_sin, 1.0, 0.0]];
        let zoom = [[zoom_x * mirror, 0.0, 0.0], [0.0, zoom_y, 0.0]];
        [shift, shear, zoom].into_iter().fold(rotation, compose)
    }

    /// Checks the ranges.
    ///
    /// # Errors
    ///
    /// Returns an error if a range is negative or would turn a film inside out.
    pub fn check(&self) -> Result<(), Invalid> {
        let within = |key, value: f64, most: f64| match (0.0..=most).contains(&value) {
            true => Ok(()),
            false => Err(Invalid { key, what: format!("{value} is not in 0 to {most}") }),
        };
        self.shift.iter().try_for_each(|&share| within("image.augment.shift", share, 1.0))?;
        within("image.augment.rotate", self.rotate, 180.0)?;
        within("image.augment.shear", self.shear, 60.0)?;
        if !(0.0..1.0).contains(&self.zoom) {
            let what = format!("{} is not at least 0 and below 1", self.zoom);
            return Err(Invalid { key: "image.augment.zoom", what });
        }
        Ok(())
    }
}

/// Composes `first` after `next`: the map that takes a point through `next`, then through `first`.
fn compose(first: Map, next: Map) -> Map {
    first.map(|row| {
        std::array::from_fn(|column| {
            let moved = row[0] * next[0][column] + row[1] * next[1][column];
            if column == 2 { moved + row[2] } else { moved }
        })
    })
}

/// Returns the centers of the pixels in -1..1: `[1, height * width, 3]`, each x, y, 1.
fn centres(height: usize, width: usize, device: &Device) -> Tensor<3> {
    let centre = |at: usize, of: usize| (2 * at + 1) as f32 / of as f32 - 1.0;
    let values: Vec<f32> = (0..height)
        .flat_map(|row| {
            (0..width).flat_map(move |column| [centre(column, width), centre(row, height), 1.0])
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [1, height * width, 3]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film() -> Tensor<4> {
        let values: Vec<f32> = (0..24).map(|value| value as f32).collect();
        Tensor::from_data(TensorData::new(values, [1, 1, 4, 6]), &Device::flex())
    }

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn no_range_changes_nothing() {
        let same = values(Augment::default().apply(film(), &[0], 1, 1));

        assert!(same.iter().zip(values(film())).all(|(a, b)| (a - b).abs() < 1e-4), "{same:?}");
    }

    #[test]
    fn a_flip_mirrors_a_rectangle_left_to_right_half_of_the_time() {
        let augment = Augment { flip: true, ..Augment::default() };
        let first: Vec<f32> =
            (0..40).map(|name| values(augment.apply(film(), &[name], 1, 1))[0]).collect();

        assert!(first.iter().all(|&value| value.abs() < 1e-4 || (value - 5.0).abs() < 1e-4));
        let mirrored = first.iter().filter(|&&value| value > 1.0).count();
        assert!((10..=30).contains(&mirrored));
    }

    #[test]
    fn a_shift_brings_in_the_mirrored_edge() {
        let shift = [[1.0, 0.0, -2.0 / 6.0], [0.0, 1.0, 0.0]];
        let grid = centres(4, 6, &Device::flex())
            .matmul(
                Tensor::<3>::from_data(
                    TensorData::new(
                        shift.as_flattened().iter().map(|&v| v as f32).collect(),
                        [1, 2, 3],
                    ),
                    &Device::flex(),
                )
                .swap_dims(1, 2),
            )
            .reshape([1, 4, 6, 2]);
        let options = GridSampleOptions {
            padding_mode: GridSamplePaddingMode::Reflection,
            ..GridSampleOptions::default()
        };
        let moved = values(film().grid_sample_2d(grid, options));

        // One pixel to the right: the first column is the old first column, mirrored at the outer
        // edge.
        assert!((moved[0] - 0.0).abs() < 1e-4 && (moved[1] - 0.0).abs() < 1e-4, "{moved:?}");
        assert!((moved[5] - 4.0).abs() < 1e-4, "{moved:?}");
    }

    #[test]
    fn a_film_moves_the_same_way_in_any_batch_and_another_way_in_another_epoch() {
        let augment = Augment { shift: [0.05, 0.1], rotate: 5.0, zoom: 0.15, ..Augment::default() };

        assert_eq!(augment.map(1, 2, 3), augment.map(1, 2, 3));
        assert_ne!(augment.map(1, 2, 3), augment.map(1, 3, 3));
        let both = augment.apply(Tensor::cat(vec![film(), film()], 0), &[8, 9], 1, 1);
        let one = values(augment.apply(film(), &[9], 1, 1));
        assert_eq!(values(both)[24..], one[..]);
    }

    #[test]
    fn rotation_comes_last_as_in_keras() {
        // Rotating by 90 degrees about the center after a shift rotates the shift's direction too.
        let rotation = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]];
        let shift = [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]];

        assert_eq!(compose(rotation, shift), [[0.0, -1.0, 0.0], [1.0, 0.0, 0.5]]);
    }
}

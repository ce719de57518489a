//! Films of one split, with their labels, as batches on a device.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use roentgen_data::Finding;
use roentgen_data::prepare::Prepared;
use roentgen_data::preprocess::Input;
use roentgen_data::store;

use crate::seed::{self, Purpose};

/// Films of a prepared data set, selected by row.
#[derive(Clone, Copy, Debug)]
pub struct SelectedFilms<'a> {
    /// The data set.
    pub prepared: &'a Prepared,
    /// The findings, in the order of the network's outputs.
    pub findings: &'a [Finding],
    /// The network's input.
    pub input: Input,
    /// The rows of this split.
    pub rows: &'a [usize],
}

impl SelectedFilms<'_> {
    /// Returns the number of films.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no films.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the rows in the order of an epoch: every film once, shuffled by seed and epoch.
    pub(crate) fn shuffled_rows(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(seed::derive(seed, Purpose::Order));
        random.set_stream(epoch as u64);
        let mut rows = self.rows.to_vec();
        rows.shuffle(&mut random);
        rows
    }

    /// Returns normalized films.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, channels, size, size]`
    ///
    /// # Errors
    ///
    /// Returns an error if the films cannot be read, such as when their file was cut off.
    pub fn tensor(&self, rows: &[usize], device: &Device) -> Result<Tensor<4>, store::Error> {
        if roentgen_kernels::is_cuda(device) {
            return self.normalize_on_device(rows, device);
        }
        let mut values = Vec::with_capacity(rows.len() * self.input.len());
        for &row in rows {
            self.input.append(&self.prepared.store.plane(row)?, &mut values);
        }
        let shape = [rows.len(), self.input.channels, self.input.size, self.input.size];
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Computes [`Self::tensor`] by sending gray values to the device as bytes and normalizing
    /// there.
    fn normalize_on_device(
        &self,
        rows: &[usize],
        device: &Device,
    ) -> Result<Tensor<4>, store::Error> {
        let Input { size, channels, .. } = self.input;
        // A GPU takes films faster than one thread reads them.
        let planes: Vec<_> = rows.par_iter().map(|&row| self.prepared.store.plane(row)).collect();
        // The first error in the order of the rows, on any number of threads.
        let planes: Vec<Vec<u8>> = planes.into_iter().collect::<Result<_, _>>()?;
        let pairs: Vec<Vec<[f32; 2]>> =
            planes.par_iter().map(|plane| self.input.means_and_scales(plane)).collect();
        let (bytes, pairs) = (planes.concat(), pairs.concat());
        let bytes = TensorData::new(bytes, [rows.len(), 1, size, size]);
        let gray = Tensor::<4, Int>::from_data(bytes, (device, DType::U8)).float();
        let [mean, scale] = [0, 1].map(|which| {
            let values: Vec<f32> = pairs.iter().map(|pair| pair[which]).collect();
            Tensor::<4>::from_data(TensorData::new(values, [rows.len(), channels, 1, 1]), device)
        });
        Ok((gray - mean) * scale)
    }

    /// Returns labels, 0 or 1, in row-major order: `rows * findings` values.
    pub fn labels(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter()
            .flat_map(|&row| {
                let shown = self.prepared.rows[row].findings;
                self.findings.iter().map(move |&finding| f32::from(shown.contains(finding)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use roentgen_data::preprocess::Normalize;
    use roentgen_data::{pixels, prepare};
    use roentgen_phantom as phantom;

    use super::*;

    #[test]
    fn films_normalized_on_the_device_are_those_normalized_before() {
        let folder = tempfile::tempdir().unwrap();
        let [films, prepared] = ["films", "prepared"].map(|name| folder.path().join(name));
        let drawn = phantom::PhantomSettings { films: 5, size: 64, seed: 1 };
        phantom::write(&films, &drawn, &|_| ()).unwrap();
        let filter = pixels::Filter::Lanczos3;
        let settings = prepare::PrepareSettings { size: 24, filter, labels: None, any_size: true };
        prepare::prepare(&films, &prepared, &settings, &|_| ()).unwrap();
        let prepared = Prepared::open(&prepared).unwrap();
        for (channels, normalize) in [
            (1, Normalize::PerImage),
            (3, Normalize::PerImage),
            (3, Normalize::Imagenet),
            (1, Normalize::Imagenet),
        ] {
            let input = Input { size: 24, channels, normalize };
            let films = SelectedFilms { prepared: &prepared, findings: &[], input, rows: &[] };
            let device = Device::flex();
            let before = films.tensor(&[3, 0, 4], &device).unwrap().into_data();
            let there = films.normalize_on_device(&[3, 0, 4], &device).unwrap();
            let there = there.into_data();

            assert_eq!(before.try_to_vec::<f32>().unwrap(), there.try_to_vec::<f32>().unwrap());
        }
    }
}

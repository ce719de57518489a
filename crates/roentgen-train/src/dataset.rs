//! Films of one side of the split, with their labels, as batches on a device.

use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use roentgen_data::Finding;
use roentgen_data::prepare::Prepared;
use roentgen_data::preprocess::Input;

/// Films of a prepared data set, by row.
#[derive(Clone, Copy, Debug)]
pub struct Films<'a> {
    /// The data set.
    pub prepared: &'a Prepared,
    /// The outputs' order.
    pub findings: &'a [Finding],
    /// What the network takes.
    pub input: Input,
    /// The rows that belong to this side.
    pub rows: &'a [usize],
}

impl Films<'_> {
    /// Number of films.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no film.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows in the order of an epoch: every film once, by seed and epoch.
    pub fn shuffled(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x6f_7264_6572);
        random.set_stream(epoch as u64);
        let mut rows = self.rows.to_vec();
        rows.shuffle(&mut random);
        rows
    }

    /// Normalized films.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, channels, size, size]`
    pub fn tensor(&self, rows: &[usize], device: &Device) -> Tensor<4> {
        let mut values = Vec::with_capacity(rows.len() * self.input.len());
        rows.iter().for_each(|&row| self.input.append(self.prepared.store.plane(row), &mut values));
        let shape = [rows.len(), self.input.channels, self.input.size, self.input.size];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Labels, 0 or 1, row by row: `rows * findings` values.
    pub fn labels(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter()
            .flat_map(|&row| {
                let shown = self.prepared.rows[row].findings;
                self.findings.iter().map(move |&finding| f32::from(shown.contains(finding)))
            })
            .collect()
    }
}

//! Features that a frozen backbone computes for each film, stored once in a file.
//!
//! While the backbone is frozen, a film without augmentation has the same features in every epoch,
//! so an epoch of the head need not run the backbone again. With augmentation,
//! `train.feature_draws` versions of each film are stored, and each epoch uses the next in turn.

use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::rows::{RowStore, RowWriter};
use roentgen_data::store;
use roentgen_models::{Classifier, weights};
use sha2::{Digest, Sha256};

use crate::dataset::SelectedFilms;
use crate::experiment::augment::Augment;

/// Folder of a run for features; it is removed when the backbone is unfrozen or the run is done.
pub(crate) const FOLDER: &str = "features";

/// Features could not be computed, stored or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// They could not be stored.
    #[error(
        "could not store the features of the frozen backbone in `{path}`; set \
         `train.feature_draws = 0` to train without storing them"
    )]
    Store {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// They could not be read while the run was using them.
    #[error(
        "could not read the features of the frozen backbone in `{path}`; delete the file and pass \
         `--resume`"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause, such as that the file was cut off.
        source: io::Error,
    },
    /// The films could not be read.
    #[error(transparent)]
    Films(#[from] store::Error),
}

/// The features of one split's films.
#[derive(Debug)]
pub struct Features {
    rows: RowStore,
    path: PathBuf,
    /// Number of films in the split, which are in the order of its rows.
    films: usize,
}

/// How to compute the features of one split.
#[derive(Clone, Copy)]
pub(crate) struct FeaturePlan<'a> {
    /// Name of the file.
    pub(crate) name: &'a str,
    /// The films.
    pub(crate) films: SelectedFilms<'a>,
    /// Augmentation, seed, and number of versions; `None` for no augmentation.
    pub(crate) augment: Option<(&'a Augment, u64, usize)>,
    /// Films that pass through the network at once.
    pub(crate) batch: usize,
}

/// Computes the features of `plan`, resumes an interrupted computation, or opens finished features.
///
/// `done` is called with the films done and the films in all, and returns whether to stop; the
/// result is then `None`.
///
/// # Errors
///
/// Returns an error if the features cannot be read or written.
pub(crate) fn keep(
    run: &Path,
    model: &Classifier,
    plan: FeaturePlan<'_>,
    device: &Device,
    mut done: impl FnMut(usize, usize) -> bool,
) -> Result<Option<Features>, Error> {
    let path = run.join(FOLDER).join(format!("{}.safetensors", plan.name));
    let failed = |source| Error::Store { path: path.clone(), source };
    let films = plan.films.len();
    let draws = plan.augment.map_or(1, |(_, _, draws)| draws);
    let all = films * draws;
    std::fs::create_dir_all(run.join(FOLDER)).map_err(failed)?;
    let device = device.clone().without_autodiff();
    let model = model.valid();
    let purpose = purpose(&model, &plan).map_err(|error| failed(io::Error::other(error)))?;
    let compute = |first: usize, last: usize| {
        let draw = first / films;
        let part = &plan.films.rows[first - draw * films..last - draw * films];
        let mut input = plan.films.tensor(part, &device)?;
        if let Some((augment, seed, _)) = plan.augment {
            input = augment.apply(input, part, seed, draw + 1);
        }
        Ok::<_, Error>(model.pooled_features(input))
    };
    let shape: [usize; 4] = compute(0, 1)?.dims();
    if let Some(rows) = RowStore::open(&path).map_err(failed)? {
        // Rows of another network, other films or an earlier version are computed again.
        let is_whole = rows.len() == all && *rows.shape() == shape[1..];
        if is_whole && rows.purpose() == Some(&purpose) {
            return Ok(Some(Features { rows, path, films }));
        }
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let mut growing = RowWriter::open(&path, &shape[1..], &purpose).map_err(failed)?;
    while growing.rows() < all {
        let first = growing.rows();
        // A batch has films of one version only.
        let last = (first + plan.batch).min((first / films + 1) * films);
        let values = compute(first, last)?.into_data().convert::<f32>();
        let values: Vec<f32> = values.iter::<f32>().collect();
        growing.append(&values).map_err(failed)?;
        if done(last, all) && last < all {
            return Ok(None);
        }
    }
    growing.finish().map_err(failed)?;
    let rows = RowStore::open(&path).map_err(failed)?;
    let rows = rows.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    Ok(Some(Features { rows, path, films }))
}

/// Removes the features of a run.
pub(crate) fn discard(run: &Path) -> Result<(), Error> {
    let path = run.join(FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Store { path, source })
        }
        _ => Ok(()),
    }
}

/// Describes the features in one line: backbone, films and augmentation. The head is no part of it: it
/// learns while they are used.
fn purpose(model: &Classifier, plan: &FeaturePlan<'_>) -> Result<String, weights::Error> {
    let mut digest = Sha256::new();
    digest.update(&weights::to_bytes(model.backbone())?[..]);
    digest.update(&plan.films.prepared.description.fingerprint);
    digest.update(format!("{:?} {:?} {:?}", plan.films.input, plan.films.rows, plan.augment));
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Features {
    /// Returns the features of some films of the split, as seen in epoch `epoch`, counted from 1.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, features, h, w]`
    ///
    /// # Errors
    ///
    /// Returns an error if the features cannot be read, such as when their file was cut off.
    pub(crate) fn tensor(
        &self,
        films: &SelectedFilms<'_>,
        rows: &[usize],
        epoch: usize,
        device: &Device,
    ) -> Result<Tensor<4>, Error> {
        let draws = self.rows.len() / self.films;
        let first = (epoch - 1) % draws * self.films;
        let mut values = Vec::new();
        for row in rows {
            // The rows of a split are in ascending order.
            let place = films.rows.partition_point(|other| other < row);
            let failed = |source| Error::Read { path: self.path.clone(), source };
            self.rows.append(first + place, &mut values).map_err(failed)?;
        }
        let mut shape = [rows.len(), 1, 1, 1];
        shape[1..].copy_from_slice(self.rows.shape());
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }
}

//! What a frozen backbone makes of each film, computed once and kept in a memory-mapped file.
//!
//! While the backbone is frozen, a film that is not varied gives the same features in every epoch,
//! so an epoch of the head need not pass the backbone again. Films that are varied are kept in so
//! many versions as `train.feature_draws` says, one an epoch in turn.

use std::io;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::rows::{Growing, Rows};
use roentgen_models::{Classifier, weights};
use sha2::{Digest, Sha256};

use crate::augment::Augment;
use crate::dataset::Films;

/// The folder of a run that holds them; it goes when the backbone thaws or the run is done.
pub(crate) const FOLDER: &str = "features";

/// Why features could not be kept.
#[derive(Debug, thiserror::Error)]
#[error(
    "could not keep the features of the frozen backbone in `{path}`; `train.feature_draws = 0` trains \
     without"
)]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// The features of one side's films.
#[derive(Debug)]
pub struct Features {
    rows: Rows,
    /// Films of the side, in the order of its rows.
    films: usize,
}

/// How the films of one side are turned into features.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// The file's name.
    pub(crate) name: &'a str,
    /// The films.
    pub(crate) films: Films<'a>,
    /// How they are varied, and in how many versions.
    pub(crate) augment: Option<(&'a Augment, u64, usize)>,
    /// Films that pass through the network at once.
    pub(crate) batch: usize,
}

/// Computes the features of `plan`, or goes on with an earlier call, or finds them there.
///
/// `done` is told the films that are done of so many, and says whether to stop; then there are none.
///
/// # Errors
///
/// The file system's.
pub(crate) fn keep(
    run: &Path,
    model: &Classifier,
    plan: Plan<'_>,
    device: &Device,
    mut done: impl FnMut(usize, usize) -> bool,
) -> Result<Option<Features>, Error> {
    let path = run.join(FOLDER).join(format!("{}.safetensors", plan.name));
    let failed = |source| Error { path: path.clone(), source };
    let films = plan.films.len();
    let draws = plan.augment.map_or(1, |(_, _, draws)| draws);
    let all = films * draws;
    if let Some(rows) = Rows::open(&path).map_err(failed)? {
        return Ok(Some(Features { rows, films }));
    }
    std::fs::create_dir_all(run.join(FOLDER)).map_err(failed)?;
    let device = device.clone().without_autodiff();
    let model = model.valid();
    let purpose = purpose(&model, &plan).map_err(|error| failed(io::Error::other(error)))?;
    let compute = |first: usize, last: usize| {
        let draw = first / films;
        let part = &plan.films.rows[first - draw * films..last - draw * films];
        let mut input = plan.films.tensor(part, &device);
        if let Some((augment, seed, _)) = plan.augment {
            input = augment.apply(input, part, seed, draw + 1);
        }
        model.pooled_features(input)
    };
    let shape: [usize; 4] = compute(0, 1).dims();
    let mut growing = Growing::open(&path, &shape[1..], &purpose).map_err(failed)?;
    while growing.rows() < all {
        let first = growing.rows();
        // A batch holds films of one draw.
        let last = (first + plan.batch).min((first / films + 1) * films);
        let values = compute(first, last).into_data().convert::<f32>();
        let values: Vec<f32> = values.iter::<f32>().collect();
        growing.append(&values).map_err(failed)?;
        if done(last, all) && last < all {
            return Ok(None);
        }
    }
    growing.finish().map_err(failed)?;
    let rows = Rows::open(&path).map_err(failed)?;
    let rows = rows.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    Ok(Some(Features { rows, films }))
}

/// Takes the features of a run away.
pub(crate) fn discard(run: &Path) -> Result<(), Error> {
    let path = run.join(FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error { path, source }),
        _ => Ok(()),
    }
}

/// What the features are of, in one line: network, films and how they are varied.
fn purpose(model: &Classifier, plan: &Plan<'_>) -> Result<String, weights::Error> {
    let mut digest = Sha256::new();
    digest.update(&weights::to_bytes(model)?[..]);
    digest.update(&plan.films.prepared.description.fingerprint);
    digest.update(format!("{:?} {:?} {:?}", plan.films.input, plan.films.rows, plan.augment));
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Features {
    /// The features of some of the side's films, as epoch `epoch`, from 1, sees them.
    ///
    /// # Shapes
    ///
    /// - output: `[rows, features, h, w]`
    pub(crate) fn tensor(
        &self,
        films: &Films<'_>,
        rows: &[usize],
        epoch: usize,
        device: &Device,
    ) -> Tensor<4> {
        let draws = self.rows.len() / self.films;
        let first = (epoch - 1) % draws * self.films;
        let mut values = Vec::new();
        for row in rows {
            // The rows of a side ascend.
            let place = films.rows.partition_point(|other| other < row);
            self.rows.append(first + place, &mut values);
        }
        let mut shape = [rows.len(), 1, 1, 1];
        shape[1..].copy_from_slice(self.rows.shape());
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

//! Everything a run needs to resume as if it had never stopped: weights, optimizer state, position.
//!
//! Weights and optimizer state are written under the name of the step, and then `state.toml` names
//! them: a run that is killed between the files finds the earlier state complete. The order of
//! films, augmentation and dropout follow from seed, epoch and step, so they need not be saved.

mod state;

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use roentgen_data::files::{self, WriteError};
use roentgen_models::{Classifier, weights};
pub use state::{RunShape, RunState};

const FOLDER: &str = "checkpoint";

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error(
        "could not read the checkpoint `{path}`; to start over, leave `--resume` out and name a new \
         folder"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The state was not written by this version, or is damaged.
    #[error("`{path}` is damaged or is not a checkpoint of this version of roentgen")]
    State {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// The state contradicts itself or the experiment.
    #[error(
        "`{path}` does not fit the experiment of the run: {what}; restore the file, or start over in \
         a new folder"
    )]
    Inconsistent {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Weights or optimizer state do not fit the network.
    #[error("could not restore `{path}`: {what}")]
    Restore {
        /// The file.
        path: PathBuf,
        /// The reason.
        what: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// File names of weights and optimizer state, and the step they belong to.
struct Names {
    weights: PathBuf,
    optimizer: PathBuf,
}

impl Names {
    fn of(folder: &Path, step: usize) -> Self {
        Self {
            weights: folder.join(format!("{step:08}.weights.bpk")),
            optimizer: folder.join(format!("{step:08}.optimizer.bpk")),
        }
    }
}

/// Saves the state of a run in its folder.
///
/// # Errors
///
/// Returns an error if a file cannot be written; the previous checkpoint stays complete.
pub fn save(
    run: &Path,
    state: &RunState,
    model: &Classifier,
    optimizer: &ModuleOptimizer,
) -> Result<(), Error> {
    let folder = run.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|source| WriteError { path: folder.clone(), source })?;
    let names = Names::of(&folder, state.step);
    let restore = |path: &Path, what: String| Error::Restore { path: path.to_owned(), what };
    // Running statistics are recorded only after `valid` has gathered them.
    let bytes = weights::to_bytes(&model.valid())
        .map_err(|error| restore(&names.weights, error.to_string()))?;
    files::write_whole(&names.weights, &bytes)?;
    let bytes =
        optimizer.into_bytes().map_err(|error| restore(&names.optimizer, error.to_string()))?;
    files::write_whole(&names.optimizer, &bytes)?;
    state.write(run)?;
    forget_others(&folder, &names);
    Ok(())
}

/// Restores a run of `shape`; returns the arguments unchanged if there is no checkpoint.
///
/// # Errors
///
/// Returns an error if the checkpoint is damaged, or belongs to another network or experiment.
pub fn restore(
    run: &Path,
    shape: &RunShape<'_>,
    model: Classifier,
    optimizer: ModuleOptimizer,
) -> Result<(RunState, Classifier, ModuleOptimizer), Error> {
    let Some(state) = RunState::read(run)? else {
        let state = RunState { loss_scale: shape.loss_scale, ..RunState::default() };
        return Ok((state, model, optimizer));
    };
    state.check(shape).map_err(|what| Error::Inconsistent { path: RunState::path(run), what })?;
    let read = |path: &Path| {
        files::read_at_most(path, u64::MAX)
            .map_err(|source| Error::Read { path: path.to_owned(), source })
    };
    let folder = run.join(FOLDER);
    let names = Names::of(&folder, state.step);
    let fits = |path: &Path, what: String| Error::Restore { path: path.to_owned(), what };
    let model = weights::load(model, read(&names.weights)?)
        .map_err(|error| fits(&names.weights, error.to_string()))?;
    let optimizer = optimizer
        .from_bytes(Bytes::from_bytes_vec(read(&names.optimizer)?))
        .map_err(|error| fits(&names.optimizer, error.to_string()))?;
    Ok((state, model, optimizer))
}

/// Removes older checkpoints; a file that cannot be deleted only takes up space.
fn forget_others(folder: &Path, keep: &Names) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = path.extension().is_some_and(|extension| extension == "bpk");
        if is_ours && path != keep.weights && path != keep.optimizer {
            let _ = fs::remove_file(path);
        }
    }
}

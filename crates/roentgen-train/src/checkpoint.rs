//! What a run needs to go on as if it had never stopped: weights, optimizer state, where it was.
//!
//! Weights and optimizer state are written under the step's name and `state.toml` then names them:
//! a run that is killed between the files finds the earlier state whole. Order of films,
//! augmentation and dropout follow from seed, epoch and step, so they need no saving.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Bytes;
use roentgen_data::files::{self, WriteError};
use roentgen_models::{Classifier, weights};
use serde::{Deserialize, Serialize};

use crate::progress::EpochRow;
use crate::schedule::Plateau;

const FOLDER: &str = "checkpoint";
const STATE: &str = "state.toml";

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Optimizer steps done in all.
    pub step: usize,
    /// Films of the current epoch done.
    pub films: usize,
    /// Sum of their losses.
    pub loss: f64,
    /// Seconds spent on the current epoch before this session.
    pub seconds: f64,
    /// Seconds in which the epoch's steps waited for their films.
    #[serde(default)]
    pub waiting: f64,
    /// Epochs since the best one, or since the phase began.
    pub waited: usize,
    /// The phase of the run, from 0.
    #[serde(default)]
    pub phase: usize,
    /// Epochs done before this phase.
    #[serde(default)]
    pub earlier: usize,
    /// What the schedule remembers.
    pub plateau: Plateau,
    /// Epochs done.
    #[serde(default)]
    pub epochs: Vec<EpochRow>,
}

impl State {
    /// The best epoch so far.
    pub fn best(&self) -> Option<&EpochRow> {
        self.epochs.iter().rev().find(|row| row.is_best)
    }
}

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error(
        "could not read the checkpoint `{path}`; without `--resume` and in a new folder the run begins anew"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The state is not what we write.
    #[error("`{path}` is not a checkpoint of this version of roentgen")]
    State {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// Weights or optimizer state do not fit.
    #[error("could not restore `{path}`: {what}")]
    Restore {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The optimizer's state beside the step it belongs to.
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

/// Saves a run's state below its folder.
///
/// # Errors
///
/// The file system's; the checkpoint before stays whole.
pub fn save(
    run: &Path,
    state: &State,
    model: &Classifier,
    optimizer: &ModuleOptimizer,
) -> Result<(), Error> {
    let folder = run.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|source| WriteError { path: folder.clone(), source })?;
    let names = Names::of(&folder, state.step);
    let restore = |path: &Path, what: String| Error::Restore { path: path.to_owned(), what };
    // Running statistics reach a record only once `valid` has gathered them.
    let bytes = weights::to_bytes(&model.valid())
        .map_err(|error| restore(&names.weights, error.to_string()))?;
    files::write_whole(&names.weights, &bytes)?;
    let bytes =
        optimizer.into_bytes().map_err(|error| restore(&names.optimizer, error.to_string()))?;
    files::write_whole(&names.optimizer, &bytes)?;
    let text =
        toml::to_string(state).map_err(|error| restore(&folder.join(STATE), error.to_string()))?;
    files::write_whole(&folder.join(STATE), text.as_bytes())?;
    forget_others(&folder, &names);
    Ok(())
}

/// Restores a run's state, or gives back what came in where there is none.
///
/// # Errors
///
/// A checkpoint that is damaged or of another network.
pub fn restore(
    run: &Path,
    model: Classifier,
    optimizer: ModuleOptimizer,
) -> Result<(State, Classifier, ModuleOptimizer), Error> {
    let folder = run.join(FOLDER);
    let path = folder.join(STATE);
    if !path.exists() {
        return Ok((State::default(), model, optimizer));
    }
    let read = |path: &Path| {
        fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
    };
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let state: State =
        toml::from_str(&text).map_err(|source| Error::State { path, source: Box::new(source) })?;
    let names = Names::of(&folder, state.step);
    let fits = |path: &Path, what: String| Error::Restore { path: path.to_owned(), what };
    let model = weights::load(model, read(&names.weights)?)
        .map_err(|error| fits(&names.weights, error.to_string()))?;
    let optimizer = optimizer
        .from_bytes(Bytes::from_bytes_vec(read(&names.optimizer)?))
        .map_err(|error| fits(&names.optimizer, error.to_string()))?;
    Ok((state, model, optimizer))
}

/// Takes older checkpoints away; what cannot be deleted only takes up room.
fn forget_others(folder: &Path, keep: &Names) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_ours = path.extension().is_some_and(|extension| extension == "bpk");
        if is_ours && path != keep.weights && path != keep.optimizer {
            let _ = fs::remove_file(path);
        }
    }
}

//! Why a run could not begin or go on.

use std::path::PathBuf;

use roentgen_data::{prepare, split};
use roentgen_models::pretrained::{FileError, FitError, store};
use roentgen_models::{Precision, classifier, model_dir, weights};

use super::OVER;
use crate::{checkpoint, features, run_dir};

/// Why a run could not begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The prepared data set.
    #[error(transparent)]
    Data(#[from] prepare::Error),
    /// The split.
    #[error(transparent)]
    Split(#[from] split::Error),
    /// The run's folder.
    #[error(transparent)]
    RunDir(#[from] run_dir::Error),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// The network.
    #[error("the experiment's network cannot be made")]
    Network(#[from] classifier::Error),
    /// The model could not be written.
    #[error(transparent)]
    Model(#[from] model_dir::Error),
    /// The weights.
    #[error(transparent)]
    Weights(#[from] weights::Error),
    /// The file of weights that the backbone starts from.
    #[error(transparent)]
    WeightFile(#[from] FileError),
    /// Weights that do not fit the backbone.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Published weights that are not here yet.
    #[error(transparent)]
    Store(#[from] store::Missing),
    /// The features of a frozen backbone.
    #[error(transparent)]
    Features(#[from] features::Error),
    /// An event file.
    #[error(transparent)]
    Write(#[from] roentgen_data::files::WriteError),
    /// Activations in 16 bits elsewhere than on an NVIDIA GPU.
    #[error(
        "`train.precision = \"{0}\"` needs an NVIDIA GPU; leave it out, or give `--device cuda` to a build with that feature"
    )]
    Precision(Precision),
    /// A GPU that failed on the way.
    #[error("the GPU failed: {0}; what was saved before stays, and `--resume` continues from it")]
    Gpu(String),
    /// Films of another size than the experiment asks for.
    #[error(
        "the experiment asks for films of {asked} px and `{prepared}` holds films of {size} px; prepare \
         them at {asked} px, or leave `image.size` out"
    )]
    Size {
        /// `image.size`.
        asked: usize,
        /// The prepared size.
        size: usize,
        /// The folder.
        prepared: PathBuf,
    },
    /// No films on one side.
    #[error(
        "there are no {0} films after choosing and dividing; more films, another seed, or \
         `split = \"by-patient\"` would help"
    )]
    NoFilms(&'static str),
    /// No finding is frequent enough.
    #[error(
        "no finding stands on more than {OVER} films, so `findings = \"over-1000\"` leaves none"
    )]
    NoFindings,
    /// The loss is no number any more.
    #[error(
        "training diverged: the loss of epoch {epoch} is {loss}; a smaller `train.learning_rate` \
         would help"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// Its loss.
        loss: f64,
    },
}

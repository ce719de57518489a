//! Errors that keep a run from starting or continuing.

use std::path::PathBuf;

use roentgen_data::{prepare, split};
use roentgen_kernels::GpuFailure;
use roentgen_models::pretrained::{FileError, FitError, store};
use roentgen_models::{Precision, classifier, model_dir, weights};

use super::{NotLonger, OVER, TooLittle};
use crate::{checkpoint, features, films, overrides, run_dir};

/// Why a run could not start or continue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The prepared data set could not be read.
    #[error(transparent)]
    Data(#[from] prepare::Error),
    /// The films could not be split.
    #[error(transparent)]
    Split(#[from] split::Error),
    /// The initial weights were trained on films of patients with validation or test films.
    #[error(
        "the initial weights `{weights}` were trained on films of {count} patients with validation \
         or test films of this run (patient {first}), so its results would be too optimistic; split \
         as the run of the weights did (`data.split`, `seed` or `split_seed`), begin with other \
         weights, or set `leaky = true` in the experiment to accept this and have every table say so"
    )]
    EarlierLeak {
        /// `model.weights`
        weights: String,
        /// Number of patients.
        count: usize,
        /// The numbers of the first few.
        first: String,
    },
    /// The table of films of the run whose weights are the initial ones cannot be used.
    #[error(transparent)]
    TrainedOn(#[from] films::Error),
    /// The folder of the run cannot be used.
    #[error(transparent)]
    RunDir(#[from] run_dir::Error),
    /// The experiment of the run cannot be resumed.
    #[error(transparent)]
    Experiment(#[from] overrides::Error),
    /// The run cannot be lengthened.
    #[error(transparent)]
    NotLonger(#[from] NotLonger),
    /// The checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Error),
    /// Training needs more memory than there is.
    #[error(transparent)]
    Memory(#[from] TooLittle),
    /// The network could not be built.
    #[error("could not build the network of the experiment")]
    Network(#[from] classifier::Error),
    /// The model could not be written.
    #[error(transparent)]
    Model(#[from] model_dir::Error),
    /// The weights could not be read or written.
    #[error(transparent)]
    Weights(#[from] weights::Error),
    /// The file of initial weights could not be read.
    #[error(transparent)]
    WeightFile(#[from] FileError),
    /// The weights do not fit the backbone.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The published weights have not been downloaded.
    #[error(transparent)]
    Store(#[from] store::Missing),
    /// A film could not be read.
    #[error(transparent)]
    Films(#[from] roentgen_data::store::Error),
    /// The features of a frozen backbone could not be stored or read.
    #[error(transparent)]
    Features(#[from] features::Error),
    /// An event file could not be written.
    #[error(transparent)]
    Write(#[from] roentgen_data::files::WriteError),
    /// 16-bit activations were requested on a device other than an NVIDIA GPU.
    #[error(
        "`train.precision = \"{0}\"` needs an NVIDIA GPU; leave it out, or use a build with the \
         feature `cuda` and pass `--device cuda`"
    )]
    Precision(Precision),
    /// A GPU failed during the run.
    #[error("the GPU failed: {0}; `roentgen resume RUN` resumes from the last checkpoint")]
    Gpu(GpuFailure),
    /// The prepared films have another size than the experiment asks for.
    #[error(
        "the experiment asks for films of {asked} px, but `{prepared}` contains films of {size} px; \
         prepare them at {asked} px, or leave `image.size` out"
    )]
    Size {
        /// `image.size`.
        asked: usize,
        /// The size of the prepared films.
        size: usize,
        /// The folder.
        prepared: PathBuf,
    },
    /// A split has no films.
    #[error(
        "no {0} films are left after selecting and splitting; use more films, another seed, or \
         `split = \"by-patient\"`"
    )]
    NoFilms(&'static str),
    /// The AUROC on the validation films is undefined.
    #[error(
        "`train.best_by = \"auroc\"` cannot choose an epoch: each finding is on all or none of the \
         {films} validation films, so its AUROC is undefined; set `train.best_by = \"loss\"`, or \
         use more films or other findings"
    )]
    NoAuroc {
        /// Number of validation films.
        films: usize,
    },
    /// No finding is frequent enough.
    #[error(
        "no finding is on more than {OVER} films, so `findings = \"over-1000\"` selects none; list \
         the findings instead"
    )]
    NoFindings,
    /// A gradient is not a finite number even without a loss scale.
    #[error(
        "training diverged: the loss scale has fallen to 1, and a gradient of step {step} is still \
         not a finite number; try a smaller `train.learning_rate`, or `train.precision = \"bf16\"`"
    )]
    NotFinite {
        /// The step of the run, from 1.
        step: usize,
    },
    /// The loss is no longer a finite number.
    #[error(
        "training diverged: the loss of epoch {epoch} is {loss}; try a smaller \
         `train.learning_rate`"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// Its loss.
        loss: f64,
    },
}

//! Why a folder cannot be used for a run.

use std::path::PathBuf;

use roentgen_data::files::WriteError;

/// Why a folder cannot be used for a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder contains an unfinished run.
    #[error(
        "`{path}` contains an unfinished run; pass `--resume` to resume it (or \
         `roentgen resume {path}`), or name another folder"
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// The folder contains a finished run.
    #[error(
        "`{path}` contains a finished run; name another folder, or lengthen the run with \
         `roentgen resume {path} --epochs N`"
    )]
    Finished {
        /// The folder.
        path: PathBuf,
    },
    /// The folder contains a run of another experiment.
    #[error(
        "`{path}` contains a run of another experiment ({difference}); name another folder, or \
         resume with the settings that the run started with"
    )]
    Other {
        /// The folder.
        path: PathBuf,
        /// The first line that differs.
        difference: String,
    },
    /// The data has changed since the run started.
    #[error(
        "`{path}` contains a run on other films than `data.prepared` contains now; name another \
         folder, or restore the films"
    )]
    OtherData {
        /// The folder.
        path: PathBuf,
    },
    /// The experiment has changed since the run started.
    #[error(
        "`{path}` is not the experiment that the run began with, so what has been trained does not \
         belong to it; restore the file, or train the experiment into another folder"
    )]
    ExperimentChanged {
        /// `experiment.toml`
        path: PathBuf,
    },
    /// None of the folders that were given has the films of the run.
    #[error(
        "no folder of `--data` contains the films of the run in `{path}`; name the folder to which \
         its data set was moved, or leave `--data` out"
    )]
    NotAmongGiven {
        /// The folder of the run.
        path: PathBuf,
    },
    /// The data set is not where it was when the run started.
    #[error(
        "`{path}` contains a run on the prepared data set `{prepared}`, which is not there; move \
         it back, or say where it is now (`--data DIR`; to `predict`, instead of films)"
    )]
    DataMoved {
        /// The folder.
        path: PathBuf,
        /// Where the data set was.
        prepared: PathBuf,
    },
    /// The folder contains no run.
    #[error(
        "`{path}` contains no run, because it has no `experiment.toml`; name the folder of one"
    )]
    NoRun {
        /// The folder.
        path: PathBuf,
    },
    /// The run has finished, and its checkpoint is gone.
    #[error(
        "`{path}` contains a finished run without a checkpoint (a sweep deletes those of its \
         points), so it cannot be resumed; start a new run in another folder"
    )]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
    },
    /// Another process trains in the folder.
    #[error(transparent)]
    Locked(#[from] roentgen_data::lock::Error),
    /// A file could not be read.
    #[error("could not read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A folder given as the data set of the run is not a prepared data set.
    #[error(transparent)]
    Data(#[from] roentgen_data::prepare::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

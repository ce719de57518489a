//! Why a data set could not be prepared.

use std::path::PathBuf;

use crate::files::WriteError;
use crate::{boxes, manifest, metadata, nih, store};

/// Why a data set could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is no data set.
    #[error(transparent)]
    Layout(#[from] nih::Error),
    /// The label file.
    #[error(transparent)]
    Labels(#[from] metadata::Error),
    /// The box list.
    #[error(transparent)]
    Boxes(#[from] boxes::Error),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The packed films.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file could not be read.
    #[error("could not read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A file of ours is not what we wrote.
    #[error("`{path}` is not what `roentgen prepare` writes; prepare again into a new folder")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// The folder holds another data set.
    #[error(
        "`{path}` already holds {what}; sizes and data sets are not mixed: name another folder with \
         `--out`, or delete this one"
    )]
    Mixed {
        /// The folder.
        path: PathBuf,
        /// What lies there.
        what: String,
    },
    /// No film is left.
    #[error(
        "none of the {listed} films listed in `{labels}` could be read; the first: {image}: {reason}"
    )]
    NoFilms {
        /// Rows of the label file.
        listed: usize,
        /// The label file.
        labels: PathBuf,
        /// A film.
        image: String,
        /// Its reason.
        reason: String,
    },
    /// Size out of range.
    #[error("`--size {0}` is not a size for films; give 16 to 4096 pixels")]
    Size(u32),
}

//! Why a data set could not be prepared.

use std::path::PathBuf;

use crate::files::WriteError;
use crate::{boxes, lock, manifest, metadata, nih, store};

/// Why a data set could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is not a data set.
    #[error(transparent)]
    Layout(#[from] nih::Error),
    /// The label file could not be read.
    #[error(transparent)]
    Labels(#[from] metadata::Error),
    /// The box list could not be read.
    #[error(transparent)]
    Boxes(#[from] boxes::Error),
    /// The manifest could not be read.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// The packed films could not be read.
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
    /// A file was not written by `prepare`, or is damaged.
    #[error(
        "`{path}` is damaged or was not written by `roentgen prepare`; prepare into a new folder"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// There is no `prepare.toml`.
    #[error(
        "`{folder}` is not a prepared data set; run `roentgen prepare FILMS --out {folder}` to \
         write one, where `FILMS` is the folder with the label file and the films"
    )]
    NotPrepared {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a prepared data set is not the one that `prepare` wrote.
    #[error(
        "`{path}` is not as `roentgen prepare` wrote it: it was changed, replaced or damaged; run \
         `roentgen prepare` again into a new folder"
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The manifest or the films are not as `prepare` wrote them; the folder has one hash of both.
    #[error(
        "`manifest.csv` or `images.safetensors` in `{folder}` is not as `roentgen prepare` wrote it: \
         one of them was changed, replaced or damaged; run `roentgen prepare` again into a new folder"
    )]
    ChangedOneOf {
        /// The folder.
        folder: PathBuf,
    },
    /// The files of a prepared data set contradict each other.
    #[error(
        "the files in `{folder}` do not belong together: {what}; run `roentgen prepare` again into a \
         new folder"
    )]
    Inconsistent {
        /// The folder.
        folder: PathBuf,
        /// The contradiction.
        what: String,
    },
    /// The output folder could not be locked.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The folder already contains another data set.
    #[error(
        "`{path}` already contains {what}; a folder can contain one data set in one size only: name another \
         folder with `--out`, or delete this one"
    )]
    Mixed {
        /// The folder.
        path: PathBuf,
        /// The content of the folder.
        what: String,
    },
    /// No film could be read.
    #[error(
        "none of the {listed} films listed in `{labels}` could be read; the first, {image}: {reason}"
    )]
    NoFilms {
        /// Rows of the label file.
        listed: usize,
        /// The label file.
        labels: PathBuf,
        /// The first film.
        image: String,
        /// The reason it was left out.
        reason: String,
    },
    /// The size is out of range.
    #[error("`--size {0}` is out of range; give 16 to 4096 pixels")]
    Size(u32),
}

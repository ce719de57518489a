//! The tables beside the pixels, each with the hash that `prepare.toml` has of it.

use std::path::Path;

use serde::Serialize;

use super::digest::hash;
use super::{BAD_FILMS, BOXES, DUPLICATES, Error, PreparedInfo};

/// How a file compares with what `prepare.toml` says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It is the file that `prepare` wrote.
    Matches,
    /// It is not the file that `prepare` wrote.
    Changed,
    /// It is not there.
    Missing,
    /// It is there, but `prepare` did not write it.
    Unexpected,
    /// An earlier version of the program recorded no hash of it.
    Unknown,
}

/// A table beside the pixels, and what `prepare.toml` says of it.
pub(super) struct SealedTable<'a> {
    pub(super) name: &'static str,
    sha256: Option<&'a str>,
    /// Whether the program that prepared the folder recorded a hash if it wrote the table.
    is_recorded: bool,
}

impl PreparedInfo {
    pub(super) fn boxes_table(&self) -> SealedTable<'_> {
        let sha256 = self.boxes_sha256.as_deref();
        SealedTable { name: BOXES, sha256, is_recorded: self.manifest_sha256.is_some() }
    }

    pub(super) fn bad_films_table(&self) -> SealedTable<'_> {
        let sha256 = self.bad_films_sha256.as_deref();
        SealedTable { name: BAD_FILMS, sha256, is_recorded: sha256.is_some() }
    }

    pub(super) fn duplicates_table(&self) -> SealedTable<'_> {
        let sha256 = self.duplicates_sha256.as_deref();
        // Both came with the same version; every data set has a list of bad films.
        SealedTable { name: DUPLICATES, sha256, is_recorded: self.bad_films_sha256.is_some() }
    }
}

impl SealedTable<'_> {
    /// Compares the table with its hash; `None` if there is none and there should be none.
    pub(super) fn state(&self, folder: &Path) -> Result<Option<FileState>, Error> {
        let path = folder.join(self.name);
        Ok(match (self.sha256, path.exists()) {
            (None, false) => None,
            (None, true) if self.is_recorded => Some(FileState::Unexpected),
            (None, true) => Some(FileState::Unknown),
            (Some(_), false) => Some(FileState::Missing),
            (Some(expected), true) if hash(&path, &[], &|_| ())? == expected => {
                Some(FileState::Matches)
            }
            (Some(_), true) => Some(FileState::Changed),
        })
    }
}

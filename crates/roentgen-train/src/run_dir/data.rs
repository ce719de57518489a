//! `data.toml`: which prepared data set a run uses, and where it was.

use std::io;
use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use serde::{Deserialize, Serialize};

use super::Error;

/// The prepared data set of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Data {
    /// Its fingerprint at the start of the run.
    fingerprint: String,
    /// Its absolute path at the start of the run; `None` in runs of earlier versions, and if the
    /// path is not Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prepared: Option<String>,
}

impl Data {
    pub(super) fn new(fingerprint: &str, prepared: &Path) -> Self {
        let path = std::path::absolute(prepared).ok();
        let prepared = path.and_then(|path| path.to_str().map(str::to_owned));
        Self { fingerprint: fingerprint.to_owned(), prepared }
    }

    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        files::read_text_at_most(path, 1 << 20)
            .and_then(|text| toml::from_str(&text).map_err(io::Error::other))
            .map_err(|source| Error::Read { path: path.to_owned(), source })
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), WriteError> {
        let text = toml::to_string(self).map_err(|error| WriteError {
            path: path.to_owned(),
            source: io::Error::other(error),
        })?;
        files::write_whole(path, text.as_bytes())
    }

    /// Checks that the films now are those of the run in the folder `run`.
    pub(crate) fn check(&self, run: &Path, fingerprint: &str) -> Result<(), Error> {
        if self.fingerprint == fingerprint {
            Ok(())
        } else {
            Err(Error::OtherData { path: run.to_owned() })
        }
    }

    /// Returns where the data set is: where it was when the run started, or where the experiment's
    /// `data.prepared` leads from the working directory.
    pub(crate) fn find(&self, run: &Path, named: &Path) -> Result<PathBuf, Error> {
        let recorded = self.prepared.as_ref().map(PathBuf::from);
        let places = recorded.iter().map(PathBuf::as_path).chain([named]);
        let found = places.into_iter().find(|place| place.is_dir()).map(Path::to_owned);
        found.ok_or_else(|| Error::DataMoved {
            path: run.to_owned(),
            prepared: recorded.unwrap_or_else(|| named.to_owned()),
        })
    }
}

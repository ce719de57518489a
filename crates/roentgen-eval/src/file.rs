//! Writes files completely or not at all.

use std::path::Path;

use crate::Error;

/// Writes the file as [`roentgen_files::write_whole`] does.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    roentgen_files::write_whole(path, bytes)
        .map_err(|error| Error::Write { path: error.path, source: error.source })
}

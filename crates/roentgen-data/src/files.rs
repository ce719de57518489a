//! Writes files completely or not at all: under a temporary name, synced, then renamed.
//!
//! The trap is the rename alone: without the sync before it, a power cut can leave the new name
//! with the old content or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file could not be written; no incomplete file is left under its name.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{path}`")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The cause: no space left, no permission, ...
    pub source: io::Error,
}

/// Writes `bytes` to `path` completely or not at all.
///
/// # Errors
///
/// Returns an error if the file cannot be written; the temporary file is removed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes the output of `fill` to `path` completely or not at all.
///
/// # Errors
///
/// Returns an error if the file cannot be written or if `fill` fails; the temporary file is
/// removed.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), WriteError> {
    let aside = aside(path);
    let written = File::create(&aside)
        .and_then(|mut file| {
            fill(&mut file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| sync_folder(path));
    written.map_err(|source| {
        // The first error is the one to report; a leftover file does no harm.
        let _ = fs::remove_file(&aside);
        WriteError { path: path.to_owned(), source }
    })
}

/// Returns the temporary name of an incomplete file: `path` with `.part` appended.
pub fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Makes a rename within the folder of `path` survive a power cut.
///
/// # Errors
///
/// Returns an error if the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_whole(&path, b"old").unwrap();

        let error = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no space left"))
        });

        assert_eq!(error.unwrap_err().path, path);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Files written whole or not at all: beside their place, synced, then renamed.
//!
//! The trap is the rename alone: without the sync before it, a power cut leaves the new name with
//! old or no content.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that could not be written; nothing half-written stands under its name.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{path}`")]
pub struct WriteError {
    /// The file that was to be.
    pub path: PathBuf,
    /// Why: no space left, no permission, ...
    pub source: io::Error,
}

/// Writes `bytes` to `path` whole or not at all.
///
/// # Errors
///
/// The file system's; the aside file is taken away again.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes what `fill` writes to `path`, whole or not at all.
///
/// # Errors
///
/// The file system's or those of `fill`; the aside file is taken away again.
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
        // The first error is the one to tell; a leftover is only untidy.
        let _ = fs::remove_file(&aside);
        WriteError { path: path.to_owned(), source }
    })
}

/// The name under which a file grows before it is whole: `.part` is added.
pub fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Makes a rename within the folder of `path` outlast a power cut.
///
/// # Errors
///
/// The file system's.
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

//! A lock on an output folder, so that one process at a time writes into it.
//!
//! The lock is the file system's, held on the file `lock` in the folder. The system releases it
//! when the process ends, for whatever reason, so nothing has to be cleaned up after a crash; the
//! file itself stays and has no meaning.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file in a locked folder.
pub const FILE: &str = "lock";
/// Name of the file for reports, comparisons and maps, which people put into folders of runs and sweeps.
const REPORT: &str = ".report.lock";

/// A lock on a folder, held until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct FolderLock {
    _file: File,
}

/// Why a folder could not be locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the lock.
    #[error(
        "another `roentgen` is writing into `{folder}`; wait until it has finished, or name another \
         folder"
    )]
    Held {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be created or locked: permission is missing, or the disk has no locks.
    #[error("could not lock the folder `{folder}`; name one on a disk that has file locks")]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl FolderLock {
    /// Creates `folder` if it is not there, and locks it without waiting.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Held`] if another process, or another part of this one, holds the lock, and
    /// [`Error::Failed`] if the folder cannot be created or locked.
    pub fn take(folder: &Path) -> Result<Self, Error> {
        Self::take_as(folder, FILE)
    }

    /// Takes a lock of its own name, for a second kind of writer in the same folder; otherwise as
    /// [`Self::take`].
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::take`] does.
    pub fn take_as(folder: &Path, name: &str) -> Result<Self, Error> {
        let file = open(folder, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Held { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(folder, source)),
        }
    }

    /// Takes the lock of those that write a report, a comparison or maps into `folder`; otherwise as
    /// [`Self::take`].
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::take`] does.
    pub fn take_for_report(folder: &Path) -> Result<Self, Error> {
        Self::take_as(folder, REPORT)
    }

    /// Creates `folder` if it is not there, and locks it as soon as no other process holds the
    /// lock.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be created or locked.
    pub fn wait(folder: &Path) -> Result<Self, Error> {
        let file = open(folder, FILE)?;
        file.lock().map_err(|source| failed(folder, source))?;
        Ok(Self { _file: file })
    }
}

fn open(folder: &Path, name: &str) -> Result<File, Error> {
    fs::create_dir_all(folder)
        .and_then(|()| File::options().create(true).append(true).open(folder.join(name)))
        .map_err(|source| failed(folder, source))
}

fn failed(folder: &Path, source: io::Error) -> Error {
    Error::Failed { folder: folder.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once_until_the_lock_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/new/folder");
        let lock = FolderLock::take(&folder).unwrap();

        assert!(matches!(FolderLock::take(&folder), Err(Error::Held { .. })));
        assert!(FolderLock::take(&root.path().join("another")).is_ok());
        drop(lock);
        assert!(FolderLock::take(&folder).is_ok());
    }

    #[test]
    fn waiting_ends_when_the_other_lock_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(root.path()).unwrap();
        let waiting = std::thread::spawn({
            let folder = root.path().to_owned();
            move || FolderLock::wait(&folder).is_ok()
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(lock);

        assert!(waiting.join().unwrap());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, b"").unwrap();

        assert!(matches!(FolderLock::take(&file), Err(Error::Failed { .. })));
    }
}

//! A data set that is being drawn, and the note in its folder that says so.
//!
//! Films are whole or absent and follow from the settings, so a drawing that was stopped continues
//! with the films that are missing. Without the note, a folder with something in it is someone
//! else's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use roentgen_data::lock::FolderLock;
use roentgen_files::{WriteError, read_at_most, temporary_path, write_whole};

use super::{Error, PhantomSettings, mark};

/// Name of the note, which is there from the beginning to the end.
pub(super) const NOTE: &str = "PHANTOM.part.txt";
/// Name of the lock.
const LOCK: &str = ".lock";

/// A folder in which films are being drawn, by this process alone.
pub(super) struct Unfinished {
    folder: PathBuf,
    _lock: FolderLock,
}

impl Unfinished {
    /// Begins to draw into a folder that is new, empty or unfinished with the same settings.
    pub(super) fn begin(out: &Path, settings: &PhantomSettings) -> Result<Self, Error> {
        // First without the lock, which would leave its file in a folder of others.
        refuse_other_files(out, settings)?;
        let lock = FolderLock::take_as(out, LOCK)?;
        refuse_other_files(out, settings)?;
        write_whole(&out.join(NOTE), mark(settings).as_bytes())?;
        Ok(Self { folder: out.to_owned(), _lock: lock })
    }

    /// Declares the data set complete.
    pub(super) fn finish(self) -> Result<(), Error> {
        for name in [LOCK, NOTE] {
            let path = self.folder.join(name);
            fs::remove_file(&path).map_err(|source| WriteError { path, source })?;
        }
        Ok(())
    }
}

fn refuse_other_files(out: &Path, settings: &PhantomSettings) -> Result<(), Error> {
    let failed = |source| Error::Folder { path: out.to_owned(), source };
    let entries = match fs::read_dir(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let note = out.join(NOTE);
    if let Ok(text) = read_at_most(&note, 1 << 20) {
        let is_same = text == mark(settings).as_bytes();
        return if is_same { Ok(()) } else { Err(Error::Unfinished { path: out.to_owned() }) };
    }
    let ours = [out.join(LOCK), temporary_path(&note)];
    for entry in entries {
        if !ours.contains(&entry.map_err(failed)?.path()) {
            return Err(Error::NotEmpty { path: out.to_owned() });
        }
    }
    Ok(())
}

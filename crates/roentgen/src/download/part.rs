//! `NAME.part`, the bytes downloaded so far, and `NAME.part.toml`, a note of the file they belong
//! to.
//!
//! The note is written before the first byte. A part without a note, or with a note of another
//! address, is useless, and the download starts over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use roentgen_data::files::{self, WriteError};
use serde::{Deserialize, Serialize};

use super::checksum::{Checksum, Sum};
use super::response::Version;
use super::{Error, Fetched, Origin};

/// `NAME.part.toml`
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    url: String,
    #[serde(flatten)]
    version: Version,
}

/// A partly downloaded file.
#[derive(Debug)]
pub(super) struct Part {
    to: PathBuf,
    path: PathBuf,
    note: Note,
    file: File,
    bytes: u64,
    sum: Sum,
}

impl Part {
    /// Opens the part that an earlier call left of the file at `url`, or an empty one.
    pub(super) fn open(to: &Path, url: &str, mut sum: Sum) -> Result<Self, Error> {
        let path = files::temporary_path(to);
        let write = |source| WriteError { path: path.clone(), source };
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(write)?;
        }
        let note = fs::read_to_string(note_of(&path))
            .ok()
            .and_then(|text| toml::from_str::<Note>(&text).ok())
            .filter(|note| note.url == url);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(write)?;
        let bytes = match &note {
            Some(_) => sum
                .add_file(&mut file)
                .map_err(|source| Error::Read { path: path.clone(), source })?,
            None => {
                file.set_len(0).map_err(write)?;
                0
            }
        };
        let note =
            note.unwrap_or_else(|| Note { url: url.to_owned(), version: Version::default() });
        Ok(Self { to: to.to_owned(), path, note, file, bytes, sum })
    }

    /// Returns the number of bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the version of the file that the bytes belong to.
    pub(super) fn version(&self) -> &Version {
        &self.note.version
    }

    /// Returns the validator by which the server identifies that version.
    pub(super) fn validator(&self) -> Option<&str> {
        self.note.version.validator()
    }

    /// Starts over with another version.
    pub(super) fn begin(&mut self, version: Version) -> Result<(), WriteError> {
        self.empty().map_err(|source| WriteError { path: self.path.clone(), source })?;
        self.note.version = version;
        let path = note_of(&self.path);
        let text = toml::to_string(&self.note)
            .map_err(|error| WriteError { path: path.clone(), source: io::Error::other(error) })?;
        files::write_whole(&path, text.as_bytes())
    }

    fn empty(&mut self) -> io::Result<()> {
        self.sum = self.sum.restart();
        self.bytes = 0;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0)).map(|_| ())
    }

    /// Appends bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.file
            .write_all(bytes)
            .map_err(|source| WriteError { path: self.path.clone(), source })?;
        self.sum.add(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives the file its name if it is the published one, and deletes it otherwise.
    pub(super) fn finish(self, published: Option<&Checksum>) -> Result<Fetched, Error> {
        let actual = self.sum.checksum();
        if let Some(expected) = published.filter(|expected| !expected.matches(&actual)) {
            drop(self.file);
            // If the deletion fails, the next call computes the same wrong checksum and starts
            // over.
            let _ = fs::remove_file(note_of(&self.path));
            let _ = fs::remove_file(&self.path);
            return Err(Error::Checksum {
                url: self.note.url,
                expected: expected.to_string(),
                actual: actual.to_string(),
            });
        }
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.to))
            .and_then(|()| files::sync_folder(&self.to))
            .map_err(|source| WriteError { path: self.to.clone(), source })?;
        // A note without its part does no harm.
        let _ = fs::remove_file(note_of(&self.path));
        Ok(Fetched { bytes: self.bytes, checksum: actual, origin: Origin::Downloaded })
    }
}

/// Deletes the files that an unfinished download left next to `to`.
pub(crate) fn discard(to: &Path) {
    let path = files::temporary_path(to);
    // The note first: without it, the next call discards the part anyway.
    let _ = fs::remove_file(note_of(&path));
    let _ = fs::remove_file(&path);
}

fn note_of(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".toml");
    PathBuf::from(name)
}

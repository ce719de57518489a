//! Whether the files of a prepared data set are those that `prepare` wrote.
//!
//! `prepare.toml` has the SHA-256 of manifest, films and boxes, and of its own text. The manifest and the boxes are hashed whenever a
//! folder is opened. The pixels of the whole of ChestX-ray14 are gigabytes, so they are hashed once
//! per machine and state of the file, see [`remembered`](super::remembered). Folders prepared
//! before these hashes existed have the fingerprint alone, which covers manifest and pixels.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::seal::hex;
use super::{BOXES, Description, Error, MANIFEST, remembered};
use crate::boxes::{self, FindingBox};
use crate::files;
use crate::manifest::{self, Row};
use crate::store::{self, Store};

/// Bytes to hash between two calls of the progress callback.
const BLOCK: usize = 1 << 20;

/// What is known of one file of a prepared data set that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// It is the file that `prepare` wrote.
    Matches,
    /// An earlier version of the program recorded no hash of it.
    Unknown,
}

/// What is known of the files of a prepared data set that was opened. A file that has changed is an
/// error and never gets here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// `prepare.toml`
    pub description: Check,
    /// `manifest.csv`
    pub manifest: Check,
    /// `images.safetensors`
    pub films: Check,
    /// `boxes.csv`; matches if there is none and there should be none.
    pub boxes: Check,
}

impl Checks {
    /// Whether every file is known to be the one that `prepare` wrote.
    pub fn all_match(self) -> bool {
        [self.description, self.manifest, self.films, self.boxes]
            .map(|check| check == Check::Matches)
            == [true; 4]
    }
}

/// What `verify` found out about one file.
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

/// One file of a prepared data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its name in the folder.
    pub name: String,
    /// Its length; 0 if it is not there.
    pub bytes: u64,
    /// What is known of it.
    pub state: FileState,
}

/// What `verify` found out about a prepared data set.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The folder.
    pub folder: PathBuf,
    /// The content of `prepare.toml`.
    pub description: Description,
    /// Its files: description, manifest, films, boxes.
    pub files: Vec<FileReport>,
    /// Why its files do not belong together, each a sentence; empty if they do.
    pub problems: Vec<String>,
}

impl Verification {
    /// Whether no file has changed and all belong together. Files of which an earlier version
    /// recorded no hash do not count as changed.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
            && self
                .files
                .iter()
                .all(|file| matches!(file.state, FileState::Matches | FileState::Unknown))
    }
}

/// Opens the files of a prepared data set and compares them with its description.
pub(super) fn open(
    folder: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<(Description, Vec<Row>, Store, Checks), Error> {
    let (description, is_sealed) = Description::read_sealed(folder)?;
    let seal = if is_sealed { Check::Matches } else { Check::Unknown };

    let path = folder.join(MANIFEST);
    let bytes = manifest::bytes(&path)?;
    if let Some(expected) = &description.manifest_sha256
        && hex(&Sha256::digest(&bytes)) != *expected
    {
        return Err(Error::Changed { path });
    }
    let rows = manifest::parse(&path, &bytes)?;
    let store = Store::open(&folder.join(store::FILE))?;
    let agree = |problems: Vec<String>| match problems.into_iter().next() {
        Some(what) => Err(Error::Inconsistent { folder: folder.to_owned(), what }),
        None => Ok(()),
    };
    agree(problems_of_rows(&description, &rows))?;
    agree(problems_of_store(&description, &store))?;
    let boxes = open_boxes(folder, &description, &rows)?;
    check_films(folder, &description, &bytes, progress)?;
    // The fingerprint, which every version has written, covers manifest and films.
    let checks =
        Checks { description: seal, manifest: Check::Matches, films: Check::Matches, boxes };
    Ok((description, rows, store, checks))
}

/// Compares `boxes.csv` with its hash and with the films.
fn open_boxes(folder: &Path, description: &Description, rows: &[Row]) -> Result<Check, Error> {
    let path = folder.join(BOXES);
    let state = match (&description.boxes_sha256, path.exists()) {
        (None, false) => Check::Matches,
        (None, true) if description.manifest_sha256.is_some() => {
            return Err(Error::Changed { path });
        }
        (None, true) => Check::Unknown,
        (Some(_), false) => return Err(Error::Changed { path }),
        (Some(expected), true) => {
            if hash(&path, &[], &|_| ())? != *expected {
                return Err(Error::Changed { path });
            }
            Check::Matches
        }
    };
    let found = if path.exists() { boxes::read(&path)? } else { Vec::new() };
    match problems_of_boxes(description, &found, rows).into_iter().next() {
        Some(what) => Err(Error::Inconsistent { folder: folder.to_owned(), what }),
        None => Ok(state),
    }
}

/// Compares the pixels with their hash, unless this machine has done so in this state of the file.
fn check_films(
    folder: &Path,
    description: &Description,
    manifest: &[u8],
    progress: &dyn Fn(u64, u64),
) -> Result<(), Error> {
    let path = folder.join(store::FILE);
    // Without a hash of the films alone, the manifest is part of what is compared and remembered.
    let (expected, before) = match &description.images_sha256 {
        Some(expected) => (expected, &[][..]),
        None => (&description.fingerprint, manifest),
    };
    let key = match &description.images_sha256 {
        Some(expected) => expected.clone(),
        None => format!("{expected} {}", hex(&Sha256::digest(manifest))),
    };
    if remembered::is_verified(folder, &path, &key) {
        return Ok(());
    }
    let start = SystemTime::now();
    let state = remembered::state(&path);
    let bytes = state.as_ref().map_or(0, |state| state.bytes);
    let found = hash(&path, before, &|done| progress(done, bytes))?;
    if found != *expected {
        return Err(match description.images_sha256 {
            Some(_) => Error::Changed { path },
            None => Error::ChangedOneOf { folder: folder.to_owned() },
        });
    }
    remembered::remember(folder, &path, &key, state, start);
    Ok(())
}

/// Hashes all files of a prepared data set, whatever was remembered of them.
///
/// `progress` is called with the bytes of the films done and their number in all.
///
/// # Errors
///
/// Returns an error if the folder has no readable `prepare.toml`, or if a file cannot be read. A
/// file that has changed is no error: it is in what is returned.
pub fn verify(folder: &Path, progress: &dyn Fn(u64, u64)) -> Result<Verification, Error> {
    let (description, seal) = Description::read_unsealed(folder)?;
    let length = |name: &str| folder.join(name).metadata().map_or(0, |about| about.len());
    let mut files = vec![FileReport {
        name: super::prepared::FILE.to_owned(),
        bytes: length(super::prepared::FILE),
        state: match seal {
            Some(true) => FileState::Matches,
            Some(false) => FileState::Changed,
            None => FileState::Unknown,
        },
    }];
    let manifest = folder.join(MANIFEST);
    let films = folder.join(store::FILE);
    let total = length(store::FILE);
    let start = SystemTime::now();
    let state_of_films = remembered::state(&films);
    let mut check = |name: &str, expected: &Option<String>, progress: &dyn Fn(u64)| {
        let path = folder.join(name);
        let state = match (expected, path.exists()) {
            (Some(_), false) => FileState::Missing,
            (None, false) => return Ok(()),
            (None, true) => FileState::Unknown,
            (Some(expected), true) if hash(&path, &[], progress)? == *expected => {
                FileState::Matches
            }
            (Some(_), true) => FileState::Changed,
        };
        files.push(FileReport { name: name.to_owned(), bytes: length(name), state });
        Ok::<(), Error>(())
    };
    if description.manifest_sha256.is_some() {
        check(MANIFEST, &description.manifest_sha256, &|_| ())?;
        check(store::FILE, &description.images_sha256, &|done| progress(done, total))?;
        check(BOXES, &description.boxes_sha256, &|_| ())?;
        if let Some(boxes) = files.iter_mut().find(|file| file.name == BOXES)
            && boxes.state == FileState::Unknown
        {
            boxes.state = FileState::Unexpected;
        }
    } else {
        let both = manifest.exists() && films.exists();
        let matches = both && {
            let before = files::open(&manifest).and_then(read_all).map_err(read(&manifest))?;
            hash(&films, &before, &|done| progress(done, total))? == description.fingerprint
        };
        for name in [MANIFEST, store::FILE] {
            let state = if !folder.join(name).exists() {
                FileState::Missing
            } else if matches {
                FileState::Matches
            } else {
                FileState::Changed
            };
            files.push(FileReport { name: name.to_owned(), bytes: length(name), state });
        }
        if folder.join(BOXES).exists() {
            let state = FileState::Unknown;
            files.push(FileReport { name: BOXES.to_owned(), bytes: length(BOXES), state });
        }
    }
    if let Some(key) = &description.images_sha256
        && files.iter().any(|file| file.name == store::FILE && file.state == FileState::Matches)
    {
        remembered::remember(folder, &films, key, state_of_films, start);
    }
    let problems = problems(folder, &description);
    Ok(Verification { folder: folder.to_owned(), description, files, problems })
}

/// Returns why the files of a folder do not belong together.
fn problems(folder: &Path, description: &Description) -> Vec<String> {
    let path = folder.join(MANIFEST);
    let rows = match manifest::bytes(&path).and_then(|bytes| manifest::parse(&path, &bytes)) {
        Ok(rows) => rows,
        Err(error) => return vec![with_causes(&error)],
    };
    let mut problems = problems_of_rows(description, &rows);
    match Store::open(&folder.join(store::FILE)) {
        Ok(store) => problems.extend(problems_of_store(description, &store)),
        Err(error) => problems.push(with_causes(&error)),
    }
    let path = folder.join(BOXES);
    if path.exists() {
        match boxes::read(&path) {
            Ok(boxes) => problems.extend(problems_of_boxes(description, &boxes, &rows)),
            Err(error) => problems.push(with_causes(&error)),
        }
    }
    problems
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn problems_of_rows(description: &Description, rows: &[Row]) -> Vec<String> {
    let mut problems = Vec::new();
    let counts = |what: &str, has: usize, says: usize| {
        (has != says)
            .then(|| format!("`manifest.csv` has {has} {what}, but `prepare.toml` says {says}"))
    };
    problems.extend(counts("films", rows.len(), description.films));
    let patients = rows.iter().map(|row| row.patient).collect::<HashSet<_>>().len();
    problems.extend(counts("patients", patients, description.patients));
    let mut names = HashSet::new();
    if let Some(row) = rows.iter().find(|row| !names.insert(row.image.as_str())) {
        problems.push(format!("`manifest.csv` lists `{}` twice", row.image));
    }
    if let Some(row) = rows.iter().find(|row| row.image.is_empty() || row.file_size.contains(&0)) {
        problems.push(format!("`manifest.csv` has a film without a name or size: `{}`", row.image));
    }
    problems
}

fn problems_of_store(description: &Description, store: &Store) -> Vec<String> {
    let mut problems = Vec::new();
    let name = store::FILE;
    if store.len() != description.films {
        let (has, says) = (store.len(), description.films);
        problems.push(format!("`{name}` has {has} films, but `prepare.toml` says {says}"));
    }
    if store.size() != description.size as usize {
        let (has, says) = (store.size(), description.size);
        problems.push(format!("`{name}` has films of {has} px, but `prepare.toml` says {says} px"));
    }
    problems
}

fn problems_of_boxes(description: &Description, boxes: &[FindingBox], rows: &[Row]) -> Vec<String> {
    let mut problems = Vec::new();
    if boxes.len() != description.boxes {
        let (has, says) = (boxes.len(), description.boxes);
        problems.push(format!("`{BOXES}` has {has} boxes, but `prepare.toml` says {says}"));
    }
    let names: HashSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
    if let Some(found) = boxes.iter().find(|found| !names.contains(found.image.as_str())) {
        problems.push(format!("`{BOXES}` has a box of `{}`, which is no film", found.image));
    }
    problems
}

/// Returns the SHA-256 of `before` followed by the file.
pub(super) fn hash(path: &Path, before: &[u8], progress: &dyn Fn(u64)) -> Result<String, Error> {
    let mut hash = Sha256::new_with_prefix(before);
    each_block(path, |block| hash.update(block), progress).map_err(read(path))?;
    Ok(hex(&hash.finalize()))
}

/// Reads a file block by block.
pub(super) fn each_block(
    path: &Path,
    mut take: impl FnMut(&[u8]),
    progress: &dyn Fn(u64),
) -> io::Result<()> {
    let mut file = files::open(path)?;
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                take(&block[..read]);
                done += read as u64;
                progress(done);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_all(mut file: std::fs::File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    |source| Error::Read { path: path.to_owned(), source }
}

//! Whether the files of a prepared data set are those that `prepare` wrote.
//!
//! `prepare.toml` has the SHA-256 of every other file, and of its own text. All but the pixels are
//! hashed whenever a folder is opened. The pixels of the whole of ChestX-ray14 are gigabytes, so
//! they are hashed once per machine and state of the file, see [`remembered`](super::remembered).
//! Folders prepared before these hashes existed have the fingerprint alone, which covers manifest
//! and pixels.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::digest::{hash, hex};
use super::sealed_table::{FileState, SealedTable};
use super::{BOXES, Check, Checks, Error, MANIFEST, Prepared, PreparedInfo, remembered};
use crate::boxes::{self, FindingBox};
use crate::manifest::{self, ManifestRow};
use crate::store::{self, Store};

impl Prepared {
    /// Opens the prepared data set in `folder` and checks that its files are those that `prepare`
    /// wrote. The pixels are compared with their hash the first time on each machine.
    ///
    /// # Errors
    ///
    /// Returns an error if a file is missing, damaged, has changed or is inconsistent with the
    /// others.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Self::open_with(folder, &|_, _| ())
    }

    /// Opens the prepared data set in `folder` like [`Prepared::open`]. While the pixels are
    /// compared with their hash, `progress` is called with the bytes done and the bytes in all.
    ///
    /// # Errors
    ///
    /// As [`Prepared::open`].
    pub fn open_with(folder: &Path, progress: &dyn Fn(u64, u64)) -> Result<Self, Error> {
        let (description, rows, store, checks) = open(folder, progress)?;
        Ok(Self { folder: folder.to_owned(), description, rows, store, checks })
    }
}

/// Opens the files of a prepared data set and compares them with its description.
fn open(
    folder: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<(PreparedInfo, Vec<ManifestRow>, Store, Checks), Error> {
    let (description, is_sealed) = PreparedInfo::read_sealed(folder)?;
    let seal = if is_sealed { Check::Matches } else { Check::Unknown };
    let (bytes, rows, store) = open_tables(folder, &description)?;
    let boxes = open_boxes(folder, &description, &rows)?;
    check_films(folder, &description, &bytes, progress)?;
    // The fingerprint, which every version has written, covers manifest and films.
    let checks = Checks {
        description: seal,
        manifest: Check::Matches,
        films: Check::Matches,
        boxes,
        bad_films: check_table(folder, &description.bad_films_table())?,
        duplicates: check_table(folder, &description.duplicates_table())?,
    };
    Ok((description, rows, store, checks))
}

/// Checks a folder in which `prepare` has nothing to do, without reading its pixels.
pub(super) fn check_but_pixels(folder: &Path, description: &PreparedInfo) -> Result<(), Error> {
    let (_, rows, _) = open_tables(folder, description)?;
    open_boxes(folder, description, &rows)?;
    check_table(folder, &description.bad_films_table())?;
    check_table(folder, &description.duplicates_table()).map(|_| ())
}

/// Opens manifest and films, and compares the manifest with its hash and both with the description.
fn open_tables(
    folder: &Path,
    description: &PreparedInfo,
) -> Result<(Vec<u8>, Vec<ManifestRow>, Store), Error> {
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
    agree(problems_of_rows(description, &rows))?;
    agree(problems_of_store(description, &store))?;
    Ok((bytes, rows, store))
}

/// Compares `boxes.csv` with its hash and with the films.
fn open_boxes(
    folder: &Path,
    description: &PreparedInfo,
    rows: &[ManifestRow],
) -> Result<Check, Error> {
    let check = check_table(folder, &description.boxes_table())?;
    let path = folder.join(BOXES);
    let found = if path.exists() { boxes::read(&path)? } else { Vec::new() };
    match problems_of_boxes(description, &found, rows).into_iter().next() {
        Some(what) => Err(Error::Inconsistent { folder: folder.to_owned(), what }),
        None => Ok(check),
    }
}

/// Compares a table with its hash.
fn check_table(folder: &Path, table: &SealedTable<'_>) -> Result<Check, Error> {
    match table.state(folder)? {
        None | Some(FileState::Matches) => Ok(Check::Matches),
        Some(FileState::Unknown) => Ok(Check::Unknown),
        Some(FileState::Changed | FileState::Missing | FileState::Unexpected) => {
            Err(Error::Changed { path: folder.join(table.name) })
        }
    }
}

/// Compares the pixels with their hash, unless this machine has done so in this state of the file.
fn check_films(
    folder: &Path,
    description: &PreparedInfo,
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

pub(super) fn problems_of_rows(description: &PreparedInfo, rows: &[ManifestRow]) -> Vec<String> {
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

pub(super) fn problems_of_store(description: &PreparedInfo, store: &Store) -> Vec<String> {
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

pub(super) fn problems_of_boxes(
    description: &PreparedInfo,
    boxes: &[FindingBox],
    rows: &[ManifestRow],
) -> Vec<String> {
    let mut problems = Vec::new();
    if boxes.len() != description.boxes {
        let (has, says) = (boxes.len(), description.boxes);
        problems.push(format!("`{BOXES}` has {has} boxes, but `prepare.toml` says {says}"));
    }
    let names: HashSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
    if let Some(found) = boxes.iter().find(|found| !names.contains(found.image.as_str())) {
        problems.push(format!(
            "`{BOXES}` has a box of `{}`, which is not one of the films",
            found.image
        ));
    }
    problems
}

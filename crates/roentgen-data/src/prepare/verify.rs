//! `verify`: hashes every file of a prepared data set, whatever was remembered of them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use super::digest::{hash, read};
use super::integrity::{problems_of_boxes, problems_of_rows, problems_of_store};
use super::sealed_table::FileState;
use super::{BOXES, Error, MANIFEST, PreparedInfo, prepared, remembered};
use crate::boxes;
use crate::files;
use crate::manifest;
use crate::store::{self, Store};

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
    pub description: PreparedInfo,
    /// Its files, `prepare.toml` first.
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

/// Hashes all files of a prepared data set, whatever was remembered of them.
///
/// `progress` is called with the bytes of the films done and their number in all.
///
/// # Errors
///
/// Returns an error if the folder has no readable `prepare.toml`, or if a file cannot be read. A
/// file that has changed is not an error: it is part of what is returned.
pub fn verify(folder: &Path, progress: &dyn Fn(u64, u64)) -> Result<Verification, Error> {
    let (description, seal) = PreparedInfo::read_unsealed(folder)?;
    let report = |name: &str, state| {
        let bytes = folder.join(name).metadata().map_or(0, |about| about.len());
        FileReport { name: name.to_owned(), bytes, state }
    };
    let seal = match seal {
        Some(true) => FileState::Matches,
        Some(false) => FileState::Changed,
        None => FileState::Unknown,
    };
    let mut files = vec![report(prepared::FILE, seal)];
    let [manifest, films] = manifest_and_films(folder, &description, progress)?;
    files.push(report(MANIFEST, manifest));
    files.push(report(store::FILE, films));
    for table in
        [description.boxes_table(), description.bad_films_table(), description.duplicates_table()]
    {
        files.extend(table.state(folder)?.map(|state| report(table.name, state)));
    }
    let problems = problems(folder, &description);
    Ok(Verification { folder: folder.to_owned(), description, files, problems })
}

/// Compares manifest and films with their hashes, or with the hash of both that earlier versions
/// wrote.
fn manifest_and_films(
    folder: &Path,
    description: &PreparedInfo,
    progress: &dyn Fn(u64, u64),
) -> Result<[FileState; 2], Error> {
    let paths = [MANIFEST, store::FILE].map(|name| folder.join(name));
    let [manifest, films] = &paths;
    let total = films.metadata().map_or(0, |about| about.len());
    let progress = |done| progress(done, total);
    let start = SystemTime::now();
    let before = remembered::state(films);
    let (Some(of_manifest), Some(of_films)) =
        (&description.manifest_sha256, &description.images_sha256)
    else {
        let both = manifest.exists() && films.exists();
        let matches = both && {
            let bytes = files::open(manifest).and_then(read_all).map_err(read(manifest))?;
            hash(films, &bytes, &progress)? == description.fingerprint
        };
        return Ok(paths.map(|path| match path.exists() {
            false => FileState::Missing,
            true if matches => FileState::Matches,
            true => FileState::Changed,
        }));
    };
    let state = |path: &Path, expected: &str, progress: &dyn Fn(u64)| {
        Ok::<_, Error>(match path.exists() {
            false => FileState::Missing,
            true if hash(path, &[], progress)? == expected => FileState::Matches,
            true => FileState::Changed,
        })
    };
    let states = [state(manifest, of_manifest, &|_| ())?, state(films, of_films, &progress)?];
    if states[1] == FileState::Matches {
        remembered::remember(folder, films, of_films, before, start);
    }
    Ok(states)
}

/// Returns why the files of a folder do not belong together.
fn problems(folder: &Path, description: &PreparedInfo) -> Vec<String> {
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

fn read_all(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

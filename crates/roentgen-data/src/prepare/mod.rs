//! `prepare`: turns a folder of films into `manifest.csv`, `images.safetensors` and `prepare.toml`.
//!
//! Films are decoded in blocks on all cores. After each block a journal records which films are on
//! disk, so a killed run resumes there and ends with the same bytes. A bad film is left out and
//! listed; it does not stop the run.

mod check;
mod digest;
mod done;
mod duplicates;
mod error;
mod integrity;
mod journal;
mod labelled;
mod lists;
mod opened;
mod pack;
mod prepared;
mod remembered;
mod repaired;
pub(crate) mod seal;
mod sealed_table;
mod verify;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, WriteError};
use crate::lock::FolderLock;
use crate::manifest::ManifestRow;
use crate::metadata::LabelFile;
use crate::nih::Layout;
use crate::pixels::Filter;
use crate::store::{self, GrowingStore};
use crate::{boxes, prepare::journal::Journal};

pub use duplicates::{Duplicate, Likeness};
pub use error::Error;
pub use labelled::Labelled;
pub use lists::Lists;
pub use opened::{Check, Checks};
pub use prepared::{PatientNumbers, Prepared, PreparedInfo};
pub use sealed_table::FileState;
pub use verify::{FileReport, Verification, verify};

/// Name of the list of films.
const MANIFEST: &str = "manifest.csv";
/// Name of the file that lists films left out of the prepared data set.
pub const BAD_FILMS: &str = "bad-films.csv";
/// Name of the file that lists films which several patients or lists share.
pub const DUPLICATES: &str = "duplicates.csv";
/// Name of the file with the boxes of a prepared data set, in the 1024-pixel frame.
pub(crate) const BOXES: &str = "boxes.csv";

/// Settings of `prepare`.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareSettings {
    /// Height and width of the prepared films, in pixels.
    pub size: u32,
    /// The filter used to resize films.
    pub filter: Filter,
    /// The label file, if it is not below the folder of films.
    pub labels: Option<PathBuf>,
    /// Whether films may differ in size on disk.
    pub any_size: bool,
}

impl PrepareSettings {
    /// Identifies the settings of an unfinished `prepare`.
    fn name(&self) -> String {
        format!("{} px, {:?}, any size {}", self.size, self.filter, self.any_size)
    }
}

/// A film that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadFilm {
    /// Its file name.
    pub image: String,
    /// The reason.
    pub reason: String,
}

impl BadFilm {
    /// Whether the film was left out for its size alone.
    fn is_of_another_size(&self) -> bool {
        self.reason.starts_with(check::WRONG_SIZE)
    }
}

/// The outcome of `prepare`.
#[derive(Clone, Debug)]
pub struct PrepareOutcome {
    /// The content of `prepare.toml`.
    pub description: PreparedInfo,
    /// Films left out, each with its reason.
    pub bad: Vec<BadFilm>,
    /// Films that are identical, or nearly, although they are of different patients or on different
    /// official lists.
    pub duplicates: Vec<Duplicate>,
    /// Number of film files that the label file does not list.
    pub unlisted: usize,
    /// Number of names on the official lists that the label file does not have.
    pub lists_only: usize,
    /// Number of ages above 100.
    pub above_100: usize,
}

/// Current step of `prepare`, with films done and films in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrepareProgress {
    /// Reading the headers of the films.
    Checking(usize, usize),
    /// Decoding, resizing, packing.
    Packing(usize, usize),
    /// Computing the fingerprint.
    Sealing,
}

/// Prepares the data set below `source` into the folder `out`.
///
/// # Errors
///
/// Returns an error if `source` is not a data set, if tables cannot be read, if `out` contains
/// something else, or if a file cannot be written. Bad films are not an error: they are in the
/// outcome.
pub fn prepare(
    source: &Path,
    out: &Path,
    settings: &PrepareSettings,
    progress: &(dyn Fn(PrepareProgress) + Sync),
) -> Result<PrepareOutcome, Error> {
    if !(16..=4096).contains(&settings.size) {
        return Err(Error::Size(settings.size));
    }
    let layout = Layout::find(source, settings.labels.as_deref())?;
    let labels = LabelFile::read(&layout.labels)?;
    let lists = Lists::read(&layout, &labels)?;
    let inputs = done::fingerprint_of_inputs(&layout, &labels, settings)?;
    let mut outcome = PrepareOutcome {
        description: PreparedInfo::new(source, settings, &layout, &labels, &inputs),
        bad: Vec::new(),
        duplicates: Vec::new(),
        unlisted: count_unlisted(&layout, &labels),
        lists_only: lists.count_unknown(&labels),
        above_100: labels.films.iter().filter(|film| film.age.is_some_and(|age| age > 100)).count(),
    };

    // A finished folder does not change any more and may be read-only.
    if done::is_done(out, &layout, settings, &inputs, &mut outcome)? {
        return Ok(outcome);
    }
    let _lock = FolderLock::take(out)?;
    // Another process may have finished meanwhile, perhaps with other films.
    if done::is_done(out, &layout, settings, &inputs, &mut outcome)? {
        return Ok(outcome);
    }

    let checked = check::films(&layout, &labels.films, settings, progress);
    outcome.bad = checked.bad;
    let packed = pack::pack(out, &checked.good, settings, &inputs, progress)?;
    let (rows, paths): (Vec<ManifestRow>, Vec<&Path>) = checked
        .good
        .iter()
        .zip(&packed.kept)
        .filter(|(_, kept)| **kept)
        .map(|(film, _)| {
            (ManifestRow::of(film.film, lists.of(&film.film.image), film.file_size), film.path)
        })
        .unzip();
    outcome.bad.extend(packed.bad);
    outcome.bad.sort_by(|a, b| a.image.cmp(&b.image));
    if rows.is_empty() {
        let first = outcome.bad.first();
        return Err(Error::NoFilms {
            listed: labels.films.len(),
            labels: labels.path,
            image: first.map_or_else(String::new, |bad| bad.image.clone()),
            reason: first.map_or_else(String::new, |bad| bad.reason.clone()),
        });
    }
    progress(PrepareProgress::Sealing);
    note_duplicates(out, &rows, &paths, settings, &mut outcome)?;
    finish(out, packed.store, &rows, &layout, &mut outcome)?;
    Ok(outcome)
}

/// Counts films in words: `1 film`, `2 films`.
pub(crate) fn count_films(count: usize) -> String {
    format!("{count} {}", if count == 1 { "film" } else { "films" })
}

/// Looks for films that several patients or lists share, and writes them next to the pixels.
fn note_duplicates(
    out: &Path,
    rows: &[ManifestRow],
    paths: &[&Path],
    settings: &PrepareSettings,
    outcome: &mut PrepareOutcome,
) -> Result<(), Error> {
    let store = files::temporary_path(&out.join(store::FILE));
    outcome.duplicates = duplicates::find(rows, paths, &store, settings.size as usize)
        .map_err(|source| Error::Read { path: store, source })?;
    let count = |likeness| {
        Some(outcome.duplicates.iter().filter(|found| found.likeness == likeness).count())
    };
    outcome.description.duplicates = count(Likeness::Same);
    outcome.description.near_duplicates = count(Likeness::Near);
    Ok(prepared::write_duplicates(out, &outcome.duplicates)?)
}

/// Writes boxes and bad films next to the pixels and seals the folder.
fn finish(
    out: &Path,
    store: GrowingStore,
    rows: &[ManifestRow],
    layout: &Layout,
    outcome: &mut PrepareOutcome,
) -> Result<(), Error> {
    if let Some(list) = &layout.boxes {
        let on: HashSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
        let mut boxes = boxes::read(list)?;
        boxes.retain(|found| on.contains(found.image.as_str()));
        prepared::write_boxes(out, &boxes)?;
        outcome.description.boxes = boxes.len();
    } else if let Err(source) = fs::remove_file(out.join(BOXES))
        && source.kind() != std::io::ErrorKind::NotFound
    {
        // An interrupted run had a box list.
        return Err(WriteError { path: out.join(BOXES), source }.into());
    }
    seal::seal(out, store, rows, &outcome.bad, &mut outcome.description)?;
    Journal::remove(out);
    Ok(())
}

fn count_unlisted(layout: &Layout, labels: &LabelFile) -> usize {
    let listed: HashSet<&str> = labels.films.iter().map(|film| film.image.as_str()).collect();
    layout.films.keys().filter(|name| !listed.contains(name.as_str())).count()
}

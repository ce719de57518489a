//! `prepare`: turns a folder of films into `manifest.csv`, `images.safetensors` and `prepare.toml`.
//!
//! Films are decoded in blocks on all cores. After each block a journal records which films are on
//! disk, so a killed run resumes there and ends with the same bytes. A bad film is left out and
//! listed; it does not stop the run.

mod check;
mod digest;
mod duplicates;
mod error;
mod integrity;
mod journal;
mod labelled;
mod lists;
mod opened;
mod prepared;
mod remembered;
pub(crate) mod seal;
mod sealed_table;
mod verify;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::archive;
use crate::files::{self, WriteError};
use crate::lock::FolderLock;
use crate::manifest::ManifestRow;
use crate::metadata::LabelFile;
use crate::nih::Layout;
use crate::pixels::{self, Filter};
use crate::store::{self, GrowingStore};
use crate::{boxes, prepare::journal::Journal};

pub use duplicates::{Duplicate, Likeness};
pub use error::Error;
pub use labelled::Labelled;
use lists::Lists;
pub use opened::{Check, Checks};
pub use prepared::{PatientNumbers, Prepared, PreparedInfo};
pub use sealed_table::FileState;
pub use verify::{FileReport, Verification, verify};

/// Films to decode between two entries in the journal, at most.
const BLOCK: usize = 256;
/// Bytes of decoded films that wait for the disk, at most, unless that is less than a few films.
const BLOCK_BYTES: usize = 64 << 20;
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
    let inputs = fingerprint_of_inputs(&layout, &labels, settings)?;
    let mut outcome = PrepareOutcome {
        description: PreparedInfo::new(source, settings, &layout, &labels, &inputs),
        bad: Vec::new(),
        duplicates: Vec::new(),
        unlisted: count_unlisted(&layout, &labels),
        lists_only: lists.count_unknown(&labels),
        above_100: labels.films.iter().filter(|film| film.age.is_some_and(|age| age > 100)).count(),
    };

    // A finished folder does not change any more and may be read-only.
    if is_done(out, settings, &inputs, &mut outcome)? {
        return Ok(outcome);
    }
    let _lock = FolderLock::take(out)?;
    // Another process may have finished meanwhile, perhaps with other films.
    if is_done(out, settings, &inputs, &mut outcome)? {
        return Ok(outcome);
    }

    let checked = check::films(&layout, &labels.films, settings, progress);
    outcome.bad = checked.bad;
    let packed = pack(out, &checked.good, settings, &inputs, progress)?;
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

/// Whether `out` contains what is to be prepared; its description and bad films are then in
/// `outcome`.
///
/// # Errors
///
/// Returns an error if `out` contains another data set.
fn is_done(
    out: &Path,
    settings: &PrepareSettings,
    inputs: &str,
    outcome: &mut PrepareOutcome,
) -> Result<bool, Error> {
    let Some(done) = PreparedInfo::read_if_there(out)? else { return Ok(false) };
    if done.inputs != inputs {
        let same = done.size == settings.size && done.filter == Some(settings.filter);
        let other = if same { ", prepared from other films or tables" } else { "" };
        let what = format!("{} films of {} px{other}", done.films, done.size);
        return Err(Error::Mixed { path: out.to_owned(), what });
    }
    outcome.bad = prepared::read_bad_films(out)?;
    outcome.duplicates = prepared::read_duplicates(out)?;
    outcome.description = done;
    Ok(true)
}

/// Returns the number of films of `size` px that are decoded, or read again, at a time.
fn films_at_a_time(size: usize) -> usize {
    (BLOCK_BYTES / (size * size)).clamp(8, BLOCK)
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

struct Packed {
    store: GrowingStore,
    kept: Vec<bool>,
    bad: Vec<BadFilm>,
}

/// Decodes, resizes and appends films, starting where the journal ends.
fn pack(
    out: &Path,
    films: &[check::Checked<'_>],
    settings: &PrepareSettings,
    inputs: &str,
    progress: &(dyn Fn(PrepareProgress) + Sync),
) -> Result<Packed, Error> {
    let path = files::temporary_path(&out.join(store::FILE));
    let failed = |source| WriteError { path: path.clone(), source };
    let whole = out.join(store::FILE);
    if !path.exists() && whole.exists() {
        // The earlier run was killed after the films were renamed and before `prepare.toml` was.
        fs::rename(&whole, &path).map_err(failed)?;
    }
    let mut journal = Journal::resume(out, &settings.name(), inputs)?;
    let size = settings.size as usize;
    let start = journal.films.min(films.len());
    let mut store =
        GrowingStore::open(&path, size, start - journal.bad.len().min(start)).map_err(failed)?;

    let many = films_at_a_time(size);
    for (block, at) in films[start..].chunks(many).zip((start..).step_by(many)) {
        progress(PrepareProgress::Packing(at, films.len()));
        let done = std::sync::atomic::AtomicUsize::new(at);
        let planes: Vec<Result<Vec<u8>, pixels::Error>> = block
            .par_iter()
            .map(|film| {
                let plane = pixels::read_resized(film.path, settings.size, settings.filter);
                let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
                progress(PrepareProgress::Packing(done, films.len()));
                plane.map(|plane| plane.pixels)
            })
            .collect();
        let mut good = Vec::with_capacity(planes.len());
        for (film, plane) in block.iter().zip(planes) {
            match plane {
                Ok(pixels) => good.push(pixels),
                Err(error) => journal
                    .bad
                    .push(BadFilm { image: film.film.image.clone(), reason: error.to_string() }),
            }
        }
        store.append(&good).map_err(failed)?;
        journal.films = at + block.len();
        journal.write(out)?;
    }
    progress(PrepareProgress::Packing(films.len(), films.len()));

    let bad_names: HashSet<&str> = journal.bad.iter().map(|bad| bad.image.as_str()).collect();
    let kept = films.iter().map(|film| !bad_names.contains(film.film.image.as_str())).collect();
    Ok(Packed { store, kept, bad: journal.bad })
}

fn count_unlisted(layout: &Layout, labels: &LabelFile) -> usize {
    let listed: HashSet<&str> = labels.films.iter().map(|film| film.image.as_str()).collect();
    layout.films.keys().filter(|name| !listed.contains(name.as_str())).count()
}

/// Hashes everything that determines the result: settings, tables, names and lengths of films.
fn fingerprint_of_inputs(
    layout: &Layout,
    labels: &LabelFile,
    settings: &PrepareSettings,
) -> Result<String, Error> {
    let mut hash = Sha256::new();
    hash.update(format!("{} {:?} {}\n", settings.size, settings.filter, settings.any_size));
    let tables = [
        Some(&labels.path),
        layout.train_val.as_ref(),
        layout.test.as_ref(),
        layout.boxes.as_ref(),
    ];
    for path in tables.into_iter().flatten() {
        digest::each_block(path, |block| hash.update(block), &|_| ())
            .map_err(|source| Error::Read { path: path.clone(), source })?;
    }
    // A repaired film has another length; its content is not read just for this.
    for (name, path) in &layout.films {
        let bytes = archive::length(path);
        hash.update(format!("{name} {bytes}\n"));
    }
    Ok(digest::hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_films_are_decoded_a_few_at_a_time() {
        assert_eq!(films_at_a_time(16), 256);
        assert_eq!(films_at_a_time(512), 256);
        assert_eq!(films_at_a_time(1024), 64);
        assert_eq!(films_at_a_time(4096), 8);
    }
}

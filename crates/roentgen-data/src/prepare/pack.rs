//! Decodes, resizes and appends films, a block at a time.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::check::Checked;
use super::journal::Journal;
use super::repaired::repaired;
use super::{BadFilm, Error, PrepareProgress, PrepareSettings};
use crate::files::{self, WriteError};
use crate::pixels;
use crate::selection;
use crate::store::{self, GrowingStore};

/// Films to decode between two entries in the journal, at most.
const BLOCK: usize = 256;
/// Bytes of decoded films that wait for the disk, at most, unless that is less than a few films.
const BLOCK_BYTES: usize = 64 << 20;

/// The films on disk.
pub(super) struct Packed {
    pub(super) store: GrowingStore,
    /// Which of the films with a valid header are among them.
    pub(super) kept: Vec<bool>,
    /// The others, with the reason.
    pub(super) bad: Vec<BadFilm>,
}

/// Decodes, resizes and appends films, starting where the journal ends.
pub(super) fn pack(
    out: &Path,
    films: &[Checked<'_>],
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
    // The films on disk are counted in the order of those with a valid header.
    let names = films.iter().map(|film| film.film.image.as_str());
    let inputs = format!("{inputs} {}", selection::fingerprint(names));
    let mut journal = Journal::resume(out, &settings.name(), &inputs)?;
    let path_of =
        |image: &str| films.iter().find(|film| film.film.image == image).map(|film| film.path);
    let is_repaired = repaired(&journal.bad, path_of, settings).is_some();
    if is_repaired {
        journal.start_over();
    }
    let size = settings.size as usize;
    let start = journal.films.min(films.len());
    let mut store =
        GrowingStore::open(&path, size, start - journal.bad.len().min(start)).map_err(failed)?;

    let many = films_at_a_time(size);
    for (block, at) in films[start..].chunks(many).zip((start..).step_by(many)) {
        progress(PrepareProgress::Packing(at, films.len()));
        let done = AtomicUsize::new(at);
        let planes: Vec<Result<Vec<u8>, pixels::Error>> = block
            .par_iter()
            .map(|film| {
                let plane = pixels::read_resized(film.path, settings.size, settings.filter);
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
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

/// Returns the number of films of `size` px that are decoded, or read again, at a time.
pub(super) fn films_at_a_time(size: usize) -> usize {
    (BLOCK_BYTES / (size * size)).clamp(8, BLOCK)
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

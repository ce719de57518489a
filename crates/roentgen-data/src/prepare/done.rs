//! Whether a folder already contains what is to be prepared.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::repaired::repaired;
use super::{
    Error, PrepareOutcome, PrepareSettings, PreparedInfo, count_films, digest, integrity, prepared,
};
use crate::archive;
use crate::metadata::LabelFile;
use crate::nih::Layout;

/// Whether `out` contains what is to be prepared; its description and bad films are then in
/// `outcome`.
///
/// # Errors
///
/// Returns an error if `out` contains another data set.
pub(super) fn is_done(
    out: &Path,
    layout: &Layout,
    settings: &PrepareSettings,
    inputs: &str,
    outcome: &mut PrepareOutcome,
) -> Result<bool, Error> {
    let Some(done) = PreparedInfo::read_if_there(out)? else { return Ok(false) };
    if done.inputs != inputs {
        let same = done.size == settings.size && done.filter == Some(settings.filter);
        let other = if same { ", prepared from other films or tables" } else { "" };
        let what = format!("{} of {} px{other}", count_films(done.films), done.size);
        return Err(Error::Mixed { path: out.to_owned(), what });
    }
    integrity::check_but_pixels(out, &done)?;
    outcome.bad = prepared::read_bad_films(out)?;
    // Of two films of one name, the one that was used is not a bad film.
    let is_again = |image: &str| {
        layout.again.iter().any(|path| path.file_name().is_some_and(|of| of == image))
    };
    let path_of =
        |image: &str| layout.films.get(image).map(PathBuf::as_path).filter(|_| !is_again(image));
    if let Some(image) = repaired(&outcome.bad, path_of, settings) {
        let what =
            format!("{}, prepared when `{image}` could not be read", count_films(done.films));
        return Err(Error::Mixed { path: out.to_owned(), what });
    }
    outcome.duplicates = prepared::read_duplicates(out)?;
    outcome.description = done;
    Ok(true)
}

/// Hashes everything that determines the result: settings, tables, names and lengths of films.
pub(super) fn fingerprint_of_inputs(
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
    // The content is not read just for this; a repaired film is looked for among the bad ones.
    for (name, path) in &layout.films {
        let bytes = archive::length(path);
        hash.update(format!("{name} {bytes}\n"));
    }
    Ok(digest::hex(&hash.finalize()))
}

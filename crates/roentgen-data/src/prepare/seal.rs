//! The last step of preparing a data set: files get their final names, `prepare.toml` last.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::digest::hex;
use super::{
    BAD_FILMS, BOXES, BadFilm, DUPLICATES, Error, MANIFEST, PreparedInfo, digest, prepared,
};
use crate::files::{self, WriteError};
use crate::manifest::{self, ManifestRow};
use crate::store::{self, GrowingStore};

/// Writes the manifest and the list of bad films next to the pixels, fills in the counts and the
/// fingerprint of `description`, and gives every file its final name.
///
/// # Errors
///
/// Returns an error if a file cannot be written; without `prepare.toml` the folder is not a
/// prepared data set.
pub(crate) fn seal(
    out: &Path,
    store: GrowingStore,
    rows: &[ManifestRow],
    bad: &[BadFilm],
    description: &mut PreparedInfo,
) -> Result<(), Error> {
    let path = out.join(store::FILE);
    let failed = |source| WriteError { path: path.clone(), source };
    store.finish(rows.len()).map_err(failed)?;
    let manifest = out.join(MANIFEST);
    manifest::write(&manifest, rows)?;
    prepared::write_bad_films(out, bad)?;
    let growing = files::temporary_path(&path);
    description.films = rows.len();
    description.patients = rows.iter().map(|row| row.patient).collect::<HashSet<_>>().len();
    description.bad_films = bad.len();
    hash(&manifest, &growing, description)?;
    let table = |name: &str| {
        let path = out.join(name);
        path.exists().then(|| digest::hash(&path, &[], &|_| ())).transpose()
    };
    description.boxes_sha256 = table(BOXES)?;
    description.bad_films_sha256 = table(BAD_FILMS)?;
    description.duplicates_sha256 = table(DUPLICATES)?;
    fs::rename(&growing, &path).and_then(|()| files::sync_folder(&path)).map_err(failed)?;
    Ok(description.write(out)?)
}

/// Fills in the hashes of manifest and films, and the fingerprint of both.
fn hash(manifest: &Path, films: &Path, description: &mut PreparedInfo) -> Result<(), Error> {
    let mut whole = Sha256::new();
    let mut each = [Sha256::new(), Sha256::new()];
    for (path, hash) in [manifest, films].into_iter().zip(&mut each) {
        let both = |block: &[u8]| {
            whole.update(block);
            hash.update(block);
        };
        digest::each_block(path, both, &|_| ())
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    }
    let [manifest, films] = each.map(|hash| hex(&hash.finalize()));
    description.fingerprint = hex(&whole.finalize());
    description.manifest_sha256 = Some(manifest);
    description.images_sha256 = Some(films);
    Ok(())
}

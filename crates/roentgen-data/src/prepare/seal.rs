//! The last step of preparing a data set: files get their final names, `prepare.toml` last.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BadFilm, Description, Error, prepared};
use crate::files::{self, WriteError};
use crate::manifest::{self, Row};
use crate::store::{self, Growing};

/// Writes the manifest and the list of bad films next to the pixels, fills in the counts and the
/// fingerprint of `description`, and gives every file its final name.
///
/// # Errors
///
/// Returns an error if a file cannot be written; without `prepare.toml` the folder is not a
/// prepared data set.
pub(crate) fn seal(
    out: &Path,
    store: Growing,
    rows: &[Row],
    bad: &[BadFilm],
    description: &mut Description,
) -> Result<(), Error> {
    let path = out.join(store::FILE);
    let failed = |source| WriteError { path: path.clone(), source };
    store.finish(rows.len()).map_err(failed)?;
    manifest::write(&out.join("manifest.csv"), rows)?;
    prepared::write_bad_films(out, bad)?;
    let growing = files::aside(&path);
    description.films = rows.len();
    description.patients = rows.iter().map(|row| row.patient).collect::<HashSet<_>>().len();
    description.bad_films = bad.len();
    description.fingerprint = fingerprint(&[out.join("manifest.csv"), growing.clone()])?;
    fs::rename(&growing, &path).and_then(|()| files::sync_folder(&path)).map_err(failed)?;
    Ok(description.write(out)?)
}

fn fingerprint(paths: &[PathBuf]) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for path in paths {
        let read = |source| Error::Read { path: path.clone(), source };
        std::io::copy(&mut fs::File::open(path).map_err(read)?, &mut hash).map_err(read)?;
    }
    Ok(hex(&hash.finalize()))
}

/// Formats bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

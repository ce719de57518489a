//! The files below a folder, and what their names say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use crate::archive;
use crate::kind::{is_dicomdir, is_film, is_hidden};
use crate::pixels;

/// The number of extensions that a message counts.
const MOST_KINDS: usize = 8;

/// Whether a file has the name of a label file.
pub(crate) fn is_label_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with("data_entry_2017") && lower.ends_with(".csv")
}

/// Whether a file is a film by its name, or is in DICOM by its content: hospitals name such files
/// after their number, without an extension. A `DICOMDIR` is a list of files and no film. An archive that
/// is cut off counts as a film that cannot be read.
pub fn holds_film(path: &Path) -> bool {
    // In archives only DICOM files are listed. One that cannot be opened may hold some.
    is_film(path)
        || archive::damage(path).is_some()
        || (!is_dicomdir(path) && (archive::is_inside(path) || pixels::is_dicom(path)))
}

/// Counts files by extension, the most common first: `3 .dcm, 1 .csv`.
pub fn kinds(files: &[PathBuf]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let extension = file.extension().map(|text| format!(".{}", text.to_string_lossy()));
        let kind = extension.unwrap_or_else(|| "without an extension".to_owned());
        *counts.entry(kind).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<String> =
        counts.iter().take(MOST_KINDS).map(|(kind, count)| format!("{count} {kind}")).collect();
    match (kinds.is_empty(), counts.len() > MOST_KINDS) {
        (true, _) => "no files at all".to_owned(),
        (false, true) => format!("{} and others", kinds.join(", ")),
        (false, false) => kinds.join(", "),
    }
}

/// Lists all files below `root` (or `root` itself, if it is not a folder), ordered by path.
///
/// A ZIP archive with DICOM files is listed as those files, with paths below that of the archive.
/// Files and folders whose name begins with a dot, and `__MACOSX`, are left out, but `root` may have
/// such a name. Devices, FIFOs and sockets are listed, so that the function that opens them can report
/// what they are.
///
/// # Errors
///
/// Returns an error if a folder cannot be listed.
pub fn walk(root: &Path) -> Result<Vec<PathBuf>, Error> {
    if fs::metadata(root).is_ok_and(|about| !about.is_dir()) {
        return Ok(files_at(root.to_owned()));
    }
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let failed = |source| Error::List { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_hidden(&entry.file_name()) {
                continue;
            }
            let kind = entry.file_type().map_err(failed)?;
            // A symbolic link to a film counts as a film; a link to a folder could lead in a
            // circle.
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.extend(files_at(entry.path()));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Returns a file, or the DICOM files in it if it is an archive of them.
fn files_at(path: PathBuf) -> Vec<PathBuf> {
    let inside = archive::dicom_files(&path);
    if inside.is_empty() { vec![path] } else { inside }
}

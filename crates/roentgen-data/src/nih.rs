//! Finds the files of an NIH data set: tables by name, films in any folder.
//!
//! Archives are unpacked in many ways (`images_001/images/`, one flat folder, a Kaggle copy with
//! lists called `*_NIH.txt`), so the tree is walked once and files are recognized by name alone.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::phantom::PHANTOM_MARK;

/// The files of a data set.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// `Data_Entry_2017*.csv`.
    pub labels: PathBuf,
    /// `train_val_list*.txt`, if present.
    pub train_val: Option<PathBuf>,
    /// `test_list*.txt`, if present.
    pub test: Option<PathBuf>,
    /// `BBox_List_2017*.csv`, if present.
    pub boxes: Option<PathBuf>,
    /// Films by file name.
    pub films: BTreeMap<String, PathBuf>,
    /// Films whose name also occurs in an earlier folder; the first one in order is used.
    pub again: Vec<PathBuf>,
    /// Films whose file name is not UTF-8 and so cannot be in a label file.
    pub nameless: Vec<PathBuf>,
    /// The marker file of films drawn by `phantom`, if present.
    pub phantom: Option<PathBuf>,
}

/// Why a folder is not a data set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder could not be listed.
    #[error("could not list the folder `{path}`")]
    List {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is no label file.
    #[error(
        "there is no label file `Data_Entry_2017*.csv` in or below `{path}`; put NIH's label file \
         into the folder of films"
    )]
    NoLabels {
        /// The folder.
        path: PathBuf,
    },
    /// There are two files for the same purpose.
    #[error(
        "there are two files for {kind} below `{path}`: `{first}` and `{second}`; name the one to \
         use or move the other one elsewhere"
    )]
    Twice {
        /// The folder.
        path: PathBuf,
        /// The purpose of the files.
        kind: &'static str,
        /// The first file.
        first: PathBuf,
        /// The second file.
        second: PathBuf,
    },
    /// A list could not be read.
    #[error("could not read the list of films `{path}`")]
    ReadList {
        /// The list.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Layout {
    /// Walks `root` and finds the files of a data set; `labels`, if given, is the label file.
    ///
    /// # Errors
    ///
    /// Returns an error if a folder cannot be listed, if there is no label file, or if there are
    /// two files for the same purpose.
    pub fn find(root: &Path, labels: Option<&Path>) -> Result<Self, Error> {
        let mut layout = Layout::default();
        let mut found_labels = labels.map(Path::to_owned);
        for path in walk(root)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                if is_film(&path) {
                    layout.nameless.push(path);
                }
                continue;
            };
            let lower = name.to_ascii_lowercase();
            let place = if lower.starts_with("data_entry_2017") && lower.ends_with(".csv") {
                if labels.is_some() {
                    continue;
                }
                (&mut found_labels, "labels")
            } else if lower.starts_with("bbox_list_2017") && lower.ends_with(".csv") {
                (&mut layout.boxes, "boxes")
            } else if lower.starts_with("train_val_list") && lower.ends_with(".txt") {
                (&mut layout.train_val, "the train and validation list")
            } else if lower.starts_with("test_list") && lower.ends_with(".txt") {
                (&mut layout.test, "the test list")
            } else {
                if name == PHANTOM_MARK {
                    layout.phantom = Some(path);
                } else if is_film(&path) {
                    if layout.films.contains_key(name) {
                        layout.again.push(path);
                    } else {
                        layout.films.insert(name.to_owned(), path);
                    }
                }
                continue;
            };
            if let Some(first) = place.0.replace(path.clone()) {
                let kind = place.1;
                return Err(Error::Twice { path: root.to_owned(), kind, first, second: path });
            }
        }
        layout.labels = found_labels.ok_or_else(|| Error::NoLabels { path: root.to_owned() })?;
        Ok(layout)
    }
}

/// Reads a list of film names, one per line.
///
/// # Errors
///
/// Returns an error if the file cannot be read or is not UTF-8.
pub fn read_list(path: &Path) -> Result<HashSet<String>, Error> {
    let text = fs::read_to_string(path)
        .map_err(|source| Error::ReadList { path: path.to_owned(), source })?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Whether a file has the name of a film.
pub fn is_film(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["png", "jpg", "jpeg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Lists all files below `root` (or `root` itself, if it is a file), ordered by path.
///
/// # Errors
///
/// Returns an error if a folder cannot be listed.
pub fn walk(root: &Path) -> Result<Vec<PathBuf>, Error> {
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let failed = |source| Error::List { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            // A symbolic link to a film counts as a film; a link to a folder could lead in a
            // circle.
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    #[test]
    fn films_are_found_in_any_folder_and_kaggle_lists_by_name() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path().join("deep/er/images_001/images/a.png"));
        touch(root.path().join("b.PNG"));
        touch(root.path().join("Data_Entry_2017.csv"));
        touch(root.path().join("test_list_NIH.txt"));

        let layout = Layout::find(root.path(), None).unwrap();

        assert_eq!(layout.films.len(), 2);
        assert!(layout.test.is_some() && layout.train_val.is_none());
    }

    #[test]
    fn a_film_in_two_folders_is_kept_once_and_named() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path().join("Data_Entry_2017.csv"));
        touch(root.path().join("1/a.png"));
        touch(root.path().join("2/a.png"));

        let layout = Layout::find(root.path(), None).unwrap();

        assert_eq!(layout.again, [root.path().join("2/a.png")]);
    }

    #[test]
    fn two_label_files_are_refused() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path().join("Data_Entry_2017.csv"));
        touch(root.path().join("Data_Entry_2017_v2020.csv"));

        assert!(matches!(Layout::find(root.path(), None), Err(Error::Twice { .. })));
        assert!(matches!(Layout::find(Path::new("no-such-folder"), None), Err(Error::List { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_film_whose_name_is_not_utf8_is_set_aside() {
        use std::os::unix::ffi::OsStrExt;
        let root = tempfile::tempdir().unwrap();
        touch(root.path().join("Data_Entry_2017.csv"));
        touch(root.path().join(std::ffi::OsStr::from_bytes(b"\xff.png")));

        assert_eq!(Layout::find(root.path(), None).unwrap().nameless.len(), 1);
    }
}

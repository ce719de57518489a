//! Finds the files of an NIH data set: tables by name, films in any folder.
//!
//! Archives are unpacked in many ways (`images_001/images/`, one flat folder, a Kaggle copy with
//! lists called `*_NIH.txt`), so the tree is walked once and files are recognized by name alone.
//! Hidden files are copies that other programs leave (Jupyter's checkpoints, the wastebasket, the
//! `._` files of macOS) and are never looked at.

#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::archive;
use crate::files;
use crate::pixels;

pub use crate::archive::file_of;
pub use crate::kind::{is_film, stem};
pub(crate) use walk::is_label_file;
pub use walk::{holds_film, kinds, walk};

/// Name of the file that distinguishes a data set of phantoms from one of patients.
pub const PHANTOM_MARK: &str = "PHANTOM.txt";

/// The longest list that is read, in bytes; NIH's has 1.8 MB.
const MAX_LIST: u64 = 128 << 20;

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
    /// Archives that cannot be opened, and why.
    pub damaged: Vec<(PathBuf, String)>,
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
    /// No label file was found.
    #[error(
        "`{path}` contains no label file `Data_Entry_2017*.csv`: it has {found}; put NIH's label file \
         into the folder of films{}",
        .other.as_ref().map_or_else(String::new, |other| format!(
            ", or give another table of the same columns with `--labels {}`", other.display()
        ))
    )]
    NoLabels {
        /// The folder.
        path: PathBuf,
        /// The files below it, counted by extension.
        found: String,
        /// A table below it that may be the label file under another name, such as Kaggle's
        /// `sample_labels.csv`.
        other: Option<PathBuf>,
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
    /// A line of a list is not the name of a film.
    #[error(
        "line {line} of the list `{path}` is `{text}`, which is not the name of a film; a list has one \
         file name per line and nothing else"
    )]
    ListLine {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The line's text, or the start of it.
        text: String,
    },
    /// A list and the label file have no film in common.
    #[error(
        "none of the {names} names in the list `{path}` is in the label file (the first is `{first}`); \
         correct the list or move it elsewhere"
    )]
    ListMatchesNothing {
        /// The list.
        path: PathBuf,
        /// The number of names on it.
        names: usize,
        /// The first name in alphabetical order.
        first: String,
    },
    /// A film is on the training list and on the test list.
    #[error(
        "`{image}` is on both lists, `{train_val}` and `{test}`{}; remove it from one of the two",
        match .more { 0 => String::new(), 1 => ", and so is 1 other film".to_owned(), more => format!(", and so are {more} other films") }
    )]
    OnBothLists {
        /// The first such film in alphabetical order.
        image: String,
        /// The number of other such films.
        more: usize,
        /// The training list.
        train_val: PathBuf,
        /// The test list.
        test: PathBuf,
    },
}

impl Layout {
    /// Walks `root` and finds the files of a data set; `labels`, if given, is the label file.
    ///
    /// # Errors
    ///
    /// Returns an error if a folder cannot be listed, if it contains no label file, or if two
    /// files have the same purpose.
    pub fn find(root: &Path, labels: Option<&Path>) -> Result<Self, Error> {
        let mut layout = Layout::default();
        let mut found_labels = labels.map(Path::to_owned);
        let mut other_table = None;
        let files = walk(root)?;
        for path in &files {
            let path = path.clone();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                if is_film(&path) {
                    layout.nameless.push(path);
                }
                continue;
            };
            let lower = name.to_ascii_lowercase();
            let place = if is_label_file(name) {
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
                } else if let Some(reason) = archive::damage(&path)
                    && !pixels::is_dicom(&path)
                {
                    layout.damaged.push((path, reason));
                } else if holds_film(&path) {
                    if layout.films.contains_key(name) {
                        layout.again.push(path);
                    } else {
                        layout.films.insert(name.to_owned(), path);
                    }
                } else if lower.ends_with(".csv")
                    && (other_table.is_none() || lower == "sample_labels.csv")
                {
                    other_table = Some(path);
                }
                continue;
            };
            if let Some(first) = place.0.replace(path.clone()) {
                let kind = place.1;
                return Err(Error::Twice { path: root.to_owned(), kind, first, second: path });
            }
        }
        layout.labels = found_labels.ok_or_else(|| Error::NoLabels {
            path: root.to_owned(),
            found: kinds(&files),
            other: other_table,
        })?;
        Ok(layout)
    }
}

/// Reads a list of film names, one per line.
///
/// A byte order mark, any line ends, quotes around a name and a path before it are accepted.
///
/// # Errors
///
/// Returns an error if the file cannot be read, is not UTF-8, or has a line that is not the name of
/// a film, such as a name followed by its labels.
pub fn read_list(path: &Path) -> Result<HashSet<String>, Error> {
    let read = |source| Error::ReadList { path: path.to_owned(), source };
    let bytes = files::read_at_most(path, MAX_LIST).map_err(read)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let text = "it is not UTF-8; save it as UTF-8 or plain text";
        read(io::Error::new(io::ErrorKind::InvalidData, format!("{text} ({})", error.utf8_error())))
    })?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut names = HashSet::new();
    for (index, line) in text.split(['\n', '\r']).enumerate() {
        let line = line.trim();
        let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
        let name = quoted.unwrap_or(line).trim();
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        if line.is_empty() {
            continue;
        }
        if !is_film(Path::new(name)) {
            let text = line.chars().take(80).collect();
            return Err(Error::ListLine { path: path.to_owned(), line: index + 1, text });
        }
        names.insert(name.to_owned());
    }
    Ok(names)
}

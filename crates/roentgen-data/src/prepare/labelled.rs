//! What the label file of a folder says about its films, without preparing them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::lists::Lists;
use super::{Error, prepared};
use crate::dataset::Dataset;
use crate::manifest::List;
use crate::metadata::{LabelFile, LabeledFilm};
use crate::nih::{self, Layout};

/// The label file and the official lists of a folder of films.
pub struct Labelled {
    /// The label file.
    pub path: PathBuf,
    /// The name that `prepare` gives the data set.
    pub dataset: Dataset,
    films: HashMap<String, LabeledFilm>,
    lists: Lists,
}

impl Labelled {
    /// Finds the label file of the films below `root`: below it, or directly in one of the two
    /// folders above it, since films are unpacked to `images_001/images/`. Returns `None` if there
    /// is none.
    ///
    /// # Errors
    ///
    /// Returns an error if there are two label files, or if the label file or a list cannot be read.
    pub fn find(root: &Path) -> Result<Option<Self>, Error> {
        let layout = match Layout::find(root, None) {
            Err(nih::Error::NoLabels { .. }) => match folder_above(root) {
                Some(above) => Layout::find(&above, None)?,
                None => return Ok(None),
            },
            layout => layout?,
        };
        let labels = LabelFile::read(&layout.labels)?;
        let lists = Lists::read(&layout, &labels)?;
        let dataset = prepared::dataset(&layout, &labels);
        let films = labels.films.into_iter().map(|film| (film.image.clone(), film)).collect();
        Ok(Some(Self { path: labels.path, dataset, films, lists }))
    }

    /// Returns the row of a film and its official list, by its file name.
    pub fn film(&self, image: &str) -> Option<(&LabeledFilm, Option<List>)> {
        self.films.get(image).map(|film| (film, self.lists.of(image)))
    }
}

/// Returns the nearest of two folders above `root` that has a label file.
fn folder_above(root: &Path) -> Option<PathBuf> {
    let root = fs::canonicalize(root).ok()?;
    root.ancestors().skip(1).take(2).find(|folder| has_label_file(folder)).map(Path::to_owned)
}

fn has_label_file(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| nih::is_label_file(&entry.file_name().to_string_lossy()))
}

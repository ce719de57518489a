//! The official lists of a data set.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::manifest::List;
use crate::metadata::LabelFile;
use crate::nih::{self, Layout};

/// The official lists.
pub(super) struct Lists {
    train_val: HashSet<String>,
    test: HashSet<String>,
}

impl Lists {
    /// Reads the lists that exist.
    pub(super) fn read(layout: &Layout) -> Result<Self, nih::Error> {
        let read =
            |path: &Option<PathBuf>| path.as_deref().map_or(Ok(HashSet::new()), nih::read_list);
        Ok(Self { train_val: read(&layout.train_val)?, test: read(&layout.test)? })
    }

    /// Returns the list that contains a film.
    pub(super) fn of(&self, image: &str) -> Option<List> {
        if self.test.contains(image) {
            Some(List::Test)
        } else {
            self.train_val.contains(image).then_some(List::TrainVal)
        }
    }

    /// Counts the names on the lists that are not in the label file.
    pub(super) fn unknown(&self, labels: &LabelFile) -> usize {
        let listed: HashSet<&str> = labels.films.iter().map(|film| film.image.as_str()).collect();
        self.train_val
            .iter()
            .chain(&self.test)
            .filter(|name| !listed.contains(name.as_str()))
            .count()
    }
}

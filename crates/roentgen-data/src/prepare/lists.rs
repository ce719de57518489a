//! The official lists of a data set.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::manifest::List;
use crate::metadata::LabelFile;
use crate::nih::{self, Layout};

/// The official lists.
pub struct Lists {
    train_val: HashSet<String>,
    test: HashSet<String>,
}

impl Lists {
    /// Reads the lists that exist and compares them with the label file and with each other.
    ///
    /// # Errors
    ///
    /// Returns an error if a list cannot be read, if it has names but none of the label file, or if
    /// a film is on both.
    pub fn read(layout: &Layout, labels: &LabelFile) -> Result<Self, nih::Error> {
        let listed: HashSet<&str> = labels.films.iter().map(|film| film.image.as_str()).collect();
        let read = |path: &Option<PathBuf>| {
            let Some(path) = path else { return Ok(HashSet::new()) };
            let names = nih::read_list(path)?;
            let first = names.iter().min();
            match first {
                Some(first) if !names.iter().any(|name| listed.contains(name.as_str())) => {
                    Err(nih::Error::ListMatchesNothing {
                        path: path.clone(),
                        names: names.len(),
                        first: first.clone(),
                    })
                }
                _ => Ok(names),
            }
        };
        let lists = Self { train_val: read(&layout.train_val)?, test: read(&layout.test)? };
        let both: Vec<&String> = lists.train_val.intersection(&lists.test).collect();
        if let (Some(image), Some(train_val), Some(test)) =
            (both.iter().min(), &layout.train_val, &layout.test)
        {
            return Err(nih::Error::OnBothLists {
                image: (*image).clone(),
                more: both.len() - 1,
                train_val: train_val.clone(),
                test: test.clone(),
            });
        }
        Ok(lists)
    }

    /// Returns the list that contains a film.
    pub fn of(&self, image: &str) -> Option<List> {
        if self.test.contains(image) {
            Some(List::Test)
        } else {
            self.train_val.contains(image).then_some(List::TrainVal)
        }
    }

    /// Counts the names on the lists that are not in the label file.
    pub(super) fn count_unknown(&self, labels: &LabelFile) -> usize {
        let listed: HashSet<&str> = labels.films.iter().map(|film| film.image.as_str()).collect();
        self.train_val
            .iter()
            .chain(&self.test)
            .filter(|name| !listed.contains(name.as_str()))
            .count()
    }
}

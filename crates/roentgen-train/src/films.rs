//! Reads `films.csv`, the table of a run's films that [`RunDir`](crate::run_dir::RunDir) writes.
//!
//! The table decides which films count as training films, so it fails closed: an unknown column, an
//! unknown split or a missing row is an error, never an empty set.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use roentgen_data::split::Split;
use roentgen_models::model_dir::{self, ModelInfo};
use serde::Deserialize;

/// File name of the table.
pub const FILMS: &str = "films.csv";
/// Most bytes of the table; one of all of ChestX-ray14 has 3 MB.
const LONGEST: u64 = 1 << 30;
/// The columns, in order.
pub(crate) const HEADER: [&str; 3] = ["image", "patient", "split"];

/// A film of a run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilmRow {
    /// Name of the film.
    pub image: String,
    /// Its patient.
    pub patient: String,
    /// Its split: `train`, `valid` or `test`.
    pub split: String,
}

/// Why the table of films cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("could not read the films of the run, `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: csv::Error,
    },
    /// The table is not one that a run writes.
    #[error(
        "`{path}` is not the table of films of a run ({problem}); restore the file, or move it \
         away to predict without knowing which patients were in training"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The table belongs to another model.
    #[error(transparent)]
    Model(#[from] model_dir::Error),
}

/// Reads the films of the run in `folder`. Returns `None` if there is no table.
///
/// # Errors
///
/// Returns an error if the table cannot be read, has other columns, or has an unknown split.
pub fn read(folder: &Path) -> Result<Option<Vec<FilmRow>>, Error> {
    let path = folder.join(FILMS);
    Ok(match bytes(folder, &path)? {
        Some(bytes) => Some(parse(&path, &bytes)?),
        None => None,
    })
}

/// Reads the table of a model, if there is one.
fn bytes(model: &Path, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match model_dir::read_part(model, FILMS, LONGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Read { path: path.to_owned(), source: error.into() }),
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<FilmRow>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let damaged = |problem: String| Error::Damaged { path: path.to_owned(), problem };
    let mut reader = csv::Reader::from_reader(bytes);
    let header: Vec<&str> = reader.headers().map_err(failed)?.iter().collect();
    if header != HEADER {
        let columns = header.join(", ");
        return Err(damaged(format!("its columns are `{columns}`, not `image, patient, split`")));
    }
    let rows: Vec<FilmRow> = reader.deserialize().collect::<Result<_, _>>().map_err(failed)?;
    let names = [Split::Train, Split::Valid, Split::Test].map(Split::name);
    for (line, row) in (2..).zip(&rows) {
        if !names.contains(&row.split.as_str()) {
            return Err(damaged(format!("line {line} has the split `{}`", row.split)));
        }
    }
    Ok(rows)
}

/// The films of a model's run, and the patients of its training films.
#[derive(Clone, Debug, Default)]
pub struct TrainingFilms {
    /// The films of all splits, by name.
    by_name: HashMap<String, FilmRow>,
    patients: HashSet<String>,
}

impl TrainingFilms {
    /// Reads the training films of the model in `folder`. Returns `None` for a model without a table
    /// of films.
    ///
    /// # Errors
    ///
    /// Returns an error as [`read`] does, and if the table does not belong to the model.
    pub fn read(folder: &Path, description: &ModelInfo) -> Result<Option<Self>, Error> {
        let path = folder.join(FILMS);
        let Some(bytes) = bytes(folder, &path)? else { return Ok(None) };
        let rows = parse(&path, &bytes)?;
        model_dir::check_sha256(&path, &bytes, description.films_sha256.as_deref())?;
        let mut films = Self::default();
        let mut found = 0;
        for row in rows {
            if row.split == Split::Train.name() {
                found += 1;
                films.patients.insert(row.patient.clone());
                films.by_name.insert(row.image.clone(), row);
            } else {
                // An edited table may list a film twice; it then counts as a training film.
                films.by_name.entry(row.image.clone()).or_insert(row);
            }
        }
        let expected = description.training.as_ref().map(|training| training.films);
        if expected.is_some_and(|expected| expected != found) {
            let expected = expected.unwrap_or_default();
            let problem =
                format!("it has {found} training films, but `model.toml` says {expected}");
            return Err(Error::Damaged { path, problem });
        }
        Ok(Some(films))
    }

    /// Returns the number of patients of training films.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// Returns whether a patient of the same data set has a training film.
    #[must_use]
    pub fn have_patient(&self, patient: &str) -> bool {
        self.patients.contains(patient)
    }

    /// Returns whether a film with this name and patient is a training film, whatever its data set is
    /// called.
    #[must_use]
    pub fn have_film(&self, image: &str, patient: &str) -> bool {
        self.split_of(image, patient) == Some(Split::Train)
    }

    /// Returns the split of a film with this name and patient; `None` if the run did not use it.
    #[must_use]
    pub fn split_of(&self, image: &str, patient: &str) -> Option<Split> {
        let row = self.by_name.get(image).filter(|row| row.patient == patient)?;
        [Split::Train, Split::Valid, Split::Test].into_iter().find(|side| side.name() == row.split)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn table(text: &str) -> Result<Option<Vec<FilmRow>>, Error> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILMS), text).unwrap();
        read(folder.path())
    }

    #[test]
    fn quoted_commas_are_part_of_a_name() {
        let rows = table("image,patient,split\n\"a,b.png\",7,train\nc.png,8,test\n").unwrap();
        let rows = rows.unwrap();

        assert_eq!((rows[0].image.as_str(), rows[0].patient.as_str()), ("a,b.png", "7"));
        assert_eq!(rows[1].split, "test");
    }

    #[test]
    fn anything_else_is_an_error_and_never_an_empty_table() {
        for text in [
            "",
            "image,patient\na.png,7\n",
            "image,patient,side\na.png,7,train\n",
            "image,patient,split,more\na.png,7,train,x\n",
            "image,patient,split\na.png,7\n",
            "image,patient,split\na.png,7,training\n",
        ] {
            assert!(table(text).is_err(), "{text:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
    }
}

//! Reads `films.csv`, the table of a run's films that [`RunDir`](crate::run_dir::RunDir) writes.
//!
//! The table decides which films count as training films, so it fails closed: an unknown column, an
//! unknown split or a missing row is an error, never an empty set.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use roentgen_data::split::Split;
use roentgen_models::model_dir::{self, EarlierFilms, ModelInfo, TrainingInfo};
use serde::Deserialize;

/// File name of the table.
pub const FILMS: &str = "films.csv";
/// Most bytes of the table; one of all of ChestX-ray14 has 3 MB.
const LONGEST: u64 = 1 << 30;
/// In place of a split: a film on which the initial weights were trained, in an earlier run.
pub(crate) const EARLIER: &str = "earlier";
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
    /// Its split: `train`, `valid` or `test`; or `earlier`, if the initial weights were trained on
    /// the film. A film that this run uses too is then listed twice.
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
        if !names.contains(&row.split.as_str()) && row.split != EARLIER {
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
    /// The films on which the initial weights were trained, with their patients.
    earlier: HashSet<(String, String)>,
    patients: HashSet<String>,
    /// Whether the weights were trained on other films too, which are not known.
    has_unknown: bool,
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
        let has_unknown = description.training.as_ref().is_some_and(has_unknown);
        let mut films = Self { has_unknown, ..Self::default() };
        let mut found = 0;
        for row in rows {
            if row.split == EARLIER {
                films.patients.insert(row.patient.clone());
                films.earlier.insert((row.image, row.patient));
            } else if row.split == Split::Train.name() {
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

    /// Returns the number of patients of training films, also of earlier runs.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.patients.len()
    }

    /// Returns whether a patient of the same data set has a training film; `None` if that is unknown.
    #[must_use]
    pub fn have_patient(&self, patient: &str) -> Option<bool> {
        let is_known = self.patients.contains(patient);
        (is_known || !self.has_unknown).then_some(is_known)
    }

    /// Returns whether a film with this name and patient is a training film, whatever its data set is
    /// called.
    #[must_use]
    pub fn have_film(&self, image: &str, patient: &str) -> bool {
        self.split_of(image, patient) == Some(Split::Train)
            || self.earlier.contains(&(image.to_owned(), patient.to_owned()))
    }

    /// Returns the films of a split, in no order.
    pub fn of(&self, split: Split) -> impl Iterator<Item = &FilmRow> {
        self.by_name.values().filter(move |row| row.split == split.name())
    }

    /// Returns the split of a film with this name and patient; `None` if the run did not use it.
    #[must_use]
    pub fn split_of(&self, image: &str, patient: &str) -> Option<Split> {
        let row = self.by_name.get(image).filter(|row| row.patient == patient)?;
        [Split::Train, Split::Valid, Split::Test].into_iter().find(|side| side.name() == row.split)
    }
}

/// Whether the weights were trained on films that are not in the table.
pub(crate) fn has_unknown(training: &TrainingInfo) -> bool {
    match training.earlier_films {
        Some(EarlierFilms::Unknown) => true,
        Some(EarlierFilms::Listed | EarlierFilms::OtherDataSet) => false,
        // Earlier versions recorded nothing of the films of a run whose weights they took.
        None => training.weights.as_ref().is_some_and(|of| of.starts_with(model_dir::WEIGHTS)),
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

    #[test]
    fn films_of_initial_weights_count_as_training_films_and_keep_their_split() {
        let text = "image,patient,split\na.png,7,train\nb.png,8,test\nb.png,8,earlier\n";
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILMS), text).unwrap();
        let description: ModelInfo = toml::from_str(MODEL).unwrap();

        let films = TrainingFilms::read(folder.path(), &description).unwrap().unwrap();

        assert_eq!(["7", "8", "9"].map(|of| films.have_patient(of)), [true, true, false].map(Some));
        assert!(films.have_film("b.png", "8"));
        assert_eq!(films.split_of("b.png", "8"), Some(Split::Test));
    }

    #[test]
    fn where_films_of_initial_weights_are_unknown_only_known_patients_are_marked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILMS), "image,patient,split\na.png,7,train\n").unwrap();
        for (weights, expected) in [
            ("earlier_films = \"unknown\"", None),
            // An earlier version began with the weights of a run.
            ("weights = \"model.bpk, SHA-256 0123\"", None),
            ("weights = \"model.bpk, SHA-256 0123\"\nearlier_films = \"listed\"", Some(false)),
            ("earlier_films = \"other-data-set\"", Some(false)),
            ("weights = \"mobilenet-v2.safetensors, SHA-256 0123\"", Some(false)),
        ] {
            let text = MODEL.replace("epoch = 1", &format!("epoch = 1\n{weights}"));
            let description: ModelInfo = toml::from_str(&text).unwrap();

            let films = TrainingFilms::read(folder.path(), &description).unwrap().unwrap();

            assert_eq!(films.have_patient("7"), Some(true), "{weights}");
            assert_eq!(films.have_patient("9"), expected, "{weights}");
        }
    }

    const MODEL: &str = "format = 1\nfindings = [\"Mass\"]\n\
        [network]\narchitecture = \"mobilenet\"\nwidth = 0.5\npool = \"attention\"\ndropout = 0.2\n\
        [input]\nsize = 64\nchannels = 1\nnormalize = \"per-image\"\n\
        [training]\ndataset = \"phantom (seed 2018)\"\ndata = \"\"\nsplit = \"\"\nseed = 1\nfilms = 1\n\
        patients = 1\nepoch = 1\n\
        [training.selection]\nsplit = \"official\"\nleaky = false\nnormal = \"keep\"\n";
}

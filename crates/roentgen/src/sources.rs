//! The films to predict: splits of prepared data sets, or image files.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::bail;
use roentgen_data::pixels::{self, Filter};
use roentgen_data::prepare::Prepared;
use roentgen_data::selection::{Normal, Selection};
use roentgen_data::split::{self, Rule, Split};
use roentgen_data::{FilmFindings, nih};
use roentgen_models::Description;
use roentgen_train::films;

use crate::cli::Side;

/// Digits of a data set's identity.
const IDENTITY: usize = 12;

/// The films from all inputs of a command.
pub(crate) struct Sources {
    prepared: Vec<Prepared>,
    pub(crate) films: Vec<Film>,
}

/// One film and what is known about it.
pub(crate) struct Film {
    pub(crate) image: String,
    pub(crate) patient: String,
    pub(crate) view: String,
    pub(crate) age: String,
    pub(crate) sex: String,
    /// The prepared data set or the file.
    pub(crate) source: String,
    /// `NIH ChestX-ray14`, `phantom`, or `files`.
    pub(crate) dataset: String,
    /// First digits of the data set's fingerprint; empty for files.
    pub(crate) dataset_id: String,
    /// Such as `official test`; empty for files.
    pub(crate) split: String,
    /// Whether the model was trained on films of this patient; `None` if that is unknown.
    pub(crate) patient_in_training: Option<bool>,
    /// `None` for files.
    pub(crate) truth: Option<FilmFindings>,
    place: Place,
}

enum Place {
    /// The number of a prepared data set, and a row in it.
    Row(usize, usize),
    File(PathBuf),
}

impl Sources {
    /// Finds the films in `inputs` for the model in the folder `model`.
    pub(crate) fn open(
        model: &Path,
        description: &Description,
        inputs: &[PathBuf],
        side: Option<Side>,
    ) -> anyhow::Result<Self> {
        let trained_on = films::training_patients(model, description)?;
        let mut sources = Self { prepared: Vec::new(), films: Vec::new() };
        for input in inputs {
            if Prepared::is_in(input) {
                sources.add_prepared(input, description, side, trained_on.as_ref())?;
            } else if input.exists() {
                if let Some(side) = side {
                    bail!(
                        "`--split {}` needs a prepared data set, which `{}` is not; leave it out",
                        side_of(side).name(),
                        input.display()
                    );
                }
                sources.add_files(input)?;
            } else {
                bail!(
                    "`{}` does not exist; give films, folders of films or prepared data sets",
                    input.display()
                );
            }
        }
        if sources.films.is_empty() {
            let side = side.map_or_else(String::new, |side| {
                format!(" of the split `{}`", side_of(side).name())
            });
            bail!("the inputs contain no films{side}");
        }
        let mut names = HashSet::new();
        if let Some(film) = sources.films.iter().find(|film| !names.insert(film.image.as_str())) {
            bail!("two films are named `{}`; predict them separately", film.image);
        }
        Ok(sources)
    }

    fn add_prepared(
        &mut self,
        folder: &Path,
        description: &Description,
        side: Option<Side>,
        trained_on: Option<&HashSet<String>>,
    ) -> anyhow::Result<()> {
        let prepared = Prepared::open(folder)?;
        let (size, asked) = (prepared.store.size(), description.input.size);
        if size != asked {
            bail!(
                "`{}` contains films of {size} px, but the model takes {asked} px; prepare them at \
                 {asked} px",
                folder.display()
            );
        }
        // An imported model has no split of its own: NIH's lists split the films.
        let training = description.training.as_ref();
        let official = Selection {
            split: Rule::Official,
            leaky: false,
            normal: Normal::Keep,
            sample: None,
            films: None,
        };
        let (selection, seed) =
            training.map_or((official, 0), |training| (training.selection, training.seed));
        let sides = selection.sides(&prepared.rows, &description.findings, seed);
        let sides = match sides {
            // Another hospital's films are not on NIH's lists.
            Err(split::Error::NoLists) if side.is_none() => vec![None; prepared.rows.len()],
            sides => sides?,
        };
        // Patient numbers identify the same patients only within one data set.
        let dataset = &prepared.description.dataset;
        let is_same = training.is_some_and(|training| training.dataset == *dataset);
        let place = self.prepared.len();
        let wanted = side.map(side_of);
        for (index, (row, side)) in prepared.rows.iter().zip(&sides).enumerate() {
            if wanted.is_some() && *side != wanted {
                continue;
            }
            let patient = row.patient.to_string();
            self.films.push(Film {
                patient_in_training: trained_on
                    .filter(|_| is_same)
                    .map(|patients| patients.contains(&patient)),
                image: row.image.clone(),
                patient,
                view: row.view.clone(),
                age: row.age.map_or_else(String::new, |age| age.to_string()),
                sex: row.sex.clone(),
                source: folder.to_string_lossy().into_owned(),
                dataset: dataset.clone(),
                dataset_id: prepared.description.fingerprint.chars().take(IDENTITY).collect(),
                split: side.map_or_else(|| "none".to_owned(), |side| selection.name(side)),
                truth: Some(row.findings),
                place: Place::Row(place, index),
            });
        }
        self.prepared.push(prepared);
        Ok(())
    }

    fn add_files(&mut self, input: &Path) -> anyhow::Result<()> {
        let is_folder = input.is_dir();
        for path in nih::walk(input)? {
            // A file that the user names is tried whatever its extension.
            if is_folder && !nih::is_film(&path) {
                continue;
            }
            let image = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.films.push(Film {
                patient: patient_of(&image),
                image,
                view: String::new(),
                age: String::new(),
                sex: String::new(),
                source: path.to_string_lossy().into_owned(),
                dataset: "files".to_owned(),
                dataset_id: String::new(),
                split: String::new(),
                patient_in_training: None,
                truth: None,
                place: Place::File(path),
            });
        }
        Ok(())
    }

    /// Returns whether all films are decoded already.
    pub(crate) fn are_decoded(&self) -> bool {
        self.films.iter().all(|film| match film.place {
            Place::Row(..) => true,
            Place::File(_) => false,
        })
    }

    /// Returns the film's pixels at `size` x `size`.
    pub(crate) fn plane(&self, film: &Film, size: usize) -> Result<Cow<'_, [u8]>, pixels::Error> {
        match &film.place {
            Place::Row(prepared, row) => {
                let plane = self.prepared[*prepared].store.plane(*row);
                plane.map(Cow::Owned).map_err(|error| pixels::Error::Read(io::Error::other(error)))
            }
            Place::File(path) => {
                let plane = pixels::read_resized(path, size as u32, Filter::Lanczos3)?;
                Ok(Cow::Owned(plane.pixels))
            }
        }
    }
}

/// Returns the split that a flag names.
fn side_of(side: Side) -> Split {
    match side {
        Side::Train => Split::Train,
        Side::Valid => Split::Valid,
        Side::Test => Split::Test,
    }
}

/// Returns the patient of a film. NIH's file names begin with the patient's number; of any other
/// name the whole stem identifies the patient.
fn patient_of(image: &str) -> String {
    let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
    match stem.split_once('_') {
        Some((number, _)) if number.len() == 8 => {
            number.parse::<u32>().map_or_else(|_| stem.to_owned(), |number| number.to_string())
        }
        _ => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_is_read_from_nihs_names_and_no_others() {
        assert_eq!(patient_of("00000012_003.png"), "12");
        assert_eq!(patient_of("scan_1.png"), "scan_1");
        assert_eq!(patient_of("chest"), "chest");
    }
}

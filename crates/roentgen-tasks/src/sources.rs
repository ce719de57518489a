//! The films to predict: splits of prepared data sets, or image files.

mod files;
mod patient;
mod privacy;
mod read;
mod sides;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use roentgen_data::FilmFindings;
use roentgen_data::boxes::FindingBox;
use roentgen_data::prepare::{Prepared, PreparedInfo};
use roentgen_data::split::Split;
use roentgen_models::{ModelInfo, model_dir};
use roentgen_train::films::{FILMS, TrainingFilms};
use roentgen_train::relation::Relation;

use crate::listener::{Listener, Silent};
pub use privacy::Privacy;
pub use read::{Error, Gate, ReadFilm};

/// Digits of a data set's identity.
const IDENTITY: usize = 12;

/// The films from all inputs of a command.
pub struct Sources {
    prepared: Vec<Prepared>,
    /// The films, in order.
    pub films: Vec<SourceFilm>,
    gate: Gate,
    is_de_identified: bool,
}

/// One film and what is known about it.
pub struct SourceFilm {
    /// Its name, unique among the films.
    pub image: String,
    /// Its patient.
    pub patient: String,
    /// `PA` or `AP`; empty if unknown.
    pub view: String,
    /// Years; empty if unknown.
    pub age: String,
    /// `M` or `F`; empty if unknown.
    pub sex: String,
    /// The prepared data set or the file.
    pub source: String,
    /// `NIH ChestX-ray14`, `phantom`, or `files` without a label file.
    pub dataset: String,
    /// First digits of the fingerprint of a prepared data set; empty for files.
    pub dataset_id: String,
    /// Such as `official test`; empty for files without a label file.
    pub split: String,
    /// Whether the model was trained on films of this patient; `None` if that is unknown.
    pub patient_in_training: Option<bool>,
    /// `None` for files without a label file.
    pub findings: Option<FilmFindings>,
    /// What its pseudonym is of: its path below the folder that was given. Unlike its name it does not
    /// depend on the other films.
    identity: String,
    /// Whether anything but its name says whose film it is.
    has_patient: bool,
    /// Study Instance UID of a DICOM file.
    study: Option<String>,
    place: Place,
}

enum Place {
    /// The number of a prepared data set, and a row in it.
    Row(usize, usize),
    File(PathBuf),
}

/// Reads the training films of a model, and says what is unknown of the model's files.
///
/// # Errors
///
/// Returns an error if the table of films is damaged or belongs to another model.
pub(crate) fn training_films(
    model: &Path,
    description: &ModelInfo,
    listener: &dyn Listener,
) -> anyhow::Result<Option<TrainingFilms>> {
    let trained_on = TrainingFilms::read(model, description)?;
    if trained_on.is_none() && description.films_sha256.is_some() {
        listener.note(&format!(
            "warning: `{}` is missing, so it is unknown which patients were in training",
            model.join(FILMS).display()
        ));
    }
    let unrecorded = model_dir::unrecorded(model)?;
    if !unrecorded.is_empty() {
        listener.note(&format!(
            "note: the model `{}` has no hash of {}, so it is unknown whether they are as they \
             were written",
            model.display(),
            unrecorded.join(" and ")
        ));
    }
    Ok(trained_on)
}

impl Sources {
    /// Finds the films in `inputs` for the model in the folder `model`.
    ///
    /// # Errors
    ///
    /// Returns an error if an input is missing or damaged, if it has another size than the model, if
    /// `side` is asked of something that has no splits, or if there are no films.
    pub fn open(
        model: &Path,
        description: &ModelInfo,
        inputs: &[PathBuf],
        side: Option<Split>,
        privacy: &Privacy,
        listener: &dyn Listener,
    ) -> anyhow::Result<Self> {
        let trained_on = training_films(model, description, listener)?;
        let mut sources = Self {
            prepared: Vec::new(),
            films: Vec::new(),
            gate: Gate::Off,
            is_de_identified: privacy.pseudonyms().is_some(),
        };
        // The name of a folder may be that of a patient.
        let about_files: &dyn Listener =
            if privacy.pseudonyms().is_some() { &Silent } else { listener };
        for input in inputs {
            if Prepared::is_prepared(input) {
                let hashed = |done, bytes| listener.hashed(done, bytes);
                let prepared = Prepared::open_with(input, &hashed)?;
                sources.add_prepared(prepared, description, side, trained_on.as_ref())?;
            } else if input.exists() {
                if let Some(side) = side {
                    bail!(
                        "`--split {}` needs a prepared data set, which `{}` is not; prepare it with \
                         `roentgen prepare`, or leave `--split` out",
                        side.name(),
                        input.display()
                    );
                }
                sources.films.extend(files::films(
                    input,
                    description,
                    trained_on.as_ref(),
                    privacy,
                    about_files,
                )?);
            } else {
                bail!(
                    "`{}` does not exist; give films, folders of films or prepared data sets",
                    input.display()
                );
            }
        }
        if sources.films.is_empty() {
            let side =
                side.map_or_else(String::new, |side| format!(" of the split `{}`", side.name()));
            bail!("the inputs contain no films{side}");
        }
        if let Some(films) = &trained_on {
            sources.mark_files(films);
        }
        if let Some(pseudonyms) = privacy.pseudonyms() {
            sources.films.iter_mut().for_each(|film| film.hide(pseudonyms));
        }
        sources.refuse_same_names()?;
        Ok(sources)
    }

    /// Makes films of files that arrived below a folder, each named by its path there, so that a
    /// name does not depend on the other films.
    pub(crate) fn arrived(
        folder: &Path,
        paths: &[PathBuf],
        trained_on: Option<&TrainingFilms>,
    ) -> Self {
        let films = files::arrived(folder, paths);
        let mut sources =
            Self { prepared: Vec::new(), films, gate: Gate::Off, is_de_identified: false };
        if let Some(films) = trained_on {
            sources.mark_files(films);
        }
        sources
    }

    /// Sets what happens to files that do not look like upright frontal chest films.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    fn add_prepared(
        &mut self,
        prepared: Prepared,
        description: &ModelInfo,
        side: Option<Split>,
        trained_on: Option<&TrainingFilms>,
    ) -> anyhow::Result<()> {
        let folder = prepared.folder.as_path();
        let (size, asked) = (prepared.store.size(), description.input.size);
        if size != asked {
            bail!(
                "`{}` contains films of {size} px, but the model takes {asked} px; prepare them at \
                 {asked} px",
                folder.display()
            );
        }
        let training = description.training.as_ref();
        let dataset = &prepared.description.dataset;
        let relation = training.map_or(Relation::Other, |training| {
            Relation::between(training, dataset, &prepared.description.fingerprint)
        });
        let sides = sides::of_films(&prepared, description, relation, trained_on, side)?;
        let place = self.prepared.len();
        for (index, (row, (found, split))) in prepared.rows.iter().zip(sides).enumerate() {
            if side.is_some() && found != side {
                continue;
            }
            let patient = row.patient.to_string();
            self.films.push(SourceFilm {
                patient_in_training: trained_on
                    .and_then(|films| relation.mark(films, &row.image, &patient)),
                image: row.image.clone(),
                identity: row.image.clone(),
                has_patient: true,
                study: None,
                patient,
                view: row.view.clone(),
                age: row.age.map_or_else(String::new, |age| age.to_string()),
                sex: row.sex.clone(),
                source: folder.to_string_lossy().into_owned(),
                dataset: dataset.to_string(),
                dataset_id: identity_of(&prepared),
                split,
                findings: Some(row.findings),
                place: Place::Row(place, index),
            });
        }
        self.prepared.push(prepared);
        Ok(())
    }

    /// Refuses two films of one name.
    fn refuse_same_names(&self) -> anyhow::Result<()> {
        let mut sources: HashMap<&str, &str> = HashMap::new();
        for film in &self.films {
            if let Some(first) = sources.insert(&film.image, &film.source) {
                bail!(
                    "two films are named `{}`: one of `{first}` and one of `{}`; predict them \
                     separately, or rename one",
                    film.image,
                    film.source
                );
            }
        }
        Ok(())
    }

    /// Says of each file that no label file describes whether it was a training film. Of the others
    /// the label file has said it: a film of another data set may have the same name and patient.
    fn mark_files(&mut self, trained_on: &TrainingFilms) {
        for film in &mut self.films {
            let is_alone = matches!(film.place, Place::File(..)) && film.findings.is_none();
            // The patient in a DICOM file may be another than that of the label file in training.
            let patients = [film.patient.clone(), patient::patient_of(&film.image)];
            // The run may have had the film without the folder that is in its name here.
            let file_name = film.image.rsplit('/').next().unwrap_or_default();
            let is_listed = [film.image.as_str(), file_name]
                .iter()
                .any(|image| patients.iter().any(|of| trained_on.have_film(image, of)));
            if is_alone && is_listed {
                film.patient_in_training = Some(true);
            }
        }
    }

    /// Returns whether all films are decoded already.
    pub(crate) fn are_decoded(&self) -> bool {
        self.films.iter().all(|film| match film.place {
            Place::Row(..) => true,
            Place::File(..) => false,
        })
    }

    /// Returns the boxes of the prepared data sets, also of films that are not among these.
    ///
    /// # Errors
    ///
    /// Returns an error if an input is not a prepared data set or if a list of boxes cannot be read.
    pub fn boxes(&self) -> anyhow::Result<Vec<FindingBox>> {
        let is_file = |film: &&SourceFilm| matches!(film.place, Place::File(..));
        if let Some(film) = self.films.iter().find(is_file) {
            bail!("`--boxes` needs prepared data sets, which `{}` is not", film.source);
        }
        let mut boxes = Vec::new();
        for prepared in &self.prepared {
            boxes.extend(prepared.boxes()?);
        }
        Ok(boxes)
    }
}

/// Returns the identity of a data set, as score tables have it.
pub(crate) fn identity_of(prepared: &Prepared) -> String {
    identity_of_info(&prepared.description)
}

/// Returns the identity of the data set with this description.
pub(crate) fn identity_of_info(description: &PreparedInfo) -> String {
    description.fingerprint.chars().take(IDENTITY).collect()
}

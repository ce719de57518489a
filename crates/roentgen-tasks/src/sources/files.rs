//! Films from files and folders, with what the label file of their folder says about them.

use std::path::{Path, PathBuf};

use anyhow::bail;
use rayon::prelude::*;
use roentgen_data::manifest::List;
use roentgen_data::nih;
use roentgen_data::pixels::FilmFile;
use roentgen_data::prepare::Labelled;
use roentgen_data::selection::Selection;
use roentgen_data::split::{Split, SplitRule};
use roentgen_data::study::{self, NamedFilm};
use roentgen_dicom::Whose;
use roentgen_models::ModelInfo;
use roentgen_train::films::TrainingFilms;
use roentgen_train::relation::Relation;

use super::patient::patient_of;
use super::sides::{EXTERNAL, NONE, TRAIN_VAL};
use super::{Place, Privacy, SourceFilm};
use crate::listener::Listener;

/// The data set of films without a label file.
const FILES: &str = "files";

/// Returns the film in the file `input`, or those below the folder `input`.
///
/// # Errors
///
/// Returns an error if a folder or its label file cannot be read, or if there are no films.
pub(super) fn films(
    input: &Path,
    description: &ModelInfo,
    trained_on: Option<&TrainingFilms>,
    privacy: &Privacy,
    listener: &dyn Listener,
) -> anyhow::Result<Vec<SourceFilm>> {
    let is_folder = input.is_dir();
    let files = privacy.below(input, nih::walk(input))?;
    // A file that the user names is tried whatever its extension.
    let is_tried = |path: &&PathBuf| !is_folder || nih::holds_film(path);
    let paths: Vec<PathBuf> = files.iter().filter(is_tried).cloned().collect();
    if paths.is_empty() {
        // What follows the last dot may be the name of a patient, as in `1.2.DOE^JANE`.
        let found = match privacy {
            Privacy::Named => format!(": it has {}", nih::kinds(&files)),
            Privacy::DeIdentified(_) => String::new(),
        };
        bail!("`{}` contains no PNG, JPEG or DICOM films{found}", input.display());
    }
    let labelled = if is_folder { privacy.below(input, Labelled::find(input))? } else { None };
    let mut films: Vec<SourceFilm> =
        study::name_films(input, paths).into_par_iter().map(by_its_file).collect();
    if is_folder {
        for film in &mut films {
            if let Place::File(path) = &film.place {
                film.identity = study::path_below(input, path);
            }
        }
    }
    let others: Vec<PathBuf> = files.iter().filter(|path| !is_tried(path)).cloned().collect();
    if labelled.is_none() && !others.is_empty() {
        listener.note(&format!(
            "`{}` also has files that are not films: {}",
            input.display(),
            nih::kinds(&others)
        ));
    }
    if let Some(labelled) = labelled {
        let labels = Labels { labelled, description, trained_on };
        let listed = films.iter_mut().filter_map(|film| labels.describe(film)).count();
        listener.note(&format!(
            "labels, patients and lists of {listed} of {} films: {}",
            films.len(),
            labels.labelled.path.display()
        ));
    }
    Ok(films)
}

/// Makes films of the files at `paths`, each named by its path below `folder`.
pub(super) fn arrived(folder: &Path, paths: &[PathBuf]) -> Vec<SourceFilm> {
    let name = |path: &PathBuf| NamedFilm {
        name: study::path_below(folder, path),
        patient: study::patient_of(folder, path),
        path: path.clone(),
    };
    paths.par_iter().map(name).map(by_its_file).collect()
}

/// Makes a film of which nothing is known but its name, and what the header of a DICOM file says. A
/// folder that is called like a patient says whose film it is, whatever the header says.
fn by_its_file(film: NamedFilm) -> SourceFilm {
    let mut film = unknown(film);
    let Place::File(path) = &film.place else { return film };
    // A file that cannot be read is listed with its reason when its pixels are read.
    let header = FilmFile::open(path).and_then(|mut file| file.header());
    let Some(whose) = header.ok().flatten().map(|header| Whose::read(&header)) else {
        return film;
    };
    if let Some(patient) = whose.patient.filter(|_| !film.has_patient) {
        film.patient = patient;
        film.has_patient = true;
    }
    film.study = whose.study;
    film.view = whose.view.unwrap_or_default();
    film.age = whose.age.map_or_else(String::new, |age| age.to_string());
    film.sex = whose.sex.unwrap_or_default();
    film
}

/// Makes a film of which nothing is known but its name.
fn unknown(film: NamedFilm) -> SourceFilm {
    let NamedFilm { path, name, patient } = film;
    SourceFilm {
        patient_in_training: None,
        has_patient: patient.is_some(),
        study: None,
        patient: patient.unwrap_or_else(|| patient_of(&name)),
        identity: name.clone(),
        image: name,
        view: String::new(),
        age: String::new(),
        sex: String::new(),
        source: path.to_string_lossy().into_owned(),
        dataset: FILES.to_owned(),
        dataset_id: String::new(),
        split: String::new(),
        findings: None,
        place: Place::File(path),
    }
}

/// A label file, and the model for which its films are described.
struct Labels<'a> {
    labelled: Labelled,
    description: &'a ModelInfo,
    trained_on: Option<&'a TrainingFilms>,
}

impl Labels<'_> {
    /// Adds what the label file says about a film; returns `None` if the film is not listed.
    fn describe(&self, film: &mut SourceFilm) -> Option<()> {
        let Place::File(path) = &film.place else { return None };
        let (row, list) = self.labelled.film(path.file_name()?.to_str()?)?;
        let patient = row.patient.to_string();
        let relation = self.relation();
        film.patient_in_training =
            self.trained_on.and_then(|films| relation.mark(films, &row.image, &patient));
        film.split = self.split(&row.image, &patient, list, relation);
        film.patient = patient;
        film.has_patient = true;
        film.view.clone_from(&row.view);
        film.age = row.age.map_or_else(String::new, |age| age.to_string());
        film.sex.clone_from(&row.sex);
        film.dataset = self.labelled.dataset.to_string();
        film.findings = Some(row.findings);
        Some(())
    }

    fn relation(&self) -> Relation {
        let training = self.description.training.as_ref();
        training.map_or(Relation::Other, |training| {
            Relation::between(training, &self.labelled.dataset, "")
        })
    }

    /// Names the split of a film. A split by seed depends on all films of the data set, which need
    /// not be here, so it is known from the films of the run alone.
    fn split(&self, image: &str, patient: &str, list: Option<List>, relation: Relation) -> String {
        let official = |selection: &Selection| match list {
            Some(List::Test) => selection.name(Split::Test),
            Some(_) => TRAIN_VAL.to_owned(),
            None => NONE.to_owned(),
        };
        match (&self.description.training, self.trained_on) {
            // A model that was trained elsewhere has no split of its own.
            (None, _) => official(&Selection::OFFICIAL),
            (Some(_), _) if relation != Relation::Same => EXTERNAL.to_owned(),
            (Some(training), Some(films)) => {
                let side = films.split_of(image, patient);
                side.map_or_else(|| NONE.to_owned(), |side| training.selection.name(side))
            }
            (Some(training), None) if training.selection.split == SplitRule::Official => {
                official(&training.selection)
            }
            (Some(_), None) => String::new(),
        }
    }
}

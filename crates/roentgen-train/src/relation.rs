//! Whether the films of a data set are those that a model was trained on.

use roentgen_data::Dataset;
use roentgen_models::model_dir::TrainingInfo;

use crate::films::TrainingFilms;

/// What a data set is to the one that a model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// They are the same, so patient numbers identify the same patients.
    Same,
    /// It may be the same under another name, or with other films.
    Unknown,
    /// It is another one.
    Other,
}

impl Relation {
    /// Compares a data set, by its name and fingerprint, with the one of a training.
    pub fn between(training: &TrainingInfo, dataset: &Dataset, fingerprint: &str) -> Self {
        if training.data == fingerprint {
            Relation::Same
        } else if !training.dataset.is_named() || !dataset.is_named() {
            // Of two hospitals, or of one.
            Relation::Unknown
        } else if training.dataset == *dataset {
            Relation::Same
        } else {
            Relation::Other
        }
    }
    /// Says whether a patient of such a data set was in training, if that can be known.
    #[must_use]
    pub fn mark(self, films: &TrainingFilms, image: &str, patient: &str) -> Option<bool> {
        match self {
            Relation::Same => films.have_patient(patient),
            Relation::Unknown => films.have_film(image, patient).then_some(true),
            Relation::Other => None,
        }
    }
}

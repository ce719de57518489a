//! Whether the films of a data set are those that a model was trained on.

use roentgen_models::model_dir::Training;

/// The name of every data set that is in the layout of NIH's and no known one.
const IN_NIH_LAYOUT: &str = "films in the NIH layout";

/// What a data set is to the one that a model was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// They are the same, so patient numbers identify the same patients.
    Same,
    /// It may be the same under another name, or with other films.
    Unknown,
    /// It is another one.
    Other,
}

impl Relation {
    pub(super) fn between(training: &Training, dataset: &str, fingerprint: &str) -> Self {
        let is_unnamed = |name: &str| name == IN_NIH_LAYOUT;
        if training.data == fingerprint {
            Relation::Same
        } else if is_unnamed(&training.dataset) || is_unnamed(dataset) {
            // Of two hospitals, or of one.
            Relation::Unknown
        } else if training.dataset == dataset {
            Relation::Same
        } else {
            Relation::Other
        }
    }
}

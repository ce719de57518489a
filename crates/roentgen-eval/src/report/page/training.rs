//! What the score table says of patients that the model was trained on, for the templates.

use serde::Serialize;

use crate::format::count;
use crate::{Evaluation, TrainingMarks};

/// Patients that the model was trained on.
#[derive(Debug, Serialize)]
pub(super) struct InTraining {
    /// Their number, or `unknown` if any film has no mark.
    patients: String,
    /// What the score table says of it.
    note: String,
    /// The same for the banner of a leaky split.
    leaky: String,
}

impl InTraining {
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        let TrainingMarks { known, unknown, patients } = evaluation.training_marks;
        let of_all = || format!("{} of {} patients", count(patients), count(evaluation.patients));
        if unknown == 0 {
            let note = "according to the score table".to_owned();
            return Self { patients: count(patients), note, leaky: of_all() };
        }
        let note = match known {
            0 => "not recorded in the score table".to_owned(),
            _ => format!(
                "recorded for {} films ({} such patient{}), not for {}",
                count(known),
                count(patients),
                if patients == 1 { "" } else { "s" },
                count(unknown)
            ),
        };
        let leaky = match patients {
            0 => "some patients".to_owned(),
            _ => format!("at least {}", of_all()),
        };
        Self { patients: "unknown".to_owned(), note, leaky }
    }
}

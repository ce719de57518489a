//! The films of a table, as far as the protocols treat them differently.

use std::collections::HashSet;

use super::{Choice, LEFT_OUT, State};
use crate::{
    NIH_FINDINGS, Scores, TrainingMarks, leakage,
    split::{Split, rows_in},
};

/// A film that is neither of the training split nor undetermined.
#[derive(Clone, Copy, Debug)]
struct Film {
    row: usize,
    /// Whether the model was trained on its patient; no if that is unknown.
    is_leaked: bool,
    /// Whether it shows none of the 13 findings of the study.
    is_normal: bool,
}

/// The films of a table that can be in a row.
pub(super) struct Films {
    films: Vec<Film>,
    /// Films with unknown labels and no positive one.
    pub(super) undetermined: usize,
    /// Films of the training split.
    pub(super) training: usize,
}

impl Films {
    pub(super) fn of(scores: &Scores) -> Self {
        let training: HashSet<usize> =
            rows_in(scores, Split::Train).unwrap_or_default().into_iter().collect();
        let mut all = Self { films: Vec::new(), undetermined: 0, training: training.len() };
        for row in (0..scores.len()).filter(|row| !training.contains(row)) {
            match is_normal(scores, row) {
                Some(is_normal) => {
                    let is_leaked = leakage::is_leaked(scores, row);
                    all.films.push(Film { row, is_leaked, is_normal });
                }
                None => all.undetermined += 1,
            }
        }
        all
    }

    /// Returns the rows of the films that count after the changes of a state.
    pub(super) fn rows(&self, state: State) -> impl Iterator<Item = usize> + '_ {
        let counts = move |film: &&Film| {
            !(film.is_leaked && state.has(Choice::LeakedPatients))
                && (!film.is_normal || state.has(Choice::NormalFilms))
        };
        self.films.iter().filter(counts).map(|film| film.row)
    }

    /// Counts films and patients after the changes of a state.
    pub(super) fn count(&self, state: State, scores: &Scores) -> (usize, usize) {
        let patients: HashSet<&String> =
            self.rows(state).map(|row| &scores.patients()[row]).collect();
        (self.rows(state).count(), patients.len())
    }

    /// Counts the films that a choice concerns.
    pub(super) fn concerned(&self, choice: Choice, scores: &Scores) -> usize {
        let has_left_out = |film: &&Film| {
            scores.finding(LEFT_OUT).is_some_and(|finding| finding.labels[film.row] == Some(true))
        };
        let films = self.films.iter();
        match choice {
            Choice::LeakedPatients => films.filter(|film| film.is_leaked).count(),
            Choice::NormalFilms => films.filter(|film| film.is_normal).count(),
            Choice::Findings => films.filter(has_left_out).count(),
        }
    }

    /// Returns why the effect of a choice cannot be computed from the table; `None` if it can.
    pub(super) fn reason_against(
        &self,
        choice: Choice,
        scores: &Scores,
        marks: &TrainingMarks,
    ) -> Option<String> {
        let films = self.concerned(choice, scores);
        let reason = match choice {
            Choice::LeakedPatients if marks.unknown > 0 => format!(
                "the table does not say of {} films whether the model was trained on their patients",
                marks.unknown
            ),
            Choice::LeakedPatients if films == 0 => {
                "the model was trained on no patient of these films, so what such films add needs a \
                 second run, trained on a split by film"
                    .to_owned()
            }
            Choice::LeakedPatients if films == self.films.len() => {
                "the model was trained on all patients of these films, so none are left".to_owned()
            }
            Choice::NormalFilms if films == 0 => {
                "the table has no film without one of the 13 findings; predict those that the run \
                 left out, too"
                    .to_owned()
            }
            Choice::Findings if scores.finding(LEFT_OUT).is_none() => format!(
                "the model has no output for {LEFT_OUT}, so this needs a second run, trained on 14 \
                 findings"
            ),
            Choice::Findings if films == 0 => format!("no film of the table shows {LEFT_OUT}"),
            Choice::LeakedPatients | Choice::NormalFilms | Choice::Findings => return None,
        };
        Some(reason)
    }
}

/// Returns whether a film shows none of the 13 findings; `None` if its labels do not say.
fn is_normal(scores: &Scores, row: usize) -> Option<bool> {
    let studied = NIH_FINDINGS.into_iter().filter(|&name| name != LEFT_OUT);
    let labels = studied.map(|name| scores.finding(name).and_then(|finding| finding.labels[row]));
    let labels: Vec<Option<bool>> = labels.collect();
    if labels.contains(&Some(true)) {
        return Some(false);
    }
    (!labels.contains(&None)).then_some(true)
}

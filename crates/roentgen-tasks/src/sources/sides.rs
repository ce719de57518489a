//! The split of each film of a prepared data set, as the run of the model had it.
//!
//! Lists and a seed split the films of a data set, so another set of films, even one of the same
//! name, is split otherwise. The split is therefore made again and believed only if it gives the
//! training films of the model. If it does not, the run's table of films decides, and without that
//! table the split is unknown.

use anyhow::bail;
use roentgen_data::Dataset;
use roentgen_data::manifest::{List, ManifestRow};
use roentgen_data::prepare::Prepared;
use roentgen_data::selection::{self, Selection};
use roentgen_data::split::{self, Split, SplitRule};
use roentgen_models::ModelInfo;
use roentgen_models::model_dir::TrainingInfo;
use roentgen_train::films::{FILMS, TrainingFilms};
use roentgen_train::relation::Relation;

/// The split of films of a data set that the model was not trained on.
pub(super) const EXTERNAL: &str = "external";
/// The split of films on the list from which training and validation films were drawn, if it is
/// unknown which of the two they were. The name counts as training.
pub(super) const TRAIN_VAL: &str = "official train_val";
/// The split of films that the model has in no part.
pub(super) const NONE: &str = "none";

/// The part that a film is in, and the name of its split in tables.
pub(super) type Side = (Option<Split>, String);

/// Returns the split of each film of `prepared` for the model that `description` describes.
///
/// # Errors
///
/// Returns an error if films of the split `asked` are wanted, and it is unknown which they are.
pub(super) fn of_films(
    prepared: &Prepared,
    description: &ModelInfo,
    relation: Relation,
    trained_on: Option<&TrainingFilms>,
    asked: Option<Split>,
) -> anyhow::Result<Vec<Side>> {
    let rows = &prepared.rows;
    let Some(training) = &description.training else {
        // An imported model has no split of its own: NIH's lists split the films.
        let selection = Selection::OFFICIAL;
        let sides = match selection.sides(rows, &description.findings, 0) {
            // Another hospital's films are not on NIH's lists.
            Err(split::Error::NoLists) if asked.is_none() => vec![None; rows.len()],
            sides => sides?,
        };
        return Ok(named(&selection, sides));
    };
    if relation != Relation::Same {
        if let Some(asked) = asked {
            bail!(
                "the model was trained on {}, and `{}` is another data set ({}), so the model has no \
                 split `{}` of it; leave `--split` out",
                training.dataset,
                prepared.folder.display(),
                prepared.description.dataset,
                asked.name()
            );
        }
        return Ok(vec![(None, EXTERNAL.to_owned()); rows.len()]);
    }
    let made = training.selection.sides(rows, &description.findings, training.seed);
    match made {
        Ok(sides) if are_of(training, rows, &sides) => Ok(named(&training.selection, sides)),
        Err(error) if training.data == prepared.description.fingerprint => Err(error.into()),
        _ => otherwise(prepared, training, trained_on, asked),
    }
}

fn named(selection: &Selection, sides: Vec<Option<Split>>) -> Vec<Side> {
    let name = |side: Option<Split>| side.map_or(NONE.to_owned(), |side| selection.name(side));
    sides.into_iter().map(|side| (side, name(side))).collect()
}

/// Whether these are the training films of the model.
fn are_of(training: &TrainingInfo, rows: &[ManifestRow], sides: &[Option<Split>]) -> bool {
    let films = rows.iter().zip(sides).filter(|(_, side)| **side == Some(Split::Train));
    selection::fingerprint(films.map(|(row, _)| row.image.as_str())) == training.split
}

/// Returns the splits where the selection gives other training films than those of the model.
fn otherwise(
    prepared: &Prepared,
    training: &TrainingInfo,
    trained_on: Option<&TrainingFilms>,
    asked: Option<Split>,
) -> anyhow::Result<Vec<Side>> {
    let selection = &training.selection;
    // NIH's test films are the same in every part of ChestX-ray14 that someone packs.
    let are_nihs = prepared.description.dataset == Dataset::Nih;
    let has_all_test_films = are_nihs
        && *selection
            == Selection { seed: selection.seed, fold: selection.fold, ..Selection::OFFICIAL };
    let is_test = |row: &ManifestRow| has_all_test_films && row.list == Some(List::Test);
    let is_known = trained_on.is_some() || (has_all_test_films && asked == Some(Split::Test));
    if let Some(asked) = asked.filter(|_| !is_known) {
        bail!(
            "`{}` does not have the films that the model was trained on, or not all of them, so it \
             is unknown which films are in the split `{}`; put the `{FILMS}` of the run beside \
             `model.toml`, or leave `--split` out",
            prepared.folder.display(),
            asked.name()
        );
    }
    let side = |row: &ManifestRow| {
        let of_run = trained_on.map(|films| films.split_of(&row.image, &row.patient.to_string()));
        match of_run {
            Some(Some(side)) => (Some(side), selection.name(side)),
            _ if is_test(row) => (Some(Split::Test), selection.name(Split::Test)),
            Some(None) => (None, NONE.to_owned()),
            None if selection.split == SplitRule::Official && row.list.is_some() && are_nihs => {
                (None, TRAIN_VAL.to_owned())
            }
            None => (None, String::new()),
        }
    };
    Ok(prepared.rows.iter().map(side).collect())
}

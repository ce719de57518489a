//! The films on which the initial weights were trained, if those are of an earlier run.
//!
//! The weights have seen them as much as the films of this run, so they count as training films: a
//! run whose validation or test films are among them is refused, and its table of films lists them.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use roentgen_data::split::Split;
use roentgen_models::ModelInfo;
use roentgen_models::model_dir::{self, EarlierFilms};

use super::{Error, Material};
use crate::experiment::{Experiment, InitialWeights};
use crate::films::{self, EARLIER, FilmRow, TrainingFilms};
use crate::relation::Relation;

/// Number of patients that an error names.
const NAMED: usize = 3;

/// What the initial weights were trained on.
pub(super) struct Earlier {
    /// `None` for random numbers and for files of weights, which are taken to be of other pictures.
    pub(super) known: Option<EarlierFilms>,
    /// The films of this data set.
    pub(super) films: Vec<FilmRow>,
}

/// Finds the films on which the experiment's initial weights were trained.
///
/// # Errors
///
/// Returns an error if the files of the other model do not belong together, or if its training films
/// are of patients with validation or test films of this run and the experiment is not leaky.
pub(super) fn earlier(experiment: &Experiment, material: &Material) -> Result<Earlier, Error> {
    let nothing = |known| Earlier { known, films: Vec::new() };
    let Some(folder) = folder_of(&experiment.model.weights) else { return Ok(nothing(None)) };
    let unknown = || Ok(nothing(Some(EarlierFilms::Unknown)));
    if !folder.join(model_dir::DESCRIPTION).exists() {
        return unknown();
    }
    let description = ModelInfo::read(&folder)?;
    // Refuses weights of another model.
    model_dir::identity(&folder)?;
    let of_model = TrainingFilms::read(&folder, &description)?;
    let (Some(training), Some(_)) = (&description.training, of_model) else { return unknown() };
    let data = &material.prepared.description;
    let is_all_known = !films::has_unknown(training);
    let known = match Relation::between(training, &data.dataset, &data.fingerprint) {
        // A model before that one may have been trained on this data set.
        Relation::Other if training.earlier_films == Some(EarlierFilms::OtherDataSet) => {
            return unknown();
        }
        Relation::Other if is_all_known => return Ok(nothing(Some(EarlierFilms::OtherDataSet))),
        Relation::Other | Relation::Unknown => return unknown(),
        Relation::Same if is_all_known => training.earlier_films.unwrap_or(EarlierFilms::Listed),
        Relation::Same => EarlierFilms::Unknown,
    };
    let Some(mut rows) = films::read(&folder)? else { return unknown() };
    rows.retain(|row| row.split == Split::Train.name() || row.split == EARLIER);
    let mut names = HashSet::new();
    rows.retain(|row| names.insert(row.image.clone()));
    refuse_leak(experiment, material, &rows)?;
    Ok(Earlier { known: Some(known), films: rows })
}

/// Returns the folder of the model whose weights a run begins with, if this program wrote them.
fn folder_of(weights: &InitialWeights) -> Option<PathBuf> {
    let InitialWeights::At(path) = weights else { return None };
    if path.is_dir() {
        return Some(path.clone());
    }
    let is_ours = path.extension().is_some_and(|extension| extension == "bpk");
    let folder = path.parent().filter(|_| is_ours)?;
    // Weights of another name, such as those of a checkpoint, have no description.
    let is_of_model = folder.join(model_dir::WEIGHTS) == *path;
    Some(if is_of_model { folder.to_owned() } else { path.clone() })
}

/// Refuses validation and test films of patients on whom the initial weights were trained.
fn refuse_leak(
    experiment: &Experiment,
    material: &Material,
    earlier: &[FilmRow],
) -> Result<(), Error> {
    if experiment.data.leaky {
        return Ok(());
    }
    let trained_on: HashSet<&str> = earlier.iter().map(|row| row.patient.as_str()).collect();
    let rows = material.prepared.rows.iter().zip(&material.sides);
    let shared: BTreeSet<u32> = rows
        .filter(|(_, side)| matches!(side, Some(Split::Valid | Split::Test)))
        .map(|(row, _)| row.patient)
        .filter(|patient| trained_on.contains(patient.to_string().as_str()))
        .collect();
    if shared.is_empty() {
        return Ok(());
    }
    let first: Vec<String> = shared.iter().take(NAMED).map(u32::to_string).collect();
    Err(Error::EarlierLeak {
        weights: experiment.model.weights.clone().into(),
        count: shared.len(),
        first: first.join(", "),
    })
}

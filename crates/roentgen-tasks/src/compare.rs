//! Compares finished runs, as a sweep does with its points.

mod own;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_eval::comparison::{
    Comparison, Cost, Criterion, Entrant, Failure, ReportedFigures, RunEpoch,
};
use roentgen_eval::{BootstrapOptions, Scores};
use roentgen_train::experiment::BestBy;
use roentgen_train::sweep::{self, SweepPoint, SweepSettings};
use roentgen_train::{Experiment, Facts, run_dir};

use crate::listener::Listener;
use crate::seed::SEED;

pub(crate) use own::scores_of_locked;
pub use own::{own_scores, valid_scores};

/// Compares runs and the points of sweeps, and predicts their validation films where that was not
/// done. `data` are folders to which their data sets have been moved.
///
/// # Errors
///
/// Returns an error if a run has not finished, or if its validation films cannot be predicted.
pub fn runs(
    paths: &[PathBuf],
    data: &[PathBuf],
    title: &str,
    resamples: usize,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Comparison> {
    let mut folders = Vec::new();
    for path in paths {
        folders.extend(runs_in(path)?);
    }
    // A run has nothing to be compared with in itself.
    let mut known = HashSet::new();
    folders.retain(|folder| known.insert(fs::canonicalize(folder).unwrap_or(folder.clone())));
    let mut experiments = Vec::new();
    for folder in &folders {
        experiments.push(experiment_of(folder)?);
    }
    let settings = differences(&experiments)?;
    let mut entrants = Vec::new();
    for ((folder, experiment), settings) in folders.iter().zip(&experiments).zip(settings) {
        let facts = facts_of(folder)?;
        own_scores(experiment, folder, data, device, listener)?;
        let name = name_run(folder, &folders);
        let best_by = criterion(&facts, experiment);
        entrants.push(entrant(name, settings, best_by, ReportedFigures::default(), folder)?);
    }
    let options = BootstrapOptions { resamples, seed: SEED };
    Ok(Comparison::of(title, entrants, Vec::new(), 0, &options)?)
}

/// Compares the finished points of a sweep.
///
/// # Errors
///
/// Returns an error if the files of a run cannot be read.
pub fn points(
    sweep: &SweepSettings,
    title: &str,
    finished: &[(SweepPoint, PathBuf)],
    failed: Vec<Failure>,
    open: usize,
) -> anyhow::Result<Comparison> {
    let mut entrants = Vec::new();
    for (point, run) in finished {
        check_point(point, run)?;
        let reported = point.reported.as_ref().map_or_else(ReportedFigures::default, |reported| {
            ReportedFigures {
                valid_loss: reported.valid_loss,
                auroc: reported.auroc,
                binary_accuracy: reported.binary_accuracy,
            }
        });
        let best_by = criterion(&facts_of(run)?, &point.experiment);
        let (name, values) = (point.name.clone(), point.values.clone());
        entrants.push(entrant(name, values, best_by, reported, run)?);
    }
    let options = BootstrapOptions { resamples: 1000, seed: SEED };
    let comparison = Comparison::of(title, entrants, failed, open, &options)?;
    Ok(comparison.with_reported_by(sweep.reported_by.as_str()))
}

/// Checks that the run in the folder of a point is of the point's experiment.
///
/// # Errors
///
/// Returns an error if it is of another one, such as after folders were moved, or if it cannot be
/// read.
pub fn check_point(point: &SweepPoint, run: &Path) -> anyhow::Result<()> {
    let there = experiment_of(run)?;
    if there == point.experiment {
        return Ok(());
    }
    let values = [sweep::values(&there)?, sweep::values(&point.experiment)?];
    let [(key, found), (_, expected)] = differing(&values);
    bail!(
        "`{}` is not a run of the point `{}` of the sweep: its `{key}` is {found}, but the point has \
         {expected}; move the folders of the points, and `set.toml` in them, back to where they were",
        run.display(),
        point.name
    )
}

/// Returns the first setting in which two experiments differ, with both values.
fn differing(values: &[Vec<(String, String)>; 2]) -> [(String, String); 2] {
    let [here, there] = values;
    let none = || "not set".to_owned();
    let find = |values: &[(String, String)], key: &str| {
        values.iter().find(|pair| pair.0 == key).map_or_else(none, |pair| format!("`{}`", pair.1))
    };
    let differs = |key: &&String| find(here, key) != find(there, key);
    let key = here.iter().chain(there).map(|pair| &pair.0).find(differs);
    let key = key.map_or("experiment", String::as_str);
    [here, there].map(|values| (key.to_owned(), find(values, key)))
}

fn entrant(
    name: String,
    settings: Vec<(String, String)>,
    best_by: Criterion,
    reported: ReportedFigures,
    run: &Path,
) -> anyhow::Result<Entrant> {
    let facts = facts_of(run)?;
    let rows = run_dir::read_epochs(run)?;
    let epochs = rows.iter().map(|row| RunEpoch {
        epoch: row.epoch,
        train_loss: row.train_loss,
        valid_loss: row.valid_loss,
        valid_auroc: row.valid_auroc,
        is_best: row.is_best,
    });
    Ok(Entrant {
        name,
        settings,
        best_by,
        epochs: epochs.collect(),
        is_stopped: facts.is_stopped,
        scores: Scores::read(valid_scores(run))?,
        cost: Cost {
            parameters: facts.parameters,
            seconds: facts.seconds,
            films_per_second: facts.films_per_second(rows.len()),
            peak_memory_mib: facts.peak_memory_mib,
        },
        reported,
    })
}

/// Returns what chose the best epoch of a run.
fn criterion(facts: &Facts, experiment: &Experiment) -> Criterion {
    // The experiment asks for a criterion; if the AUROC was undefined, the loss chose the epoch.
    match facts.best_by.unwrap_or(experiment.train.best_by) {
        BestBy::Loss => Criterion::Loss,
        BestBy::Auroc => Criterion::Auroc,
    }
}

/// Reads the facts of a run.
///
/// # Errors
///
/// Returns an error if the run has not finished, because then it cannot be compared.
fn facts_of(run: &Path) -> anyhow::Result<Facts> {
    Facts::read(run)?.with_context(|| {
        format!(
            "the run in `{run}` has not finished; resume it with `roentgen resume {run}`",
            run = run.display()
        )
    })
}

/// Lists a run's own folder, or the folders of the finished points of a sweep.
fn runs_in(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if path.join(run_dir::EXPERIMENT).exists() {
        return Ok(vec![path.to_owned()]);
    }
    let points = path.join("points");
    if !points.is_dir() {
        bail!(
            "`{}` is neither a run nor a sweep; give output folders of `roentgen train` or \
             `roentgen sweep`",
            path.display()
        );
    }
    let entries = fs::read_dir(&points)
        .with_context(|| format!("could not read the folder `{}`", points.display()))?;
    let mut runs: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join("run"))
        .filter(|run| run.join(run_dir::FACTS).exists())
        .collect();
    runs.sort();
    Ok(runs)
}

fn experiment_of(run: &Path) -> anyhow::Result<Experiment> {
    let path = run.join(run_dir::EXPERIMENT);
    let text = roentgen_files::read_text_at_most(&path, 16 << 20)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    toml::from_str(&text).with_context(|| format!("could not parse `{}`", path.display()))
}

/// Returns the keys and values of each experiment that are not the same in all of them.
fn differences(experiments: &[Experiment]) -> anyhow::Result<Vec<Vec<(String, String)>>> {
    let all = experiments.iter().map(sweep::values).collect::<Result<Vec<_>, _>>()?;
    let is_common = |pair: &(String, String)| all.iter().all(|values| values.contains(pair));
    let own = |values: &Vec<(String, String)>| {
        values.iter().filter(|pair| !is_common(pair)).cloned().collect()
    };
    Ok(all.iter().map(own).collect())
}

/// Returns the name of a run: the last part of its path (for a sweep, the name of the point), or
/// the whole path if another run has the same name.
fn name_run(run: &Path, all: &[PathBuf]) -> String {
    let short = |path: &Path| {
        let path = if path.ends_with("run") { path.parent().unwrap_or(path) } else { path };
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let name = short(run);
    let is_alone = all.iter().filter(|other| short(other) == name).count() == 1;
    if is_alone { name } else { run.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_criterion_is_what_chose_the_epoch_and_only_without_it_what_was_asked_for() {
        let experiment = "[data]\nprepared = \"a\"\n[train]\nbest_by = \"auroc\"\n";
        let experiment: Experiment = toml::from_str(experiment).unwrap();
        let facts = |best_by: &str| -> Facts {
            let text = "parameters = 1\nsplit = \"official train\"\nis_phantom = true\n\
                train_films = 1\ntrain_patients = 1\nvalid_films = 1\nsteps = 1\nseconds = 1.0\n";
            toml::from_str(&format!("{text}{best_by}")).unwrap()
        };

        assert_eq!(criterion(&facts("best_by = \"loss\"\n"), &experiment), Criterion::Loss);
        assert_eq!(criterion(&facts("best_by = \"auroc\"\n"), &experiment), Criterion::Auroc);
        assert_eq!(criterion(&facts(""), &experiment), Criterion::Auroc);
    }
}

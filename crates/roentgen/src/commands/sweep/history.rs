//! The results of the finished points in a folder, used by searches and by the rules that stop
//! runs.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use roentgen_data::files;
use roentgen_tasks::compare::check_point;
use roentgen_train::sweep::search::Trial;
use roentgen_train::sweep::stop::StopSettings;
use roentgen_train::sweep::{Points, SweepPoint};
use roentgen_train::{Facts, run_dir};
use toml::Table;

use super::place::{PointFolder, PointState};

/// The file with the values that a search drew for a point.
const SET: &str = "set.toml";

/// Returns the finished points, except number `besides`.
pub(super) fn finished(out: &Path, points: &Points, besides: usize) -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for number in (1..=points.count()).filter(|number| *number != besides) {
        let place = PointFolder::new(out, &points.folder(number));
        if place.state()? != PointState::Finished {
            continue;
        }
        let facts = Facts::read(&place.run())?;
        let epochs = run_dir::read_epochs(&place.run())?;
        trials.push(Trial {
            number,
            values: values(&place)?.unwrap_or_default(),
            losses: epochs.iter().map(|epoch| epoch.valid_loss).collect(),
            is_stopped: facts.is_some_and(|facts| facts.is_stopped),
        });
    }
    Ok(trials)
}

/// Returns a point, or `None` if a search has not drawn it yet.
pub(super) fn find_point(
    out: &Path,
    points: &Points,
    number: usize,
) -> anyhow::Result<Option<SweepPoint>> {
    match points {
        Points::Fixed(fixed) => Ok(fixed.get(number - 1).cloned()),
        Points::Drawn(drawn) => {
            let place = PointFolder::new(out, &points.folder(number));
            let values = values(&place)?;
            Ok(values.map(|values| drawn.point(number, &values)).transpose()?)
        }
    }
}

/// Checks that the finished points of the folder are those of the sweep: a search learns from them, and
/// the comparison calls them by their settings.
pub(super) fn check_finished(out: &Path, points: &Points) -> anyhow::Result<()> {
    for number in 1..=points.count() {
        let place = PointFolder::new(out, &points.folder(number));
        if place.state()? == PointState::Finished
            && let Some(point) = find_point(out, points, number)?
        {
            check_point(&point, &place.run())?;
        }
    }
    Ok(())
}

/// Returns a point that is about to run. The values that a search draws for it are saved first, so
/// that a killed point resumes with the same values.
pub(super) fn begin(out: &Path, points: &Points, number: usize) -> anyhow::Result<SweepPoint> {
    if let Some(point) = find_point(out, points, number)? {
        return Ok(point);
    }
    let Points::Drawn(drawn) = points else { anyhow::bail!("there is no point {number}") };
    let values = drawn.suggest(number, &finished(out, points, number)?);
    let text = toml::to_string(&values).context("could not write the drawn values")?;
    let place = PointFolder::new(out, &points.folder(number));
    files::write_whole(&place.path.join(SET), text.as_bytes())?;
    Ok(drawn.point(number, &values)?)
}

/// Returns whether a running point is unpromising compared with the finished ones. Returns false if
/// those cannot be read.
pub(super) fn is_hopeless(
    stop: StopSettings,
    out: &Path,
    points: &Points,
    point: &SweepPoint,
    losses: &[f64],
) -> bool {
    let epochs = point.experiment.phases().iter().map(|phase| phase.epochs).sum();
    finished(out, points, point.number)
        .is_ok_and(|history| stop.is_hopeless(losses, epochs, &history))
}

fn values(place: &PointFolder) -> anyhow::Result<Option<Table>> {
    let path = place.path.join(SET);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let values = toml::from_str(&text);
    values.map(Some).with_context(|| format!("could not parse `{}`", path.display()))
}

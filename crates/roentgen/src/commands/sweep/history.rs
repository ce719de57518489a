//! What the finished points of a folder found: what a search draws from and a rule gives up by.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use roentgen_data::files;
use roentgen_train::sweep::search::Trial;
use roentgen_train::sweep::stop::Stop;
use roentgen_train::sweep::{Point, Points};
use roentgen_train::{Facts, run_dir};
use toml::Table;

use super::place::{Place, State};

/// The values that a search drew for a point.
const SET: &str = "set.toml";

/// The finished points, but for number `besides`.
pub(super) fn finished(out: &Path, points: &Points, besides: usize) -> anyhow::Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for number in (1..=points.count()).filter(|number| *number != besides) {
        let place = Place::new(out, &points.folder(number));
        if place.state()? != State::Finished {
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

/// A point as far as it is known: one that a search has not drawn yet is not.
pub(super) fn known(out: &Path, points: &Points, number: usize) -> anyhow::Result<Option<Point>> {
    match points {
        Points::Fixed(fixed) => Ok(fixed.get(number - 1).cloned()),
        Points::Drawn(drawn) => {
            let place = Place::new(out, &points.folder(number));
            let values = values(&place)?;
            Ok(values.map(|values| drawn.point(number, &values)).transpose()?)
        }
    }
}

/// A point that is about to be run; what a search draws for it is written down first, so that a point
/// that was killed goes on as it began.
pub(super) fn begin(out: &Path, points: &Points, number: usize) -> anyhow::Result<Point> {
    if let Some(point) = known(out, points, number)? {
        return Ok(point);
    }
    let Points::Drawn(drawn) = points else { anyhow::bail!("there is no point {number}") };
    let values = drawn.suggest(number, &finished(out, points, number)?);
    let text = toml::to_string(&values).context("could not write drawn values out")?;
    let place = Place::new(out, &points.folder(number));
    files::write_whole(&place.path.join(SET), text.as_bytes())?;
    Ok(drawn.point(number, &values)?)
}

/// Whether a point under way is hopeless beside the finished ones. Where they cannot be read it is not.
pub(super) fn is_hopeless(
    stop: Stop,
    out: &Path,
    points: &Points,
    point: &Point,
    losses: &[f64],
) -> bool {
    let epochs = point.experiment.phases().iter().map(|phase| phase.epochs).sum();
    finished(out, points, point.number)
        .is_ok_and(|history| stop.is_hopeless(losses, epochs, &history))
}

fn values(place: &Place) -> anyhow::Result<Option<Table>> {
    let path = place.path.join(SET);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("could not read `{}`", path.display()))?;
    let values = toml::from_str(&text);
    values.map(Some).with_context(|| format!("could not understand `{}`", path.display()))
}

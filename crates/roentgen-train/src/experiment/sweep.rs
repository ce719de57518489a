//! `[sweep]` of an experiment file: the experiments it defines, called points.
//!
//! A point is a part of an experiment that is merged over the rest of the file. All points are
//! built and checked before the first one runs, so that an error in the last of forty shows up at
//! once.

mod grid;
mod points;
pub mod search;
pub mod stop;
mod values;

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::experiment::Experiment;
use crate::experiment::overrides::{self, Error};
use crate::invalid::Invalid;
use grid::grid;
use search::Search;
use stop::StopSettings;
use values::leaves;

pub use points::Points;

/// Maximum number of points of a sweep.
const MOST_POINTS: usize = 10_000;

/// `[sweep]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepSettings {
    /// The question, in a few words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// A part of an experiment with a list in place of each value; every combination is a point,
    /// and the first key changes slowest.
    #[serde(skip_serializing_if = "Table::is_empty")]
    pub product: Table,
    /// Named parts of an experiment. If there is a `product` too, each is combined with each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<NamedPoint>,
    /// Results that others reported for a point, shown next to its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reported: Vec<ReportedPoint>,
    /// Authors and data of the reported results.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reported_by: String,
    /// Search that draws points, in place of `product` and `points`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// When to give a point up; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<StopSettings>,
}

/// One of `[[sweep.points]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPoint {
    /// Name in tables and figures.
    pub name: String,
    /// The part of an experiment that it changes.
    pub set: Table,
}

/// One of `[[sweep.reported]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportedPoint {
    /// Values that select the points: those with all of them.
    #[serde(default)]
    pub at: Table,
    /// Name of a point, in place of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Loss on the validation films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
    /// Mean AUROC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auroc: Option<f64>,
    /// Fraction of correct answers over all findings and films.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_accuracy: Option<f64>,
}

/// One experiment of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPoint {
    /// Number of the point, from 1, in the order of the file.
    pub number: usize,
    /// Name of its folder: the number and the values.
    pub folder: String,
    /// The values in readable form.
    pub name: String,
    /// Keys and values that the point sets.
    pub values: Vec<(String, String)>,
    /// The experiment to run.
    pub experiment: Experiment,
    /// Results that others reported.
    pub reported: Option<ReportedPoint>,
}

/// Reads the sweep in `path`, after applying `settings` to the file.
///
/// # Errors
///
/// Returns an error under the conditions of [`overrides::read`], if there is no `[sweep]` or one
/// without points, or for the first point that is not valid.
pub fn read(path: &Path, settings: &[String]) -> Result<(SweepSettings, Points), Error> {
    let mut base = overrides::table(path, settings)?;
    let Some(table) = base.remove("sweep") else {
        let what = "the file has no such table; use `roentgen train` to run a single experiment"
            .to_owned();
        return Err(invalid(path, "sweep", what));
    };
    let sweep: SweepSettings = table
        .try_into()
        .map_err(|source| Error::Parse { path: path.to_owned(), source: Box::new(source) })?;
    if sweep.reported.iter().any(|reported| reported.at.is_empty() && reported.name.is_none()) {
        let what = "each needs values (`at`) or the `name` of a point".to_owned();
        return Err(invalid(path, "sweep.reported", what));
    }
    let has_grid = !sweep.points.is_empty() || !sweep.product.is_empty();
    let points = match &sweep.search {
        Some(_) if has_grid => {
            let what = "draws its own points; leave `product` and `points` out".to_owned();
            return Err(invalid(path, "sweep.search", what));
        }
        Some(search) => Points::from_search(path, base, search.clone())?,
        None if has_grid => Points::Fixed(grid(path, &base, &sweep)?),
        None => {
            return Err(invalid(path, "sweep", "needs `product`, `points` or `search`".to_owned()));
        }
    };
    Ok((sweep, points))
}

/// Builds the experiment of a point: a part of one, merged over the rest of the file.
fn merge_over(path: &Path, base: &Table, set: &Table, name: &str) -> Result<Experiment, Error> {
    let mut table = base.clone();
    overrides::merge(&mut table, set.clone());
    overrides::build(table, path)
        .map_err(|source| Error::Point { name: name.to_owned(), source: Box::new(source) })
}

fn invalid(path: &Path, key: &'static str, what: String) -> Error {
    Error::Invalid { path: path.to_owned(), source: Invalid { key, what } }
}

/// Lists all keys and values of an experiment.
///
/// # Errors
///
/// Returns an error if TOML cannot represent the experiment, for example a value that is not a
/// number.
pub fn values(experiment: &Experiment) -> Result<Vec<(String, String)>, toml::ser::Error> {
    Ok(leaves(&Table::try_from(experiment)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const BASE: &str = "[data]\nprepared = \"films-{size}\"\n[train]\nepochs = 3\n";

    fn read_text(sweep: &str) -> Result<Vec<SweepPoint>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(&path, format!("{BASE}{sweep}")).unwrap();
        match read(&path, &["train.batch_size=64".to_owned()])?.1 {
            Points::Fixed(points) => Ok(points),
            Points::Drawn(_) => panic!("these points are not drawn"),
        }
    }

    #[test]
    fn a_product_has_every_combination_the_first_key_slowest() {
        let points = read_text(
            "[sweep.product]\nimage.size = [32, 64]\ntrain.learning_rate = [1e-3, 1e-2, 0.1]\n\
             [[sweep.reported]]\nat = { train.learning_rate = 0.01, image.size = 64 }\nvalid_loss = 0.29\n",
        )
        .unwrap();
        let names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();

        assert_eq!(names[0], "size 32, learning rate 0.001");
        assert_eq!((names[1], points.len()), ("size 32, learning rate 0.01", 6));
        assert_eq!(points[4].folder, "005-size-64-learning-rate-0.01");
        assert_eq!(points[4].experiment.data.prepared.to_str(), Some("films-64"));
        assert_eq!(points[4].experiment.train.batch_size, 64);
        let reported: Vec<usize> =
            points.iter().filter(|p| p.reported.is_some()).map(|p| p.number).collect();
        assert_eq!(reported, [5]);
    }

    #[test]
    fn a_sweep_over_folds_has_a_point_for_each() {
        let product = "folds = 3\n[sweep.product]\ntrain.fold = [0, 1, 2]\n";
        let points = read_text(product).unwrap();
        let folds: Vec<_> = points.iter().map(|point| point.experiment.fold().unwrap()).collect();

        assert_eq!(folds.iter().map(|fold| fold.number).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(folds.iter().all(|fold| fold.of == 3));
        assert_eq!(points[2].name, "fold 2");
        assert!(read_text("folds = 3\n[sweep.product]\ntrain.fold = [3]\n").is_err());
    }

    #[test]
    fn named_points_replace_whole_optimizers_and_combine_with_a_product() {
        let points = read_text(
            "[[sweep.points]]\nname = \"momentum\"\n\
             set = { train.optimizer = { name = \"sgd\", momentum = 0.9 }, train.learning_rate = 0.1 }\n\
             [[sweep.points]]\nname = \"adam\"\nset = { train.optimizer = { name = \"adam\" } }\n\
             [sweep.product]\nmodel.pool = [\"average\", \"attention\"]\n",
        )
        .unwrap();

        assert_eq!(points.len(), 4);
        assert_eq!(points[1].name, "momentum, pool attention");
        let value = ("train.optimizer".to_owned(), "sgd momentum 0.9".to_owned());
        assert!(points[1].values.contains(&value), "{:?}", points[1].values);
    }

    #[test]
    fn the_point_that_cannot_be_is_named_before_any_runs() {
        let error = read_text("[sweep.product]\ntrain.micro_batch_size = [32, 48]\n").unwrap_err();

        assert!(matches!(error, Error::Point { name, .. } if name == "micro batch size 48"));
    }

    #[test]
    fn a_product_that_would_be_endless_is_refused_before_it_is_built() {
        let list = format!("[{}]", vec!["0.1"; 1000].join(", "));
        let keys = ["train.learning_rate", "model.dropout", "model.width", "image.augment.zoom"];
        let lines: Vec<String> = keys.iter().map(|key| format!("{key} = {list}\n")).collect();
        let error = read_text(&format!("[sweep.product]\n{}", lines.concat())).unwrap_err();

        assert!(matches!(error, Error::Invalid { source, .. } if source.what.contains("10000")));
        let search = |points: &str, space: &str| {
            read_text(&format!(
                "[sweep.search]\nmethod = \"random\"\npoints = {points}\nspace = {{ {space} }}\n"
            ))
        };
        let space = "train.learning_rate = [0.1]";
        assert!(search("9223372036854775807", space).is_err());
        assert!(search("2", "train.learning_rate = { low = -1.7e308, high = 1.7e308 }").is_err());
    }

    #[test]
    fn a_sweep_without_points_or_lists_is_refused() {
        assert!(read_text("[sweep]\ntitle = \"nothing\"\n").is_err());
        assert!(read_text("[sweep.product]\ntrain.learning_rate = []\n").is_err());
        assert!(read_text("[sweep.product]\ntrain.learning_rate = 0.1\n").is_err());
        assert!(read_text("[sweep.product]\nseed = [1, 1]\n").is_err(), "twice the same point");
    }
}

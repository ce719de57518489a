//! The points of a sweep: either all listed in the file, or drawn one after another.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::search::{Axis, Search, Trial, insert};
use super::values::{leaves, name};
use super::{MOST_POINTS, SweepPoint, invalid, merge_over};
use crate::experiment::overrides::Error;

/// The points of a sweep.
#[derive(Clone, Debug)]
pub enum Points {
    /// The points of the file.
    Fixed(Vec<SweepPoint>),
    /// The points drawn by a search.
    Drawn(Box<DrawnPoints>),
}

/// A search, and the experiment its points are merged over.
#[derive(Clone, Debug)]
pub struct DrawnPoints {
    path: PathBuf,
    base: Table,
    search: Search,
    axes: Vec<Axis>,
}

impl Points {
    /// Checks a search: its space, and an experiment at each end of each range.
    pub(super) fn from_search(path: &Path, base: Table, search: Search) -> Result<Self, Error> {
        let axes = search.axes().map_err(|what| invalid(path, "sweep.search.space", what))?;
        if !(1..=MOST_POINTS).contains(&search.points) {
            let what = format!("must be 1 to {MOST_POINTS}");
            return Err(invalid(path, "sweep.search.points", what));
        }
        let drawn = DrawnPoints { path: path.to_owned(), base, search, axes };
        drawn.build_ends()?;
        Ok(Points::Drawn(Box::new(drawn)))
    }

    /// Returns the number of points.
    pub fn count(&self) -> usize {
        match self {
            Points::Fixed(points) => points.len(),
            Points::Drawn(drawn) => drawn.search.points,
        }
    }

    /// Returns the folder name of a point, known before its values are; `number` is from 1 to
    /// [`Self::count`].
    pub fn folder(&self, number: usize) -> String {
        match self {
            Points::Fixed(points) => points[number - 1].folder.clone(),
            Points::Drawn(_) => format!("{number:03}"),
        }
    }
}

impl DrawnPoints {
    /// Returns the keys that are drawn, and their ranges.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Draws the values of a point, given the points that have finished.
    pub fn suggest(&self, number: usize, history: &[Trial]) -> Table {
        self.search.suggest(&self.axes, number, history)
    }

    /// Builds the point with these values.
    ///
    /// # Errors
    ///
    /// Returns an error if the values do not form a valid experiment.
    pub fn point(&self, number: usize, values: &Table) -> Result<SweepPoint, Error> {
        let pairs = leaves(values);
        let name = format!("{number}: {}", name("", &pairs));
        let experiment = merge_over(&self.path, &self.base, values, &name)?;
        let folder = format!("{number:03}");
        Ok(SweepPoint { number, folder, name, values: pairs, experiment, reported: None })
    }

    /// Builds a point for each end of each range and each choice of each list; the other keys have
    /// their first value.
    ///
    /// # Errors
    ///
    /// Returns an error for the first point that is not a valid experiment.
    pub fn build_ends(&self) -> Result<Vec<SweepPoint>, Error> {
        let first = |axis: &Axis| axis.range.extremes().swap_remove(0);
        let mut points = Vec::new();
        for axis in &self.axes {
            for value in axis.range.extremes() {
                let mut values = Table::new();
                for other in &self.axes {
                    let value: Value = if other == axis { value.clone() } else { first(other) };
                    insert(&mut values, &other.key, value);
                }
                points.push(self.point(points.len() + 1, &values)?);
            }
        }
        Ok(points)
    }

    /// Formats the search and its experiment as text: equal texts mean equal searches.
    ///
    /// # Errors
    ///
    /// Returns an error if TOML cannot represent a table.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let search = Table::from_iter([("search".to_owned(), Value::try_from(&self.search)?)]);
        let mut whole = self.base.clone();
        whole.insert("sweep".to_owned(), Value::Table(search));
        toml::to_string(&whole)
    }
}

//! The points of a sweep: all known from the file, or drawn one after another.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::search::{Axis, Search, Trial, insert};
use super::{Point, invalid, laid_over, leaves, name};
use crate::overrides::Error;

/// The points of a sweep.
#[derive(Clone, Debug)]
pub enum Points {
    /// Those of the file.
    Fixed(Vec<Point>),
    /// Those that a search draws.
    Drawn(Box<Drawn>),
}

/// A search, and what its points are laid over.
#[derive(Clone, Debug)]
pub struct Drawn {
    path: PathBuf,
    base: Table,
    search: Search,
    axes: Vec<Axis>,
}

impl Points {
    /// Checks a search: its space, and an experiment at each end of each range.
    pub(super) fn drawn(path: &Path, base: Table, search: Search) -> Result<Self, Error> {
        let axes = search.axes().map_err(|what| invalid(path, "sweep.search.space", what))?;
        if search.points == 0 {
            return Err(invalid(path, "sweep.search.points", "draw at least one point".to_owned()));
        }
        let drawn = Drawn { path: path.to_owned(), base, search, axes };
        drawn.ends()?;
        Ok(Points::Drawn(Box::new(drawn)))
    }

    /// How many points there are.
    pub fn count(&self) -> usize {
        match self {
            Points::Fixed(points) => points.len(),
            Points::Drawn(drawn) => drawn.search.points,
        }
    }

    /// The name of a point's folder, known before its values are; `number` is from 1 to [`Self::count`].
    pub fn folder(&self, number: usize) -> String {
        match self {
            Points::Fixed(points) => points[number - 1].folder.clone(),
            Points::Drawn(_) => format!("{number:03}"),
        }
    }
}

impl Drawn {
    /// The keys that are drawn, and what they may be.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The values of a point, from those that have finished.
    pub fn suggest(&self, number: usize, history: &[Trial]) -> Table {
        self.search.suggest(&self.axes, number, history)
    }

    /// The point with these values.
    ///
    /// # Errors
    ///
    /// Values that make no experiment.
    pub fn point(&self, number: usize, values: &Table) -> Result<Point, Error> {
        let pairs = leaves(values);
        let name = format!("{number}: {}", name("", &pairs));
        let experiment = laid_over(&self.path, &self.base, values, &name)?;
        let folder = format!("{number:03}");
        Ok(Point { number, folder, name, values: pairs, experiment, reported: None })
    }

    /// A point for each end of each range and each choice of each list, the other keys at their first.
    ///
    /// # Errors
    ///
    /// The first that makes no experiment.
    pub fn ends(&self) -> Result<Vec<Point>, Error> {
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

    /// The search and what it is laid over, written down: the same for the same search only.
    ///
    /// # Errors
    ///
    /// A table that TOML cannot hold.
    pub fn to_text(&self) -> Result<String, toml::ser::Error> {
        let search = Table::from_iter([("search".to_owned(), Value::try_from(&self.search)?)]);
        let mut whole = self.base.clone();
        whole.insert("sweep".to_owned(), Value::Table(search));
        toml::to_string(&whole)
    }
}

//! What can be refused before the first step.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use roentgen_data::prepare::Prepared;

use super::material::Material;
use super::{Error, earlier, initial};
use crate::experiment::Experiment;

/// Checks the experiments of a sweep, of which most use the same data set. It is opened once.
#[derive(Debug, Default)]
pub struct Checker {
    opened: HashMap<PathBuf, Arc<Prepared>>,
}

impl Checker {
    /// Checks, without a step, everything that [`train`](super::train) would refuse before its first
    /// step.
    ///
    /// While films are hashed, `hashed` is called with the bytes done and the bytes in all.
    ///
    /// # Errors
    ///
    /// Returns an error if films are missing or of another size, if the split leaks or leaves a split
    /// without films, or if weights are missing.
    pub fn check(
        &mut self,
        experiment: &Experiment,
        hashed: &dyn Fn(u64, u64),
    ) -> Result<(), Error> {
        let folder = &experiment.data.prepared;
        let prepared = match self.opened.get(folder) {
            Some(prepared) => Arc::clone(prepared),
            None => {
                let prepared = Arc::new(Prepared::open_with(folder, hashed)?);
                self.opened.insert(folder.clone(), Arc::clone(&prepared));
                prepared
            }
        };
        let material = Material::of(experiment, prepared)?;
        earlier::earlier(experiment, &material)?;
        initial::find(experiment).map(|_| ())
    }
}

/// Checks one experiment, as [`Checker::check`] does.
///
/// # Errors
///
/// As [`Checker::check`].
pub fn check(experiment: &Experiment, hashed: &dyn Fn(u64, u64)) -> Result<(), Error> {
    Checker::default().check(experiment, hashed)
}

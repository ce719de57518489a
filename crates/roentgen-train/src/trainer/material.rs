//! The inputs of a run: films, findings and split.

use std::sync::Arc;

use roentgen_data::Finding;
use roentgen_data::manifest::ManifestRow;
use roentgen_data::prepare::Prepared;
use roentgen_data::split::Split;

use super::{Error, OVER};
use crate::experiment::{BestBy, Experiment, Findings, NamedFindings};

/// The inputs of an experiment.
pub(super) struct Material {
    pub(super) prepared: Arc<Prepared>,
    pub(super) findings: Vec<Finding>,
    /// Split of each row of the prepared data set.
    pub(super) sides: Vec<Option<Split>>,
}

impl Material {
    /// Opens the prepared data set, and chooses findings and split.
    pub(super) fn open(experiment: &Experiment, hashed: &dyn Fn(u64, u64)) -> Result<Self, Error> {
        let prepared = Prepared::open_with(&experiment.data.prepared, hashed)?;
        Self::of(experiment, Arc::new(prepared))
    }

    /// Returns the rows of the prepared data set that are in a split.
    pub(super) fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.sides.len()).filter(|&row| self.sides[row] == Some(split)).collect()
    }

    /// Chooses findings and split of a prepared data set.
    pub(super) fn of(experiment: &Experiment, prepared: Arc<Prepared>) -> Result<Self, Error> {
        let size = prepared.store.size();
        if let Some(asked) = experiment.image.size
            && asked != size
        {
            return Err(Error::Size { asked, size, prepared: prepared.folder.clone() });
        }
        experiment.network().check(size, experiment.image.channels)?;
        let findings = findings(experiment, &prepared)?;
        let sides = experiment.selection().sides(&prepared.rows, &findings, experiment.seed)?;
        for (side, name) in [(Split::Train, "training"), (Split::Valid, "validation")] {
            if !sides.contains(&Some(side)) {
                return Err(Error::NoFilms(name));
            }
        }
        if experiment.train.best_by == BestBy::Auroc {
            refuse_undefined_auroc(&prepared.rows, &sides, &findings)?;
        }
        Ok(Self { prepared, findings, sides })
    }
}

/// The AUROC of a finding needs validation films with it and without it.
fn refuse_undefined_auroc(
    rows: &[ManifestRow],
    sides: &[Option<Split>],
    findings: &[Finding],
) -> Result<(), Error> {
    let valid = || rows.iter().zip(sides).filter(|(_, side)| **side == Some(Split::Valid));
    let films = valid().count();
    let with = |finding| valid().filter(|(row, _)| row.findings.contains(finding)).count();
    if findings.iter().any(|&finding| (1..films).contains(&with(finding))) {
        return Ok(());
    }
    Err(Error::NoAuroc { films })
}

fn findings(experiment: &Experiment, prepared: &Prepared) -> Result<Vec<Finding>, Error> {
    match &experiment.findings {
        Findings::Named(NamedFindings::All) => Ok(Finding::ALL.to_vec()),
        Findings::Named(NamedFindings::Over1000) => {
            let findings = roentgen_data::manifest::findings_over(&prepared.rows, OVER);
            if findings.is_empty() { Err(Error::NoFindings) } else { Ok(findings) }
        }
        Findings::List(list) => Ok(list.clone()),
    }
}

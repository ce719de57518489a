//! A folder with films, experiments on them, and runs that can be stopped.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use burn::tensor::Device;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{self, PrepareSettings};
use roentgen_phantom as phantom;
use roentgen_train::run_dir::Start;
use roentgen_train::{Experiment, Progress, TrainOutcome, overrides, train};

/// Counts the steps of a run, and stops it after a number of them.
pub(crate) struct Stop<'a> {
    after: Option<usize>,
    at_step: &'a dyn Fn(),
    pub(crate) steps: Cell<usize>,
}

impl<'a> Stop<'a> {
    pub(crate) fn never() -> Self {
        Self { after: None, at_step: &|| (), steps: Cell::new(0) }
    }

    pub(crate) fn after(steps: usize) -> Self {
        Self { after: Some(steps), ..Self::never() }
    }

    /// Calls `at_step` after each step.
    pub(crate) fn calling(at_step: &'a dyn Fn()) -> Self {
        Self { at_step, ..Self::never() }
    }
}

impl Progress for Stop<'_> {
    fn step(&self, _: usize, _: usize, _: f64) {
        self.steps.set(self.steps.get() + 1);
        (self.at_step)();
    }
    fn seconds(&self) -> f64 {
        0.0
    }
    fn peak_memory_mib(&self) -> Option<u64> {
        None
    }
    fn is_interrupted(&self) -> bool {
        self.after.is_some_and(|after| self.steps.get() >= after)
    }
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// Prepares films of 32 px.
    pub(crate) fn with_films(films: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let drawn = phantom::PhantomSettings { films, size: 64, seed: 3 };
        phantom::write(&folder.path().join("films"), &drawn, &|_| ()).unwrap();
        let settings =
            PrepareSettings { size: 32, filter: Filter::Lanczos3, labels: None, any_size: false };
        let out = folder.path().join("prepared");
        prepare::prepare(&folder.path().join("films"), &out, &settings, &|_| ()).unwrap();
        Self(folder)
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn experiment(&self, text: &str) -> Experiment {
        let path = self.at("experiment.toml");
        let prepared = self.at("prepared");
        let text = format!("seed = 7\n[data]\nprepared = {prepared:?}\n{text}");
        fs::write(&path, text).unwrap();
        overrides::read(&path, &[]).unwrap()
    }

    pub(crate) fn run(
        &self,
        experiment: &Experiment,
        name: &str,
        start: Start,
        stop: &Stop<'_>,
    ) -> TrainOutcome {
        train(experiment, &self.at(name), start, &Device::flex(), stop).unwrap()
    }
}

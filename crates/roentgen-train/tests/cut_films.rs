//! A run whose films are cut off while it reads them ends with an error.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::{Folder, alone};
use roentgen_data::store;
use roentgen_train::progress::{EpochRow, RunPlan};
use roentgen_train::run_dir::Start;
use roentgen_train::trainer::Error;
use roentgen_train::{Progress, features, train};

/// Cuts a file after each step.
struct Cut(PathBuf);

impl Progress for Cut {
    fn started(&self, _: &RunPlan) {}
    fn features(&self, _: usize, _: usize) {}
    fn step(&self, _: usize, _: usize, _: f64) {
        File::options().write(true).open(&self.0).unwrap().set_len(4096).unwrap();
    }
    fn validated(&self, _: usize, _: usize) {}
    fn epoch(&self, _: &EpochRow) {}
    fn finished(&self, _: &Path) {}
    fn seconds(&self) -> f64 {
        0.0
    }
    fn peak_memory_mib(&self) -> Option<u64> {
        None
    }
    fn is_interrupted(&self) -> bool {
        false
    }
}

#[test]
fn a_run_whose_films_are_cut_off_ends_with_an_error_that_names_the_file() {
    let _alone = alone();
    let folder = Folder::with_films(80);
    let experiment = folder.experiment("[model]\nwidth = 0.125\n[train]\nbatch_size = 8\n");
    let films = folder.at("prepared").join("images.safetensors");

    let run =
        train(&experiment, &folder.at("run"), Start::Fresh, &Device::flex(), &Cut(films.clone()));

    match run.unwrap_err() {
        Error::Films(store::Error::Film { path, .. })
        | Error::Features(features::Error::Films(store::Error::Film { path, .. })) => {
            assert_eq!(path, films);
        }
        error => panic!("{error}"),
    }
}

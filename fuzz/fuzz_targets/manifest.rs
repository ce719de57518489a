//! `manifest.csv`, and splits of its films.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::manifest;
use roentgen_data::split::{self, SplitRule};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("manifest.csv");
    std::fs::write(&path, bytes).expect("a file can be written");
    if let Ok(rows) = manifest::read(&path) {
        for rule in [SplitRule::Official, SplitRule::ByPatient, SplitRule::ByImage] {
            let _ = split::divide(&rows, rule, 1);
        }
    }
});

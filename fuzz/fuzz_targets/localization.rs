//! `localization.json`

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_eval::localization::Localization;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("localization.json");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = Localization::read(&path);
});

//! A folder with a ZIP archive, and the films in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::{nih, pixels};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("study.zip"), bytes).expect("a file can be written");
    let files = nih::walk(folder.path()).expect("a folder can be listed");
    for film in files.iter().filter(|path| nih::holds_film(path)).take(4) {
        let _ = pixels::read(film);
    }
});

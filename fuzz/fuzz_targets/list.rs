//! Lists of films.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::nih;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("test_list.txt");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = nih::read_list(&path);
});

//! Box lists.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::boxes;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("BBox_List_2017.csv");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = boxes::read(&path);
});

//! Label files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::metadata::LabelFile;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("Data_Entry_2017.csv");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = LabelFile::read(&path);
});

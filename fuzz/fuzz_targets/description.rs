//! `prepare.toml`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::prepare::PreparedInfo;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("prepare.toml");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = PreparedInfo::read(folder.path());
});

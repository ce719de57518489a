//! The archive of ChestMNIST.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::medmnist;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("chestmnist.npz");
    std::fs::write(&path, bytes).expect("a file can be written");
    let out = folder.path().join("out");
    let _ = medmnist::prepare(&path, &out, 28, ["here", "abc"], &|_, _, _| ());
});

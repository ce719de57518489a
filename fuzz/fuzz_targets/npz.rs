//! The archive of ChestMNIST.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::medmnist::{self, ArchiveOrigin};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("chestmnist.npz");
    std::fs::write(&path, bytes).expect("a file can be written");
    let out = folder.path().join("out");
    let origin = ArchiveOrigin { source: "here", checksum: "abc" };
    let _ = medmnist::prepare(&path, &out, 28, origin, &|_, _, _| ());
});

//! `images.safetensors`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::store::Store;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("images.safetensors");
    std::fs::write(&path, bytes).expect("a file can be written");
    if let Ok(store) = Store::open(&path) {
        for index in 0..store.len().min(9) {
            let _ = store.plane(index);
        }
    }
});

//! Features of a frozen backbone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use roentgen_data::rows::RowStore;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("train.safetensors");
    std::fs::write(&path, bytes).expect("a file can be written");
    if let Ok(Some(rows)) = RowStore::open(&path) {
        let mut values = Vec::new();
        for index in 0..rows.len().min(9) {
            let _ = rows.append(index, &mut values);
        }
    }
});

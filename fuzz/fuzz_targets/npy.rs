//! The header and the values of an array in the archive of ChestMNIST.

#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use roentgen_data::medmnist::{self, ArchiveOrigin};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("chestmnist.npz");
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    // Labels are read first; films only if there are labels.
    for name in ["train_labels.npy", "train_images.npy"] {
        archive.start_file(name, options).expect("an entry can be begun");
        archive.write_all(bytes).expect("an entry can be written");
    }
    let archive = archive.finish().expect("an archive can be finished").into_inner();
    std::fs::write(&path, archive).expect("a file can be written");
    let out = folder.path().join("out");
    let origin = ArchiveOrigin { source: "here", checksum: "abc" };
    let _ = medmnist::prepare(&path, &out, 28, origin, &|_, _, _| ());
});

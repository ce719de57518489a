//! A prepared data set of which one file is given; its first byte says which.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use roentgen_data::pixels::{Filter, Plane, to_png};
use roentgen_data::prepare::{PrepareSettings, Prepared, prepare, verify};
use tempfile::TempDir;

const FILES: [&str; 5] =
    ["prepare.toml", "manifest.csv", "images.safetensors", "bad-films.csv", "duplicates.csv"];
const LABELS: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,\
    Patient Gender,View Position\n1.png,Mass,0,1,50,M,PA\n2.png,Edema,0,2,60,F,AP\n";

/// Prepares two films.
static WHOLE: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let films = folder.path().join("films");
    std::fs::create_dir(&films).expect("a folder can be made");
    for number in [1, 2] {
        let pixels = (0..400).map(|at| (at * number) as u8).collect();
        let film = to_png(&Plane { width: 20, height: 20, pixels });
        std::fs::write(films.join(format!("{number}.png")), film).expect("a film can be written");
    }
    std::fs::write(films.join("Data_Entry_2017.csv"), LABELS).expect("a table can be written");
    let settings =
        PrepareSettings { size: 16, filter: Filter::Lanczos3, labels: None, any_size: false };
    let out = folder.path().join("out");
    prepare(&films, &out, &settings, &|_| ()).expect("the films can be prepared");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder can be made");
    let whole: &Path = WHOLE.path();
    for file in FILES {
        std::fs::copy(whole.join("out").join(file), folder.path().join(file)).expect("a copy");
    }
    let file = FILES[usize::from(*which) % FILES.len()];
    std::fs::write(folder.path().join(file), bytes).expect("a file can be written");
    if let Ok(prepared) = Prepared::open(folder.path()) {
        for row in 0..prepared.store.len().min(4) {
            let _ = prepared.store.plane(row);
        }
    }
    let _ = verify(folder.path(), &|_, _| ());
});

//! Films that were damaged when `prepare` read them, and are repaired before it is called again.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use common::{DataSet, SETTINGS, name, texture};
use image::ImageFormat;
use roentgen_data::prepare::{PrepareProgress, prepare};

/// Replaces a film by as many zeros, as an interrupted download leaves it; returns its content.
fn zeroed(path: &Path) -> Vec<u8> {
    let whole = fs::read(path).unwrap();
    fs::write(path, vec![0; whole.len()]).unwrap();
    whole
}

#[test]
fn a_film_that_was_repaired_to_the_same_length_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    let film = data.root.join("images").join(name(2, 1));
    let whole = zeroed(&film);
    let out = root.path().join("out");
    assert_eq!(data.prepare(&out).unwrap().bad.len(), 1);
    // Nothing has changed: the folder is complete.
    assert_eq!(data.prepare(&out).unwrap().bad.len(), 1);

    fs::write(&film, whole).unwrap();
    let error = data.prepare(&out).unwrap_err();

    let text = error.to_string();
    assert!(text.contains(&format!("prepared when `{}` could not be read", name(2, 1))), "{text}");
    assert!(data.prepare(&root.path().join("again")).unwrap().bad.is_empty());
}

#[test]
fn a_film_that_was_repaired_while_prepare_was_interrupted_does_not_move_the_others() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::new(root.path().join("data"));
    // More than are packed between two entries of the journal.
    for patient in 1..=280 {
        let plane = texture(1, patient, 0, 20, 16);
        let film = image::GrayImage::from_raw(plane.width, plane.height, plane.pixels).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        film.write_to(&mut bytes, ImageFormat::Png).unwrap();
        data.add(&name(patient, 0), "Mass", patient, &bytes.into_inner());
    }
    let clean = root.path().join("clean");
    data.prepare(&clean).unwrap();
    // One has no header, of the other only the end is missing.
    for cut in [0, 100] {
        let film = data.root.join("images").join(name(3, 0));
        let whole = fs::read(&film).unwrap();
        let mut damaged = whole.clone();
        damaged[cut..].fill(0);
        fs::write(&film, damaged).unwrap();
        let out = root.path().join(format!("out-{cut}"));
        let stop = |step: PrepareProgress| {
            assert!(!matches!(step, PrepareProgress::Packing(done, _) if done > 260), "stopped");
        };
        let stopped =
            catch_unwind(AssertUnwindSafe(|| prepare(&data.root, &out, &SETTINGS, &stop)));
        assert!(stopped.is_err() && out.join("prepare.part.toml").exists());

        fs::write(&film, whole).unwrap();
        assert!(data.prepare(&out).unwrap().bad.is_empty());

        for file in ["images.safetensors", "manifest.csv"] {
            assert!(fs::read(out.join(file)).unwrap() == fs::read(clean.join(file)).unwrap());
        }
    }
}

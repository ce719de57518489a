//! Prepares ChestMNIST from an archive as written by NumPy.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use roentgen_data::manifest::List;
use roentgen_data::medmnist::{self, ArchiveOrigin, Error};
use roentgen_data::prepare::{PatientNumbers, Prepared};
use roentgen_data::split::{self, Split, SplitRule};
use roentgen_data::{FilmFindings, Finding};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Makes an array file.
fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

/// Returns the labels of film `film`: finding number `film`, the last two for 13, none above.
fn labels(film: usize) -> Vec<u8> {
    (0..14).map(|label| u8::from(film == label || (film == 13 && label == 12))).collect()
}

fn pixels(side: usize, film: usize, size: usize) -> Vec<u8> {
    (0..size * size).map(|i| (i * 7 + film * 31 + side * 101) as u8).collect()
}

/// Makes an archive of `[train, val, test]` films.
fn npz(films: [usize; 3], size: usize, method: CompressionMethod, wide: bool) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (side, (name, films)) in ["train", "val", "test"].into_iter().zip(films).enumerate() {
        let planes: Vec<u8> = (0..films).flat_map(|film| pixels(side, film, size)).collect();
        let labels = (0..films).flat_map(labels);
        let (descr, labels): (_, Vec<u8>) = if wide {
            ("<i8", labels.flat_map(|label| [label, 0, 0, 0, 0, 0, 0, 0]).collect())
        } else {
            ("|u1", labels.collect())
        };
        zip.start_file(format!("{name}_images.npy"), options).unwrap();
        zip.write_all(&npy("|u1", &format!("{films}, {size}, {size}"), &planes)).unwrap();
        zip.start_file(format!("{name}_labels.npy"), options).unwrap();
        zip.write_all(&npy(descr, &format!("{films}, 14"), &labels)).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("chestmnist.npz");
    fs::write(&path, bytes).unwrap();
    path
}

fn prepare(npz: &Path, out: &Path, size: u32) -> Result<Prepared, Error> {
    let origin = ArchiveOrigin { source: "https://example.org/chestmnist.npz", checksum: "MD5 0" };
    medmnist::prepare(npz, out, size, origin, &|_, _, _| {})?;
    Ok(Prepared::open(out).unwrap())
}

#[test]
fn films_labels_and_sides_come_through_stored_deflated_and_wide() {
    for (method, wide) in [
        (CompressionMethod::Stored, false),
        (CompressionMethod::Deflated, false),
        (CompressionMethod::Stored, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &npz([20, 3, 5], 28, method, wide));

        let prepared = prepare(&path, &folder.path().join("out"), 28).unwrap();

        assert_eq!((prepared.store.len(), prepared.store.size()), (28, 28));
        assert_eq!(prepared.store.plane(0).unwrap(), pixels(0, 0, 28));
        assert_eq!(prepared.store.plane(22).unwrap(), pixels(1, 2, 28));
        assert_eq!(prepared.store.plane(27).unwrap(), pixels(2, 4, 28));
        assert_eq!(prepared.rows[22].image, "chestmnist_val_00002");
        assert_eq!(prepared.rows[22].findings, FilmFindings::from_iter([Finding::Effusion]));
        assert_eq!(prepared.rows[22].list, Some(List::Valid));
        let both = FilmFindings::from_iter([Finding::PleuralThickening, Finding::Hernia]);
        assert_eq!(prepared.rows[13].findings, both);
        assert!(prepared.rows[19].findings.is_empty());
        assert_eq!(prepared.description.patients, 28);
        assert_eq!(prepared.description.patient_numbers, PatientNumbers::Films);
    }
}

#[test]
fn the_published_sides_are_kept_whatever_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &npz([20, 3, 5], 28, CompressionMethod::Stored, false));
    let prepared = prepare(&path, &folder.path().join("out"), 28).unwrap();
    let expected = [vec![Some(Split::Train); 20], vec![Some(Split::Valid); 3]].concat();

    for seed in [1, 2] {
        let sides = split::divide(&prepared.rows, SplitRule::Official, seed).unwrap();
        assert_eq!(sides[..23], expected);
        assert_eq!(sides[23..], [Some(Split::Test); 5]);
    }
}

#[test]
fn prepare_toml_says_that_films_stand_for_patients() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &npz([4, 1, 1], 28, CompressionMethod::Stored, false));
    prepare(&path, &folder.path().join("out"), 28).unwrap();

    let text = fs::read_to_string(folder.path().join("out/prepare.toml")).unwrap();

    assert!(text.contains("patient_numbers = \"films\""), "{text}");
    assert!(
        text.contains("ChestMNIST (each film counted as a patient)") && !text.contains("filter"),
        "{text}"
    );
}

#[test]
fn a_second_call_does_nothing_and_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &npz([4, 1, 1], 28, CompressionMethod::Stored, false));
    let out = folder.path().join("out");
    let first = prepare(&path, &out, 28).unwrap().description;
    fs::remove_file(&path).unwrap();

    assert_eq!(medmnist::prepared(&out, 28).unwrap(), Some(first));
    assert!(prepare(&path, &out, 28).is_ok());
    let error = medmnist::prepared(&out, 64).unwrap_err().to_string();
    assert!(error.contains("6 films of 28 px"), "{error}");
    assert_eq!(medmnist::prepared(&folder.path().join("none"), 64).unwrap(), None);
}

#[test]
fn damaged_and_other_archives_are_refused_and_leave_no_prepared_data_set() {
    let whole = npz([4, 1, 1], 28, CompressionMethod::Stored, false);
    let mut flipped = whole.clone();
    // In the middle of the first array, which comes first in the file.
    flipped[1000] ^= 1;
    let cut = whole[..whole.len() / 2].to_vec();
    for (bytes, size) in [(flipped, 28), (cut, 28), (b"no zip".to_vec(), 28), (whole, 64)] {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &bytes);
        let out = folder.path().join("out");

        let error = prepare(&path, &out, size).unwrap_err();

        assert!(matches!(error, Error::Array { .. }), "{error}");
        assert!(!Prepared::is_prepared(&out));
    }
}

#[test]
fn the_order_of_labels_is_medmnists() {
    let names: Vec<String> = Finding::BY_WANG.iter().map(ToString::to_string).collect();

    assert_eq!(names[2..5].join(" "), "Effusion Infiltration Mass");
    assert_eq!(
        names[8..].join(" "),
        "Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia"
    );
    assert!(Finding::ALL.iter().all(|finding| Finding::BY_WANG.contains(finding)));
}

#[test]
fn labels_inflate_no_further_than_their_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let archive = |films: u64, bytes: usize| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file("train_labels.npy", options).unwrap();
        zip.write_all(&npy("|u1", &format!("{films}, 14"), &vec![0; bytes])).unwrap();
        zip.finish().unwrap().into_inner()
    };
    for (films, bytes, says) in [
        (2, 64 << 20, "does not contain 2 films"),
        (1 << 40, 100, "are more than are read"),
        (u64::MAX, 100, "are more than are read"),
    ] {
        let npz = write(folder.path(), &archive(films, bytes));
        let out = folder.path().join("out");

        let error = medmnist::prepare(
            &npz,
            &out,
            28,
            ArchiveOrigin { source: "here", checksum: "abc" },
            &|_, _, _| (),
        )
        .unwrap_err();

        let Error::Array { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains(says), "{source}");
    }
}

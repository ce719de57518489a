//! A few films of ChestMNIST become a prepared data set that every later command accepts.

use std::io::{Cursor, Write};

use crate::common::{EXPERIMENT, Place};
use crate::server::{Server, Way};
use crate::{fails, ok};

/// Makes ChestMNIST with `[train, val, test]` films; odd films of every split show a mass.
fn npz(films: [usize; 3], size: usize, method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut add = |name: String, shape: String, values: Vec<u8>| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({shape}), }}\n");
        zip.start_file(name, options).unwrap();
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(header.as_bytes()).unwrap();
        zip.write_all(&values).unwrap();
    };
    for (side, films) in ["train", "val", "test"].into_iter().zip(films) {
        let planes = (0..films * size * size).map(|i| (i * 7 + i / size * 3) as u8).collect();
        let labels = (0..films * 14).map(|i| u8::from(i % 14 == 4 && i / 14 % 2 == 1)).collect();
        add(format!("{side}_images.npy"), format!("{films}, {size}, {size}"), planes);
        add(format!("{side}_labels.npy"), format!("{films}, 14"), labels);
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn chestmnist_is_prepared_described_trained_on_and_predicted_by_its_own_sides() {
    let (place, server) = (Place::new(), Server::new());
    let bytes = npz([24, 8, 10], 64, zip::CompressionMethod::Deflated);
    let third = bytes.len() / 3;
    server.serve("chestmnist_64.npz", bytes, &[Way::BreaksOff(third)]);
    let line = "chestmnist --no-verify --size 64 --out prepared";

    let text = ok(&place, &server, line);
    assert!(text.contains("42 films of ChestMNIST at 64 px"), "{text}");
    assert!(text.contains("no patient numbers") && text.contains("not NIH's lists"), "{text}");
    assert_eq!(server.asked()[1].1, Some(third));
    assert!(!place.at("prepared/fetch.part").exists());
    assert!(ok(&place, &server, line).contains("42 films"));
    assert!(server.asked().is_empty());

    let text = place.ok("describe prepared");
    assert!(text.contains("each film counts as a patient"), "{text}");
    let described = place.json("describe prepared");
    let films: Vec<_> =
        described["sides"].as_array().unwrap().iter().map(|side| &side["films"]).collect();
    assert_eq!(films, [24, 8, 10]);

    place.write("experiment.toml", EXPERIMENT);
    place.ok("train experiment.toml --out run --set train.epochs=1");
    place.ok("predict run prepared --split test --out test.csv");
    let table = place.text("test.csv");
    assert_eq!(table.lines().count(), 11);
    assert!(table.contains("ChestMNIST (each film counted as a patient),official test"), "{table}");
    let metrics = place.json("evaluate test.csv --out report --resamples 20");
    assert_eq!(metrics["dataset"], "ChestMNIST (each film counted as a patient)");
    assert_eq!(metrics["patients_in_training"], 0);
}

#[test]
fn chestmnist_at_28_px_is_described_and_says_that_no_network_takes_it() {
    let (place, server) = (Place::new(), Server::new());
    let bytes = npz([6, 2, 3], 28, zip::CompressionMethod::Stored);
    server.serve("chestmnist.npz", bytes, &[]);

    let text = ok(&place, &server, "chestmnist --no-verify --size 28 --out prepared");
    assert!(text.contains("--size 64"), "{text}");
    let described = place.json("describe prepared");
    assert_eq!(described["summary"]["films"], 11);
    place.write("experiment.toml", EXPERIMENT);
    let error = place.fails("train experiment.toml --out run");
    assert!(error.contains("28"), "{error}");

    let error = fails(&place, &server, "chestmnist --no-verify --size 64 --out prepared");
    assert!(error.contains("11 films of 28 px"), "{error}");
}

#[test]
fn another_chestmnist_than_the_published_one_is_refused() {
    let (place, server) = (Place::new(), Server::new());
    server.serve("chestmnist.npz", npz([6, 2, 3], 28, zip::CompressionMethod::Stored), &[]);

    let error = fails(&place, &server, "chestmnist --size 28 --out prepared");

    assert!(error.contains("MD5 02c8a6516a18b556561a56cbdd36c4a8"), "{error}");
    assert!(!place.at("prepared/prepare.toml").exists());
}

//! DICOM files of others, against what pydicom makes of them (`scripts/dicom.py`).

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use roentgen_data::pixels::{self, Filter};
use roentgen_test_support::{Outcome, peers, shared, test_file};
use sha2::{Digest, Sha256};

test_file![
    the_shared_files_have_pydicoms_pixels_or_are_refused,
    the_files_of_pydicoms_package_have_its_pixels_or_are_refused,
    a_film_in_dicom_is_the_film_in_png,
    mutated_files_are_decoded_or_refused
];

/// What is refused, and a word of the reason. pydicom reads these with other packages.
const REFUSED: [(&str, &str); 13] = [
    ("RG3_JLSL.dcm", "dcmdjpls"),
    ("RG3_JPLY.dcm", "dcmdjpeg"),
    ("J2K_pixelrep_mismatch.dcm", "another sign"),
    ("JPEGLSNearLossless_08.dcm", "dcmdjpls"),
    ("JPEGLSNearLossless_16.dcm", "dcmdjpls"),
    ("JPGExtended.dcm", "dcmdjpeg"),
    ("MR_small_jpeg_ls_lossless.dcm", "dcmdjpls"),
    ("examples_palette.dcm", "PALETTE COLOR"),
    ("liver_1frame.dcm", "1 bits"),
    ("liver_expb_1frame.dcm", "1 bits"),
    ("rtdose_1frame.dcm", "32 bits"),
    ("rtdose_expb_1frame.dcm", "32 bits"),
    ("rtdose_rle_1frame.dcm", "32 bits"),
];
/// JPEG with loss, which decoders round differently: only the means are compared.
const LOSSY: [&str; 2] = ["rsna_850819_fake_mono1.dcm", "rsna_850819_jpegbaseline_mono2.dcm"];

struct Expected {
    size: [u32; 2],
    mean: f64,
    sha256: String,
}

fn expected() -> HashMap<String, Expected> {
    let table = include_str!("fixtures/dicom.csv");
    let row = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        let size = [cells[2], cells[1]].map(|edge| edge.parse().unwrap());
        let (mean, sha256) = (cells[3].parse().unwrap(), cells[4].to_owned());
        (cells[0].to_owned(), Expected { size, mean, sha256 })
    };
    table.lines().skip(1).map(row).collect()
}

/// Compares the files of a folder that are in the fixture; returns how many are.
fn compare(folder: &Path) -> usize {
    let mut compared = 0;
    for (name, expected) in expected() {
        let path = folder.join(&name);
        if !path.exists() {
            continue;
        }
        compared += 1;
        let plane = pixels::read(&path);
        if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            let error = plane.unwrap_err().to_string();
            assert!(error.contains(reason), "{name}: {error}");
            continue;
        }
        let plane = plane.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!([plane.height, plane.width], expected.size, "{name}");
        assert_eq!(pixels::size(&path).unwrap(), expected.size, "{name}");
        let sum: u64 = plane.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        let mean = sum as f64 / plane.pixels.len() as f64;
        let digest = Sha256::digest(&plane.pixels);
        let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_equal = digits == expected.sha256;
        let is_near = LOSSY.contains(&name.as_str()) && (mean - expected.mean).abs() < 0.05;
        assert!(is_equal || is_near, "{name}: mean {mean}, pydicom's {}", expected.mean);
    }
    compared
}

fn the_shared_files_have_pydicoms_pixels_or_are_refused() -> Outcome {
    let folder = shared::data("dicom")?;

    assert_eq!(compare(&folder), 12);
    let error = pixels::read(&folder.join("RG3_JPLY.dcm")).unwrap_err().to_string();
    assert!(error.contains("dcmdjpeg"), "{error}");
    Ok(())
}

fn the_files_of_pydicoms_package_have_its_pixels_or_are_refused() -> Outcome {
    peers::python("pydicom")?;
    let script = "import pydicom, pathlib; print(pathlib.Path(pydicom.__file__).parent)";
    let output = Command::new("python3").args(["-c", script]).output().unwrap();
    let package = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());

    let compared = compare(&package.join("data/test_files"));

    assert!(compared >= 15, "{compared} files");
    Ok(())
}

fn a_film_in_dicom_is_the_film_in_png() -> Outcome {
    let (dicom, films) = (shared::data("dicom")?, shared::data("nih-2512")?);
    let films = roentgen_data::nih::walk(&films).unwrap();
    let mut compared = 0;
    for (file, film) in
        [("udacity_test2", "00000001_000.png"), ("udacity_test1", "00000002_000.png")]
    {
        let Some(png) = films.iter().find(|path| path.ends_with(film)) else { continue };
        compared += 1;

        let path = dicom.join(format!("{file}.dcm"));
        let film = pixels::read_resized(&path, 256, Filter::Lanczos3).unwrap();

        // Pillow resized the PNG, with overshoots of its own at a few edges.
        let other = pixels::read(png).unwrap();
        let differences = film.pixels.iter().zip(&other.pixels).map(|(a, b)| a.abs_diff(*b));
        let far = differences.filter(|difference| *difference > 1).count();
        assert!(far < film.pixels.len() / 1000, "{file}: {far} pixels differ");
    }
    assert!(compared > 0);
    Ok(())
}

/// A small generator of numbers, the same on every machine.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn mutated_files_are_decoded_or_refused() -> Outcome {
    let folder = shared::data("dicom")?;
    let start = std::time::Instant::now();
    let (mut state, mut decoded, mut refused) = (2018, 0, 0);
    for name in ["rsna_850819_fake_mono1.dcm", "RG3_RLE.dcm", "RG3_JPLL.dcm", "RG1_J2KI.dcm"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        for turn in 0..12 {
            let mut bytes = whole.clone();
            // Mostly the elements before the pixels, and the first bytes of these.
            let end = if turn % 3 == 2 { bytes.len() } else { 4000.min(bytes.len()) };
            for _ in 0..=next(&mut state) % 6 {
                let at = next(&mut state) % end;
                bytes[at] = next(&mut state) as u8;
            }
            if turn % 4 == 3 {
                bytes.truncate(next(&mut state) % whole.len());
            }
            match pixels::decode(&bytes) {
                Ok(_) => decoded += 1,
                Err(_) => refused += 1,
            }
        }
    }

    assert!(decoded > 0 && refused > 0, "{decoded} {refused}");
    assert!(start.elapsed().as_secs() < 300, "{:?}", start.elapsed());
    Ok(())
}

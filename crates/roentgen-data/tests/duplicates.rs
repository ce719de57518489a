//! Films that several patients or lists share are found while they are prepared.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::fs;

use common::{DataSet, film, name, texture};
use roentgen_data::manifest::List;
use roentgen_data::pixels::{Plane, to_png};
use roentgen_data::prepare::{Likeness, PrepareOutcome};

fn pairs(outcome: &PrepareOutcome) -> Vec<(&str, &str, Likeness)> {
    outcome.duplicates.iter().map(|d| (d.image.as_str(), d.of.as_str(), d.likeness)).collect()
}

/// The film with other compression: a gray PNG as RGBA.
fn as_rgba(plane: &Plane) -> Vec<u8> {
    let gray = image::GrayImage::from_raw(plane.width, plane.height, plane.pixels.clone()).unwrap();
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgba8(image::DynamicImage::ImageLuma8(gray).to_rgba8())
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[test]
fn one_film_under_three_patients_is_found_whatever_its_encoding() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::six(root.path().join("data"), 1);
    data.add(&name(7, 0), "Mass", 7, &film(1, 2, 1));
    data.add(&name(8, 0), "Mass", 8, &as_rgba(&texture(1, 2, 1, 40, 32)));
    data.add(&name(9, 0), "Mass", 9, &film(1, 9, 0));

    let out = root.path().join("out");
    let outcome = data.prepare(&out).unwrap();

    let of = name(2, 1);
    assert_eq!(
        pairs(&outcome),
        [
            (name(7, 0).as_str(), of.as_str(), Likeness::Same),
            (name(8, 0).as_str(), of.as_str(), Likeness::Same)
        ]
    );
    assert_eq!(outcome.description.duplicates, Some(2));
    assert_eq!(outcome.description.near_duplicates, Some(0));
    let text = fs::read_to_string(out.join("duplicates.csv")).unwrap();
    assert!(text.starts_with("image,patient,list,of,of_patient,of_list,likeness\n"), "{text}");
    assert!(text.contains("00000007_000.png,7,,00000002_001.png,2,,same\n"), "{text}");
    // A second call reads what the first one wrote.
    assert_eq!(data.prepare(&out).unwrap().duplicates, outcome.duplicates);
}

#[test]
fn a_patient_s_own_copy_is_found_only_on_another_list() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::six(root.path().join("data"), 1);
    data.add(&name(3, 2), "Mass", 3, &film(1, 3, 0));
    assert!(data.prepare(&root.path().join("no lists")).unwrap().duplicates.is_empty());

    data.table("train_val_list.txt", &(name(1, 0) + "\n" + &name(3, 0) + "\n" + &name(3, 1)));
    data.table("test_list.txt", &(name(2, 0) + "\n" + &name(3, 2)));
    let outcome = data.prepare(&root.path().join("lists")).unwrap();

    let [found] = &outcome.duplicates[..] else { panic!("{:?}", outcome.duplicates) };
    assert_eq!((found.image.as_str(), found.of.as_str()), (&*name(3, 2), &*name(3, 0)));
    assert_eq!((found.list, found.of_list), (Some(List::Test), Some(List::TrainVal)));
}

#[test]
fn a_brighter_copy_is_near_and_two_black_films_are_the_same() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::new(root.path().join("data"));
    let mut dark = texture(1, 1, 0, 80, 64);
    for (at, pixel) in dark.pixels.iter_mut().enumerate() {
        *pixel = ((at % 80) * (at / 80) / 50 % 90) as u8;
    }
    let mut bright = dark.clone();
    bright.pixels.iter_mut().for_each(|pixel| *pixel += 9);
    let black = |pixel| to_png(&Plane { width: 80, height: 64, pixels: vec![pixel; 80 * 64] });
    data.add(&name(1, 0), "Mass", 1, &to_png(&dark));
    data.add(&name(2, 0), "Mass", 2, &to_png(&bright));
    data.add(&name(3, 0), "Mass", 3, &black(0));
    data.add(&name(4, 0), "Mass", 4, &black(1));
    data.add(&name(5, 0), "Mass", 5, &black(0));

    let outcome = data.prepare(&root.path().join("out")).unwrap();

    assert_eq!(
        pairs(&outcome),
        [
            (name(5, 0).as_str(), name(3, 0).as_str(), Likeness::Same),
            (name(2, 0).as_str(), name(1, 0).as_str(), Likeness::Near)
        ]
    );
}

#[test]
fn a_noisy_copy_is_near() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::new(root.path().join("data"));
    let smooth = |row: f64, column: f64| {
        let ribs = (row * 40.0).sin() * 25.0;
        (110.0 + ribs + (column * 6.0).cos() * 60.0 + row * 20.0) as u8
    };
    let drawn = |height: u32, width: u32, noise: u32| Plane {
        width,
        height,
        pixels: (0..height * width)
            .map(|at| {
                let (row, column) = (at / width, at % width);
                let place = |at: u32, of: u32| (f64::from(at) + 0.5) / f64::from(of);
                let noise =
                    if noise == 0 { 0 } else { (at.wrapping_mul(2_654_435_761) >> 16) % noise };
                smooth(place(row, height), place(column, width)) + noise as u8
            })
            .collect(),
    };
    data.add(&name(1, 0), "Mass", 1, &to_png(&drawn(128, 160, 0)));
    data.add(&name(2, 0), "Mass", 2, &to_png(&drawn(128, 160, 25)));
    data.add(&name(3, 0), "Mass", 3, &to_png(&texture(1, 3, 0, 160, 128)));

    let outcome = data.prepare(&root.path().join("out")).unwrap();

    let expected = (name(2, 0), name(1, 0));
    assert_eq!(pairs(&outcome), [(&*expected.0, &*expected.1, Likeness::Near)]);
}

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use super::eigenfilms::{EIGENFILMS, SIDE};
use super::{Objection, Position, check_picture, header, rotate_counterclockwise};
use crate::pixels::{Plane, Subject};

/// Draws the mean of the films that the gate was fitted on, each pixel `zoom` wide and twice as high.
fn mean_film(zoom: usize) -> Plane {
    let mean = EIGENFILMS.mean();
    let (width, height) = (SIDE * zoom, 2 * SIDE * zoom);
    let pixel = |at: usize| {
        let (row, column) = (at / width / (2 * zoom), at % width / zoom);
        (mean[row * SIDE + column] * 50.0 + 128.0).round().clamp(0.0, 255.0) as u8
    };
    let pixels = (0..width * height).map(pixel).collect();
    Plane { width: width as u32, height: height as u32, pixels }
}

fn inverted(plane: &Plane) -> Plane {
    Plane { pixels: plane.pixels.iter().map(|pixel| 255 - pixel).collect(), ..plane.clone() }
}

#[test]
fn a_chest_film_passes_in_any_size() {
    for zoom in [1, 3] {
        assert_eq!(check_picture(&mean_film(zoom)), Ok(()));
    }
}

#[test]
fn every_wrong_position_is_named_and_corrected() {
    let film = mean_film(2);
    let mut seen = film.clone();
    // A film that was turned clockwise n times is upright after n turns counterclockwise.
    for turns in [0, 3, 2, 1] {
        for is_inverted in [false, true] {
            let given = if is_inverted { inverted(&seen) } else { seen.clone() };
            let position = Position { quarter_turns: turns, is_inverted };
            let expected = match (turns, is_inverted) {
                (0, false) => Ok(()),
                _ => Err(Objection::Position(position)),
            };
            assert_eq!(check_picture(&given), expected);
            assert_eq!(position.corrected(given), film);
            assert_eq!(position.is_one_fault(), turns == 0 || !is_inverted);
        }
        seen = rotate_counterclockwise(&seen);
    }
}

#[test]
fn a_picture_is_turned_counterclockwise() {
    let plane = Plane { width: 3, height: 2, pixels: vec![1, 2, 3, 4, 5, 6] };

    let expected = Plane { width: 2, height: 3, pixels: vec![3, 6, 2, 5, 1, 4] };
    assert_eq!(rotate_counterclockwise(&plane), expected);
}

#[test]
fn positions_are_said_in_words() {
    let said = |quarter_turns, is_inverted| Position { quarter_turns, is_inverted }.to_string();

    assert_eq!(said(1, false), "turned by 90 degrees clockwise");
    assert_eq!(said(2, false), "upside down");
    assert_eq!(said(3, false), "turned by 90 degrees counterclockwise");
    assert_eq!(said(0, true), "inverted (black and white exchanged)");
    assert_eq!(said(2, true), "inverted (black and white exchanged) and upside down");
}

#[test]
fn pictures_of_nothing_and_of_something_else_are_refused() {
    let picture = |pixel: &dyn Fn(u32, u32) -> u8| {
        let pixels = (0..60 * 80).map(|at| pixel(at / 60, at % 60)).collect();
        check_picture(&Plane { width: 60, height: 80, pixels })
    };

    assert_eq!(picture(&|_, _| 0), Err(Objection::Blank));
    assert_eq!(picture(&|row, column| 100 + ((row + column) % 9) as u8), Err(Objection::Blank));
    let burnt = |row: u32, column: u32| if row < 65 { 255 } else { column as u8 };
    assert_eq!(picture(&burnt), Err(Objection::Saturated));
    let stripes = |row: u32, _: u32| if row % 20 < 10 { 30 } else { 220 };
    assert_eq!(picture(&stripes), Err(Objection::NotAChestFilm));
    let blocks = |row: u32, column: u32| ((row / 10 * 7 + column / 10 * 13) % 11 * 23) as u8;
    assert_eq!(picture(&blocks), Err(Objection::NotAChestFilm));
}

#[test]
fn a_picture_of_no_pixels_is_blank() {
    let none = Plane { width: 0, height: 0, pixels: Vec::new() };

    assert_eq!(check_picture(&none), Err(Objection::Blank));
}

#[test]
fn a_header_may_say_little_but_nothing_else_than_a_frontal_chest_film() {
    let said = |modality: &str, body_part: &str, view: &str| {
        let subject = Subject {
            modality: modality.to_owned(),
            body_part: body_part.to_owned(),
            view: view.to_owned(),
        };
        header::check(&subject).err().map(|objection| objection.to_string())
    };
    let good = [
        ["DX", "CHEST", "PA"],
        ["CR", "PORT CHEST", "AP"],
        ["OT", "", ""],
        ["", "THORAX", "AP PORTABLE"],
        ["CR", "CHEST", "FRONTAL"],
    ];
    for [modality, body_part, view] in good {
        assert_eq!(said(modality, body_part, view), None);
    }
    let refused = [
        (["CT", "CHEST", ""], "modality CT, which is not radiography"),
        (["MG", "BREAST", ""], "modality MG"),
        (["DX", "HAND", "PA"], "body part HAND, which is not the chest"),
        (["DX", "RIBCAGE", "PA"], "body part RIBCAGE"),
        (["DX", "CHEST", "LL"], "view LL, and the model knows PA and AP films"),
        (["DX", "CHEST", "LATERAL"], "view LATERAL"),
        (["DX", "CHEST", "PA LAT"], "view PA LAT"),
        (["DX", "CHEST", "XX"], "view XX"),
    ];
    for ([modality, body_part, view], reason) in refused {
        let objection = said(modality, body_part, view).unwrap();
        assert!(objection.contains(reason), "{objection}");
    }
}

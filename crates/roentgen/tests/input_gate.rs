//! Files that are no upright chest films, and what `predict` and `explain` do with them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::Place;

#[test]
fn a_film_upside_down_gets_a_reason_and_a_corrected_one_its_own_probabilities() {
    let place = Place::trained();
    let upright = place.json("predict run film.png");
    let film = image::open(place.at("film.png")).unwrap();
    film.rotate180().save(place.at("turned.png")).unwrap();
    image::GrayImage::from_pixel(70, 90, image::Luma([40])).save(place.at("blank.png")).unwrap();

    let error = place.fails("predict run turned.png blank.png --out table.csv");
    assert!(error.contains("skipped turned.png: refused by the input gate"), "{error}");
    assert!(error.contains("the film is upside down; `--fix` corrects it"), "{error}");
    assert!(error.contains("skipped blank.png: refused by the input gate"), "{error}");
    assert!(error.contains("none of the 2 films could be predicted"), "{error}");
    assert!(!place.at("table.csv").exists());

    // A good film is predicted beside those that are refused.
    let output = place.run("predict run film.png turned.png --json");
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["predictions"].as_array().unwrap().len(), 1);
    assert_eq!(document["bad"][0]["image"], "turned.png");

    let fixed = place.json("predict run turned.png --fix");
    assert_eq!(fixed["predictions"][0]["findings"], upright["predictions"][0]["findings"]);
    assert_eq!(fixed["corrected"][0]["was"], "upside down");
    let taken = place.json("predict run turned.png blank.png --no-gate");
    assert_eq!(taken["predictions"].as_array().unwrap().len(), 2);
    assert_ne!(taken["predictions"][0]["findings"], upright["predictions"][0]["findings"]);
    assert_eq!(taken["corrected"].as_array().unwrap().len(), 0);

    // The picture shows the film as it was corrected.
    place.ok("predict run turned.png --fix --picture turned-answer.png");
    place.ok("predict run film.png --picture answer.png");
    let left = |name: &str| {
        let picture = image::open(place.at(name)).unwrap().into_rgb8();
        image::imageops::crop_imm(&picture, 0, 60, 528, 500).to_image()
    };
    assert_eq!(left("turned-answer.png"), left("answer.png"));

    let error = place.fails("explain run turned.png --out maps");
    assert!(error.contains("upside down"), "{error}");
    let explained = place.json("explain run turned.png --fix --out maps");
    assert_eq!(explained["corrected"][0]["image"], "turned.png");
}

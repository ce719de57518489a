//! Resized films differ from Pillow's by at most two gray values: fixtures of
//! `scripts/pillow_resize.py`.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use roentgen_data::pixels::{Filter, Plane, resize};

const WIDTH: u32 = 90;
const HEIGHT: u32 = 70;

fn film() -> Plane {
    let value = |x: u32, y: u32| ((x * x * 3 + y * 7 + (x * y) % 31 * 5) % 256) as u8;
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| value(x, y))).collect();
    Plane { width: WIDTH, height: HEIGHT, pixels }
}

/// Returns the largest and the mean difference, in gray values.
fn difference(filter: Filter, pillow: &[u8]) -> (u8, f64) {
    let ours = resize(film(), 32, filter).unwrap().pixels;
    assert_eq!(ours.len(), pillow.len());
    let differences = || ours.iter().zip(pillow).map(|(a, b)| a.abs_diff(*b));
    let mean = differences().map(f64::from).sum::<f64>() / pillow.len() as f64;
    (differences().max().unwrap(), mean)
}

#[test]
fn a_rectangle_becomes_the_square_that_pillow_makes_of_it() {
    let [lanczos, bilinear, box_] = [
        difference(Filter::Lanczos3, include_bytes!("fixtures/pillow-lanczos.bin")),
        difference(Filter::Bilinear, include_bytes!("fixtures/pillow-bilinear.bin")),
        difference(Filter::Box, include_bytes!("fixtures/pillow-box.bin")),
    ];

    // Both round to 8 bits between the two directions; the lobes of Lanczos can double the
    // difference.
    assert!(lanczos.0 <= 2 && bilinear.0 <= 1 && box_.0 <= 1, "{lanczos:?} {bilinear:?} {box_:?}");
    assert!([lanczos, bilinear, box_].iter().all(|(_, mean)| *mean < 0.25));
}

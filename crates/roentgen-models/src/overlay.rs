//! Draws a heat map over a film: the film in gray, the map in color.
//!
//! The map is brought to the film's size by linear interpolation between cell centers. Its colors
//! span its own range, but at least a quarter of 0..1, so a map that is nearly flat looks flat.
//! [`picture`] adds what the drawing alone does not say: the range of the colors, and that there is
//! one mask for all findings.

mod canvas;
mod picture;

use roentgen_data::pixels::Plane;

pub use canvas::{LETTER, Picture};
pub use picture::picture;

use crate::predictor::Mask;

/// Dark violet, red, orange, yellow: colors that remain readable in gray.
const COLOURS: [[f32; 3]; 4] =
    [[48.0, 18.0, 92.0], [187.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];
/// Opacity of the color where the map is highest.
const STRENGTH: f32 = 0.55;
/// The smallest range that the colors span.
const LEAST_SPAN: f32 = 0.25;

/// Draws a map over a film: `height * width` pixels of red, green and blue.
pub fn overlay(film: &Plane, mask: &Mask) -> Vec<u8> {
    let [low, high] = scale(mask);
    let mut pixels = Vec::with_capacity(film.pixels.len() * 3);
    for row in 0..film.height {
        for column in 0..film.width {
            let gray = f32::from(film.pixels[(row * film.width + column) as usize]);
            let value = (sample(film, mask, row, column) - low) / (high - low);
            pixels.extend(mixed(gray, value));
        }
    }
    pixels
}

/// Draws a map alone, at the film's size: `height * width` pixels of gray, from 0 (black) for 0 to
/// 255 for 1.
pub fn map_alone(film: &Plane, mask: &Mask) -> Plane {
    let pixels = (0..film.height)
        .flat_map(|row| (0..film.width).map(move |column| (row, column)))
        .map(|(row, column)| {
            (sample(film, mask, row, column).clamp(0.0, 1.0) * 255.0).round() as u8
        })
        .collect();
    Plane { width: film.width, height: film.height, pixels }
}

/// Returns the lowest and the highest value of a map.
pub fn range(mask: &Mask) -> [f32; 2] {
    let fold = |start, pick: fn(f32, f32) -> f32| mask.values.iter().copied().fold(start, pick);
    [fold(f32::INFINITY, f32::min), fold(f32::NEG_INFINITY, f32::max)]
}

/// Returns the values of the first and the last color: the map's range, or a quarter of 0..1 from
/// its lowest value on if it is narrower.
pub fn scale(mask: &Mask) -> [f32; 2] {
    let [low, high] = range(mask);
    let high = high.max(low + LEAST_SPAN);
    if high > 1.0 { [low.min(1.0 - LEAST_SPAN), 1.0_f32.max(range(mask)[1])] } else { [low, high] }
}

/// Lays the color of a value, on a scale of 0..1, over gray.
fn mixed(gray: f32, value: f32) -> [u8; 3] {
    let share = STRENGTH * value.clamp(0.0, 1.0);
    colour(value).map(|c| (gray * (1.0 - share) + c * share).round() as u8)
}

/// Returns the map at a pixel of the film, interpolated linearly between the centers of cells.
fn sample(film: &Plane, mask: &Mask, row: u32, column: u32) -> f32 {
    let place = |at: u32, of: u32, cells: usize| {
        let place = (at as f32 + 0.5) / of as f32 * cells as f32 - 0.5;
        let place = place.clamp(0.0, (cells - 1) as f32);
        let low = place.floor() as usize;
        (low, (low + 1).min(cells - 1), place - low as f32)
    };
    let (top, bottom, down) = place(row, film.height, mask.height);
    let (left, right, along) = place(column, film.width, mask.width);
    let at = |row: usize, column: usize| mask.values[row * mask.width + column];
    let upper = at(top, left) * (1.0 - along) + at(top, right) * along;
    let lower = at(bottom, left) * (1.0 - along) + at(bottom, right) * along;
    upper * (1.0 - down) + lower * down
}

fn colour(value: f32) -> [f32; 3] {
    let place = value.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f32;
    let low = (place as usize).min(COLOURS.len() - 2);
    let share = place - low as f32;
    std::array::from_fn(|i| COLOURS[low][i] * (1.0 - share) + COLOURS[low + 1][i] * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film() -> Plane {
        Plane { width: 6, height: 4, pixels: vec![100; 24] }
    }

    #[test]
    fn a_map_that_is_nearly_flat_looks_flat() {
        let flat = Mask { height: 2, width: 2, values: vec![0.566, 0.57, 0.58, 0.596] };
        let colours = overlay(&film(), &flat);

        assert!(colours.iter().all(|&value| value.abs_diff(100) <= 6), "{colours:?}");
        assert_eq!(scale(&flat), [0.566, 0.816]);
        let steep = Mask { values: vec![0.1, 0.2, 0.3, 0.9], ..flat.clone() };
        assert_eq!(scale(&steep), [0.1, 0.9]);
        let high = Mask { values: vec![0.9, 0.9, 0.95, 0.95], ..flat };
        assert_eq!(scale(&high), [0.75, 1.0]);
    }

    #[test]
    fn an_even_map_leaves_the_film_gray() {
        let mask = Mask { height: 2, width: 3, values: vec![0.7; 6] };

        assert!(overlay(&film(), &mask).iter().all(|&value| value == 100));
    }

    #[test]
    fn colour_lies_where_the_map_is_high() {
        let mask = Mask { height: 2, width: 3, values: vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0] };
        let pixels = overlay(&film(), &mask);
        let at = |row: usize, column: usize| &pixels[(row * 6 + column) * 3..][..3];

        assert_eq!(at(3, 0), [100, 100, 100]);
        assert!(at(0, 5)[0] > 150 && at(0, 5)[0] > at(0, 5)[2]);
    }

    #[test]
    fn a_map_alone_keeps_its_values() {
        let mask = Mask { height: 1, width: 2, values: vec![0.0, 1.0] };
        let alone = map_alone(&film(), &mask);

        assert_eq!((alone.pixels[0], alone.pixels[5]), (0, 255));
    }
}

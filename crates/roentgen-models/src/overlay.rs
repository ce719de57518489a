//! Draws a heat map over a film: the film in gray, the map in color.
//!
//! The colors of an attention mask ([`mask_ends`]) span its own range, but at least a quarter of 0..1,
//! so a mask that is nearly flat looks flat. Those of a map of one finding ([`evidence_ends`]) begin
//! at zero: what speaks against the finding has no color. [`picture`] adds what the drawing alone
//! does not say: what it shows, and the values of the colors.

mod canvas;
mod picture;

use roentgen_data::pixels::Plane;
use roentgen_eval::HeatMap;

pub use canvas::{LETTER, Picture};
pub use picture::picture;

/// Dark violet, red, orange, yellow: colors that remain readable in gray.
const COLOURS: [[f32; 3]; 4] =
    [[48.0, 18.0, 92.0], [187.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];
/// Opacity of the color where the map is highest.
const STRENGTH: f32 = 0.55;
/// The smallest range that the colors span.
const LEAST_SPAN: f32 = 0.25;

/// Draws a map over a film, with the first and the last color at `ends`: `height * width` pixels of
/// red, green and blue.
pub fn overlay(film: &Plane, map: &HeatMap, [low, high]: [f32; 2]) -> Vec<u8> {
    let values = map.resized([film.height as usize, film.width as usize]);
    let pixels = film.pixels.iter().zip(values);
    pixels.flat_map(|(&gray, value)| mixed(f32::from(gray), (value - low) / (high - low))).collect()
}

/// Draws a map alone, at the film's size: `height * width` pixels of gray, from 0 (black) to 255 at
/// `ends`.
pub fn map_alone(film: &Plane, map: &HeatMap, [low, high]: [f32; 2]) -> Plane {
    let values = map.resized([film.height as usize, film.width as usize]);
    let gray = |value: f32| (((value - low) / (high - low)).clamp(0.0, 1.0) * 255.0).round() as u8;
    let pixels = values.into_iter().map(gray).collect();
    Plane { width: film.width, height: film.height, pixels }
}

/// Returns the values of the first and the last color of an attention mask: its range, or a quarter
/// of 0..1 from its lowest value on if it is narrower, even if the last is then above 1, which no mask
/// reaches.
pub fn mask_ends(mask: &HeatMap) -> [f32; 2] {
    let [low, highest] = mask.range();
    [low, highest.max(low + LEAST_SPAN)]
}

/// Returns the values of the first and the last color of a map of one finding: zero and its highest
/// value, or one if nothing speaks for the finding.
pub fn evidence_ends(map: &HeatMap) -> [f32; 2] {
    let [_, high] = map.range();
    [0.0, if high > 0.0 && high.is_finite() { high } else { 1.0 }]
}

/// Lays the color of a value, on a scale of 0..1, over gray.
fn mixed(gray: f32, value: f32) -> [u8; 3] {
    let share = STRENGTH * value.clamp(0.0, 1.0);
    colour(value).map(|c| (gray * (1.0 - share) + c * share).round() as u8)
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
    fn a_mask_that_is_nearly_flat_looks_flat() {
        let flat = HeatMap { height: 2, width: 2, values: vec![0.566, 0.57, 0.58, 0.596] };
        let colours = overlay(&film(), &flat, mask_ends(&flat));

        assert!(colours.iter().all(|&value| value.abs_diff(100) <= 6), "{colours:?}");
        assert_eq!(mask_ends(&flat), [0.566, 0.816]);
        let steep = HeatMap { values: vec![0.1, 0.2, 0.3, 0.9], ..flat.clone() };
        assert_eq!(mask_ends(&steep), [0.1, 0.9]);
        let high = HeatMap { values: vec![0.97, 0.97, 0.98, 0.99], ..flat };
        assert_eq!(mask_ends(&high), [0.97, 1.22]);
        let colours = overlay(&film(), &high, mask_ends(&high));
        assert!(colours.iter().all(|&value| value.abs_diff(100) <= 6), "{colours:?}");
    }

    #[test]
    fn an_even_mask_leaves_the_film_gray() {
        let mask = HeatMap { height: 2, width: 3, values: vec![0.7; 6] };
        let colours = overlay(&film(), &mask, mask_ends(&mask));

        assert!(colours.iter().all(|&value| value == 100));
    }

    #[test]
    fn what_speaks_against_a_finding_leaves_the_film_gray() {
        let map = HeatMap { height: 1, width: 2, values: vec![-3.0, -0.5] };
        assert_eq!(evidence_ends(&map), [0.0, 1.0]);
        let colours = overlay(&film(), &map, evidence_ends(&map));
        assert!(colours.iter().all(|&value| value == 100));

        let map = HeatMap { values: vec![-1.0, 4.0], ..map };
        let colours = overlay(&film(), &map, evidence_ends(&map));
        assert_eq!((&colours[..3], evidence_ends(&map)), (&[100; 3][..], [0.0, 4.0]));
        assert!(colours[15] > 150);
    }

    #[test]
    fn colour_is_where_the_map_is_high() {
        let map = HeatMap { height: 2, width: 3, values: vec![0.0, 0.0, 1.0, 0.0, 0.0, 0.0] };
        let pixels = overlay(&film(), &map, [0.0, 1.0]);
        let at = |row: usize, column: usize| &pixels[(row * 6 + column) * 3..][..3];

        assert_eq!(at(3, 0), [100, 100, 100]);
        assert!(at(0, 5)[0] > 150 && at(0, 5)[0] > at(0, 5)[2]);
    }

    #[test]
    fn a_map_alone_keeps_its_values() {
        let mask = HeatMap { height: 1, width: 2, values: vec![0.0, 1.0] };
        let alone = map_alone(&film(), &mask, [0.0, 1.0]);

        assert_eq!((alone.pixels[0], alone.pixels[5]), (0, 255));
    }
}

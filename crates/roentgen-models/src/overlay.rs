//! Draws a heat map over a film: the film in gray, the map in color.
//!
//! The map is brought to the film's size by linear interpolation between cell centers, and its
//! colors span its own range; a constant map shows no color.

use roentgen_data::pixels::Plane;

use crate::predictor::Mask;

/// Dark violet, red, orange, yellow: colors that remain readable in gray.
const COLOURS: [[f32; 3]; 4] =
    [[48.0, 18.0, 92.0], [187.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];
/// Opacity of the color where the map is highest.
const STRENGTH: f32 = 0.55;

/// Draws a map over a film: `height * width` pixels of red, green and blue.
pub fn overlay(film: &Plane, mask: &Mask) -> Vec<u8> {
    let (low, high) = range(mask);
    let span = high - low;
    let mut pixels = Vec::with_capacity(film.pixels.len() * 3);
    for row in 0..film.height {
        for column in 0..film.width {
            let gray = f32::from(film.pixels[(row * film.width + column) as usize]);
            let value =
                if span > 1e-6 { (sample(film, mask, row, column) - low) / span } else { 0.0 };
            let colour = colour(value);
            let share = STRENGTH * value;
            pixels.extend(colour.map(|c| (gray * (1.0 - share) + c * share).round() as u8));
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

fn range(mask: &Mask) -> (f32, f32) {
    let fold = |start, pick: fn(f32, f32) -> f32| mask.values.iter().copied().fold(start, pick);
    (fold(f32::INFINITY, f32::min), fold(f32::NEG_INFINITY, f32::max))
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

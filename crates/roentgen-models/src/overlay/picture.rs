//! A picture of a film under its map that can be understood without its surroundings.
//!
//! Small films are enlarged until the text below them is readable.

use roentgen_data::pixels::Plane;
use roentgen_eval::HeatMap;

use super::canvas::{LETTER, Picture};
use super::overlay;

/// Least width in pixels, for which the text is made.
const LEAST_WIDTH: u32 = 256;
/// Height of a line of text.
const LINE: u32 = 12;
/// Distance from the edges.
const MARGIN: u32 = 4;
/// Height of the colour bar.
const BAR: u32 = 10;
/// Lines of text: two of what the picture shows, the range, the ends of the bar.
const LINES: u32 = 4;

/// Draws a film under a map, and below it two lines of what it is, the range of the map, and a colour
/// bar with the values of its ends.
pub fn picture(film: &Plane, map: &HeatMap, ends: [f32; 2], lines: [&str; 2]) -> Picture {
    let film = enlarge(film);
    // Large films have large text.
    let zoom = (film.width / LEAST_WIDTH).max(1);
    let footer = (LINES * LINE + BAR + 2 * MARGIN) * zoom;
    let mut pixels = overlay(&film, map, ends);
    pixels.resize(((film.height + footer) * film.width * 3) as usize, 0);
    let mut picture = Picture { height: film.height + footer, width: film.width, pixels };

    let ([low, high], [first, last]) = (map.range(), ends);
    let mut top = film.height + MARGIN * zoom;
    let range = format!("{low:.3} to {high:.3} in this film");
    for line in [lines[0], lines[1], &range] {
        picture.write(line, [top, MARGIN * zoom], zoom);
        top += LINE * zoom;
    }
    picture.bar([top, MARGIN * zoom], [BAR * zoom, picture.width - 2 * MARGIN * zoom]);
    top += (BAR + 2) * zoom;
    picture.write(&format!("{first:.2}"), [top, MARGIN * zoom], zoom);
    let last = format!("{last:.2}");
    let left = picture.width - (last.len() as u32 * LETTER + MARGIN) * zoom;
    picture.write(&last, [top, left], zoom);
    picture
}

/// Repeats the pixels of a small film.
fn enlarge(film: &Plane) -> Plane {
    let times = LEAST_WIDTH.div_ceil(film.width.max(1)).max(1);
    let (width, height) = (film.width * times, film.height * times);
    let at = |row: u32, column: u32| (row / times * film.width + column / times) as usize;
    let pixels = (0..height)
        .flat_map(|row| (0..width).map(move |column| (row, column)))
        .map(|(row, column)| film.pixels[at(row, column)])
        .collect();
    Plane { width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{BELOW, TEXT};
    use super::super::mixed;
    use super::*;

    fn drawn(width: u32, height: u32) -> Picture {
        let film = Plane { width, height, pixels: vec![100; (width * height) as usize] };
        let map = HeatMap { height: 1, width: 2, values: vec![0.125, 0.75] };
        picture(&film, &map, [0.125, 0.75], ["attention mask,", "one for all findings"])
    }

    #[test]
    fn small_films_are_enlarged_and_large_ones_have_large_text() {
        for (width, height, expected) in [
            (32, 16, [128 + 66, 256]),
            (200, 300, [600 + 66, 400]),
            (256, 256, [256 + 66, 256]),
            (1024, 512, [512 + 4 * 66, 1024]),
        ] {
            let picture = drawn(width, height);

            assert_eq!([picture.height, picture.width], expected, "{width} x {height}");
            assert_eq!(picture.pixels.len(), (picture.height * picture.width * 3) as usize);
        }
    }

    #[test]
    fn the_film_is_above_and_the_bar_and_text_below_it() {
        let picture = drawn(256, 256);
        let row = |row: u32| {
            let start = (row * picture.width * 3) as usize;
            &picture.pixels[start..start + (picture.width * 3) as usize]
        };
        let is_text = |at: u32| row(at).contains(&TEXT);
        let bar = row(256 + MARGIN + 3 * LINE + BAR / 2);
        let end = |column: u32| &bar[(column * 3) as usize..][..3];

        assert!((256..256 + 50).any(is_text) && (picture.height - 14..picture.height).any(is_text));
        assert_eq!(end(MARGIN), [BELOW as u8; 3]);
        assert_eq!(end(255 - MARGIN), mixed(BELOW, 1.0));
        assert_eq!(row(0)[..3], [100; 3]);
    }
}

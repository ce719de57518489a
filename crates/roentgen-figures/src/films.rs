//! A grid of films with text underneath, each alone or next to a second image of it.
//!
//! The images are embedded, so the file is complete by itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::page::{BOLD, LETTER, empty_page, page};
use crate::svg::{Anchor, Svg};
use crate::text::wrap;

/// Width of a film; a tall film is narrower.
const SIDE: f64 = 176.0;
const MOST_HEIGHT: f64 = 1.3 * SIDE;
/// The gap between a film and its overlay.
const PAIR: f64 = 4.0;
const SPACE: f64 = 20.0;
/// Height of a line of text.
const LINE: f64 = 15.0;
/// A line of text wraps to at most this many lines.
const MOST_LINES: usize = 2;

/// One film of [`films()`].
#[derive(Clone, Debug, PartialEq)]
pub struct FilmTile {
    /// The film, as PNG.
    pub png: Vec<u8>,
    /// Its `[height, width]`; only the ratio matters.
    pub size: [u32; 2],
    /// The text underneath, the first line in bold.
    pub lines: Vec<String>,
    /// A second PNG of the same size, drawn next to it: the film under an attention mask.
    pub overlay: Option<Vec<u8>>,
}

impl FilmTile {
    /// Returns the `[height, width]` in the grid.
    fn fit_to_grid(&self) -> [f64; 2] {
        let [height, width] = self.size.map(|side| f64::from(side.max(1)));
        let scale = (SIDE / width).min(MOST_HEIGHT / height);
        [height * scale, width * scale]
    }

    /// Wraps the text to the width of a tile, and marks the lines that belong to the first one.
    fn wrap_text(&self, width: f64) -> Vec<(bool, String)> {
        let lines = self.lines.iter().enumerate();
        lines
            .flat_map(|(index, line)| {
                let letter = if index == 0 { BOLD * LETTER } else { LETTER };
                let lines = wrap(line, letter, width, MOST_LINES);
                lines.into_iter().map(move |line| (index == 0, line))
            })
            .collect()
    }
}

/// Draws films in rows of `columns`, at least one.
pub fn films(title: &str, caption: &str, films: &[FilmTile], columns: usize) -> String {
    if films.is_empty() {
        return empty_page(title, caption, "No films.");
    }
    let columns = columns.clamp(1, films.len());
    let has_overlays = films.iter().any(|film| film.overlay.is_some());
    let width = if has_overlays { 2.0 * SIDE + PAIR } else { SIDE };

    let mut svg = Svg::new();
    let mut top = 0.0;
    for row in films.chunks(columns) {
        let texts: Vec<_> = row.iter().map(|film| film.wrap_text(width)).collect();
        let height = row.iter().map(|film| film.fit_to_grid()[0]).fold(0.0, f64::max);
        for (column, (film, lines)) in row.iter().zip(&texts).enumerate() {
            let left = column as f64 * (width + SPACE);
            // The films of a row are aligned at the bottom, each above its text.
            draw(&mut svg, film, [top + height - film.fit_to_grid()[0], left]);
            for (index, (is_first, line)) in lines.iter().enumerate() {
                let class = if *is_first { "p-name" } else { "p-soft" };
                let y = top + height + (index + 1) as f64 * LINE + 2.0;
                svg.text([left, y], Anchor::Start, class, line);
            }
        }
        let lines = texts.iter().map(Vec::len).max().unwrap_or(0);
        top += height + lines as f64 * LINE + SPACE;
    }
    let width = columns as f64 * (width + SPACE) - SPACE;
    page(title, caption, [top - SPACE + 6.0, width], &svg)
}

fn draw(svg: &mut Svg, film: &FilmTile, [top, left]: [f64; 2]) {
    let [height, width] = film.fit_to_grid();
    let pictures = [Some(&film.png), film.overlay.as_ref()].into_iter().flatten();
    svg.group(&[], |svg| {
        svg.title(&film.lines.join(", "));
        for (index, png) in pictures.enumerate() {
            let at = [left + index as f64 * (width + PAIR), top];
            svg.rect("p-frame", at, [height, width]);
            let data = format!("data:image/png;base64,{}", STANDARD.encode(png));
            svg.image(at, [height, width], &data);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    fn film(size: [u32; 2], lines: &[&str]) -> FilmTile {
        let lines = lines.iter().map(|&line| line.into()).collect();
        FilmTile { png: b"film".to_vec(), size, lines, overlay: None }
    }

    #[test]
    fn films_keep_their_proportions() {
        let [height, width] = film([64, 96], &[]).fit_to_grid();
        assert_eq!((width, height), (SIDE, SIDE * 64.0 / 96.0));

        let [height, width] = film([400, 100], &[]).fit_to_grid();
        assert_eq!((width, height), (MOST_HEIGHT / 4.0, MOST_HEIGHT));
    }

    #[test]
    fn pictures_are_within_the_file() {
        let svg = films("t", "c", &[film([3, 2], &["a.png"])], 4);

        assert_well_formed(&svg);
        assert!(svg.contains("href=\"data:image/png;base64,ZmlsbQ==\""));
    }

    #[test]
    fn an_overlay_stands_beside_its_film_at_the_same_size() {
        let svg = films(
            "t",
            "c",
            &[FilmTile { overlay: Some(b"mask".to_vec()), ..film([88, 176], &["a"]) }],
            4,
        );

        assert_well_formed(&svg);
        let size = "y=\"0.0\" width=\"176.0\" height=\"88.0\" href";
        assert!(svg.contains(&format!("<image x=\"0.0\" {size}")));
        assert!(svg.contains(&format!("<image x=\"180.0\" {size}")));
    }

    #[test]
    fn rows_are_as_high_as_their_highest_film_and_longest_text() {
        let tiles = [
            film([176, 176], &["a", "b", "c"]),
            film([88, 176], &["second"]),
            film([88, 176], &["third"]),
        ];
        let svg = films("t", "c", &tiles, 2);

        assert!(svg.contains("<image x=\"196.0\" y=\"88.0\""), "{svg}");
        let second_row = 176.0 + 3.0 * LINE + SPACE;
        assert!(svg.contains(&format!("<image x=\"0.0\" y=\"{second_row:.1}\"")), "{svg}");
    }

    #[test]
    fn long_lines_go_on_and_end_in_an_ellipsis() {
        let lines = film([1, 1], &["first", &"Atelectasis ".repeat(9)]).wrap_text(SIDE);

        assert_eq!(lines.len(), 1 + MOST_LINES);
        assert!(lines[0].0 && !lines[1].0);
        assert!(lines[2].1.ends_with('…') && !lines[1].1.ends_with('…'));
    }

    #[test]
    fn hostile_names_and_sizes_of_zero_are_drawn() {
        let svg = films(HOSTILE, HOSTILE, &[film([0, 0], &[HOSTILE, ""])], 0);

        assert_well_formed(&svg);
    }

    #[test]
    fn no_films_are_said_to_be_none() {
        let svg = films("t", "c", &[], 6);

        assert_well_formed(&svg);
        assert!(svg.contains("No films."));
    }
}

//! A square matrix in one colour, which is deeper for higher values.
//!
//! The depth is the opacity of one accent colour, so that it works on light and dark backgrounds.
//! The diagonal is not compared with the rest: it has a frame and no colour.

use std::fmt::Display;

use crate::page::{LETTER, empty_page, page};
use crate::svg::{Anchor, Svg};
use crate::text::{column, fit, text_width};

const CELL_LETTER: f64 = 10.0;
const LEAST_CELL: f64 = 30.0;
const MOST_CELL: f64 = 64.0;
const MOST_NAME: f64 = 150.0;
const SPACE: f64 = 10.0;
const GAP: f64 = 2.0;
/// How far the name of a column reaches up and to the right, relative to its width.
const LEAN: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// One cell of [`heat_map()`].
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The depth of the colour, from 0 to 1.
    pub value: f64,
    /// The text in the cell.
    pub text: String,
}

/// Draws a matrix with `names` next to its rows and above its columns; `cells` returns the cell of
/// `(row, column)`.
pub fn heat_map(
    title: &str,
    caption: &str,
    names: &[String],
    cells: &dyn Fn(usize, usize) -> Cell,
) -> String {
    if names.is_empty() {
        return empty_page(title, caption, "There is nothing to compare.");
    }
    let places = || (0..names.len()).flat_map(|row| (0..names.len()).map(move |c| (row, c)));
    let cells: Vec<Cell> = places().map(|(row, column)| cells(row, column)).collect();
    let widest = column(cells.iter().map(|cell| cell.text.as_str()), CELL_LETTER, MOST_CELL);
    let side = (widest + 8.0).clamp(LEAST_CELL, MOST_CELL) + GAP;
    let name_width = column(names.iter().map(String::as_str), LETTER, MOST_NAME);
    let (left, top) = (name_width + SPACE, name_width * LEAN + SPACE + 4.0);
    let mut right = left + names.len() as f64 * side;

    let mut svg = Svg::new();
    for (index, name) in names.iter().enumerate() {
        let name = fit(name, LETTER, MOST_NAME);
        let middle = (index as f64 + 0.5) * side;
        right = right.max(left + middle + text_width(&name, LETTER) * LEAN + 10.0);
        svg.text([name_width, top + middle + 3.5], Anchor::End, "p-label", &name);
        let (x, y) = (left + middle + 3.0, top - SPACE / 2.0);
        let transform = format!("translate({x:.1} {y:.1}) rotate(-45)");
        svg.transformed_text(&transform, [0.0; 2], Anchor::Start, "p-label", &name);
    }
    for ((row, column), cell) in places().zip(&cells) {
        let at = |index: usize| index as f64 * side;
        let pair = [&names[row], &names[column]];
        draw(&mut svg, cell, pair, row == column, [top + at(row), left + at(column), side]);
    }
    page(title, caption, [top + names.len() as f64 * side, right], &svg)
}

/// Draws a cell at `[top, left, side]`.
fn draw(
    svg: &mut Svg,
    cell: &Cell,
    names: [&String; 2],
    is_diagonal: bool,
    [top, left, side]: [f64; 3],
) {
    let value = if cell.value.is_finite() { cell.value.clamp(0.0, 1.0) } else { 0.0 };
    // At medium depth, dark letters are easier to read than light ones in both modes.
    let class = match value {
        _ if is_diagonal => "p-cell-soft",
        0.0 => "p-cell-soft",
        ..0.6 => "p-cell",
        ..0.75 => "p-cell-half",
        _ => "p-cell-full",
    };
    let size = side - GAP;
    let rect = |svg: &mut Svg, class, inset: f64, attributes: &[(&str, &dyn Display)]| {
        let size = size - 2.0 * inset;
        svg.round_rect(class, [left + inset, top + inset], [size, size], 2.0, attributes);
    };
    svg.group(&[], |svg| {
        svg.title(&format!("{}, {}: {}", names[0], names[1], cell.text));
        if is_diagonal {
            rect(svg, "p-self", 0.5, &[]);
        } else {
            rect(svg, "p-track", 0.0, &[]);
            rect(svg, "p-heat", 0.0, &[("fill-opacity", &format!("{value:.3}"))]);
        }
        let at = [left + size / 2.0, top + size / 2.0 + 3.5];
        svg.text(at, Anchor::Middle, class, &fit(&cell.text, CELL_LETTER, size - 2.0));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.into()).collect()
    }

    #[test]
    fn the_diagonal_has_a_frame_and_no_colour() {
        let svg = heat_map("t", "c", &names(&["a", "b", "c"]), &|row, column| Cell {
            value: 0.5,
            text: format!("{row}/{column}"),
        });

        assert_well_formed(&svg);
        assert_eq!(svg.matches("\"p-self\" x").count(), 3);
        assert_eq!(svg.matches("fill-opacity=\"0.500\"").count(), 6);
        assert!(svg.contains("<title>b, c: 1/2</title>"));
    }

    #[test]
    fn values_out_of_range_are_drawn_at_its_ends() {
        let values = [0.0, 3.0, f64::NAN, 0.0, 0.0, -1.0, 0.25, 0.0, 0.0];
        let svg = heat_map("t", "c", &names(&["a", "b", "c"]), &|row, column| Cell {
            value: values[3 * row + column],
            text: String::new(),
        });

        assert_well_formed(&svg);
        assert_eq!(svg.matches("fill-opacity=\"1.000\"").count(), 1);
        assert_eq!(svg.matches("fill-opacity=\"0.000\"").count(), 4);
        assert_eq!(svg.matches("fill-opacity=\"0.250\"").count(), 1);
    }

    #[test]
    fn hostile_and_long_names_stay_text() {
        let long = "long ".repeat(100);
        let svg = heat_map(HOSTILE, &long, &names(&[HOSTILE, &long]), &|_, _| Cell {
            value: 1.0,
            text: HOSTILE.repeat(4),
        });

        assert_well_formed(&svg);
    }

    #[test]
    fn a_matrix_without_names_is_said_to_be_empty() {
        let svg = heat_map("t", "c", &[], &|_, _| unreachable!());

        assert_well_formed(&svg);
        assert!(svg.contains("There is nothing to compare."));
    }
}

//! A square matrix in one colour, which is deeper for higher values.
//!
//! The depth is the opacity of one accent colour, so that it works on light and dark backgrounds.
//! The diagonal is not compared with the rest: it has a frame and no colour.

use std::fmt::Write;

use super::{LETTER, column, cut, empty_page, escape, page, text, text_width};

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
pub(crate) struct Cell {
    /// The depth of the colour, from 0 to 1.
    pub(crate) value: f64,
    /// The text in the cell.
    pub(crate) text: String,
}

/// Draws a matrix with `names` next to its rows and above its columns; `cells` returns the cell of
/// `(row, column)`.
pub(crate) fn heat_map(
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

    let mut svg = String::new();
    for (index, name) in names.iter().enumerate() {
        let name = cut(name, LETTER, MOST_NAME);
        let middle = (index as f64 + 0.5) * side;
        right = right.max(left + middle + text_width(&name, LETTER) * LEAN + 10.0);
        text(&mut svg, "p-label end", name_width, top + middle + 3.5, &name);
        let _ = writeln!(
            svg,
            "<text class=\"p-label\" transform=\"translate({:.1} {:.1}) rotate(-45)\">{}</text>",
            left + middle + 3.0,
            top - SPACE / 2.0,
            escape(&name)
        );
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
    svg: &mut String,
    cell: &Cell,
    names: [&String; 2],
    is_diagonal: bool,
    [top, left, side]: [f64; 3],
) {
    let value = if cell.value.is_finite() { cell.value.clamp(0.0, 1.0) } else { 0.0 };
    let rect = |class: &str, inset: f64, opacity: &str| {
        let (x, y, size) = (left + inset, top + inset, side - GAP - 2.0 * inset);
        format!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{size:.1}\" \
             height=\"{size:.1}\" rx=\"2\"{opacity}/>\n"
        )
    };
    let [row, column] = names.map(|name| escape(name));
    let _ = write!(svg, "<g><title>{row}, {column}: {}</title>", escape(&cell.text));
    if is_diagonal {
        svg.push_str(&rect("p-self", 0.5, ""));
    } else {
        svg.push_str(&rect("p-track", 0.0, ""));
        svg.push_str(&rect("p-heat", 0.0, &format!(" fill-opacity=\"{value:.3}\"")));
    }
    // At medium depth, dark letters are easier to read than light ones in both modes.
    let class = match value {
        _ if is_diagonal => "p-cell-soft",
        0.0 => "p-cell-soft",
        ..0.6 => "p-cell",
        ..0.75 => "p-cell-half",
        _ => "p-cell-full",
    };
    let (x, y) = (left + (side - GAP) / 2.0, top + (side - GAP) / 2.0 + 3.5);
    let room = side - GAP - 2.0;
    text(svg, &format!("{class} middle"), x, y, &cut(&cell.text, CELL_LETTER, room));
    svg.push_str("</g>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::tests::{HOSTILE, assert_well_formed};

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

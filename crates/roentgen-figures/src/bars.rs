//! Horizontal bars: each row has a name, a bar and its numbers.
//!
//! There is no axis, because every bar has its number next to it.

use crate::page::{LETTER, empty_page, page};
use crate::svg::{Anchor, Svg};
use crate::text::{column, fit};

/// Height of a row and of the bar in it.
const ROW: f64 = 25.0;
const BAR: f64 = 15.0;
const WIDTH: f64 = 672.0;
const SPACE: f64 = 12.0;
const MOST_NAME: f64 = 220.0;
const MOST_NUMBER: f64 = 130.0;

/// One row of [`bars()`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The name of the row.
    pub name: String,
    /// The length of the bar, in any unit; negative values and NaN are drawn as zero.
    pub value: f64,
    /// The numbers at the end: `11,559 (10.3 %)`. The part in brackets has its own column.
    pub label: String,
    /// Whether the row is drawn in gray.
    pub is_muted: bool,
}

impl Bar {
    fn length(&self) -> f64 {
        if self.value.is_finite() { self.value.max(0.0) } else { 0.0 }
    }

    /// Splits the label into the number and the part in brackets after it.
    fn numbers(&self) -> (&str, &str) {
        let at = self.label.find(" (").unwrap_or(self.label.len());
        let (number, brackets) = self.label.split_at(at);
        (number, brackets.trim_start())
    }
}

/// Draws bars in the order of `rows`.
pub fn bars(title: &str, caption: &str, rows: &[Bar]) -> String {
    if rows.is_empty() {
        return empty_page(title, caption, "There is nothing to count.");
    }
    let names = column(rows.iter().map(|row| row.name.as_str()), LETTER, MOST_NAME);
    let numbers = column(rows.iter().map(|row| row.numbers().0), LETTER, MOST_NUMBER);
    let brackets = column(rows.iter().map(|row| row.numbers().1), LETTER, MOST_NUMBER);
    let left = names + SPACE;
    // The brackets need half a space, but only if there are any.
    let number_end = WIDTH - if brackets > 0.0 { brackets + SPACE / 2.0 } else { 0.0 };
    let room = number_end - numbers - SPACE - left;
    let longest = rows.iter().map(Bar::length).fold(0.0, f64::max);

    let mut svg = Svg::new();
    for (index, row) in rows.iter().enumerate() {
        let top = index as f64 * ROW;
        let baseline = top + ROW / 2.0 + 4.0;
        let (number, bracket) = row.numbers();
        let (bar, name) = if row.is_muted { ("p-muted", "p-soft") } else { ("p-bar", "p-label") };
        let share = if longest > 0.0 { row.length() / longest } else { 0.0 };
        svg.group(&[], |svg| {
            svg.title(&format!("{}: {}", row.name, row.label));
            let text = fit(&row.name, LETTER, names);
            svg.text([names, baseline], Anchor::End, name, &text);
            strip(svg, "p-track", left, top, room);
            // A rare finding keeps a thin line.
            let width = if share > 0.0 { (room * share).max(1.0) } else { 0.0 };
            strip(svg, bar, left, top, width);
            let number = fit(number, LETTER, MOST_NUMBER);
            svg.text([number_end, baseline], Anchor::End, name, &number);
            if !bracket.is_empty() {
                let bracket = fit(bracket, LETTER, MOST_NUMBER);
                svg.text([WIDTH, baseline], Anchor::End, "p-soft", &bracket);
            }
        });
    }
    page(title, caption, [rows.len() as f64 * ROW, WIDTH], &svg)
}

fn strip(svg: &mut Svg, class: &str, x: f64, row: f64, width: f64) {
    let y = row + (ROW - BAR) / 2.0;
    svg.round_rect(class, [x, y], [BAR, width], 1.5, &[]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    fn bar(name: &str, value: f64, label: &str) -> Bar {
        Bar { name: name.into(), value, label: label.into(), is_muted: false }
    }

    /// Widths of the drawn bars.
    fn widths(svg: &str) -> Vec<f64> {
        let bars = svg.lines().filter(|line| line.contains("\"p-bar\" x"));
        bars.map(|line| {
            line.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        })
        .collect()
    }

    #[test]
    fn lengths_are_shares_of_the_longest_bar() {
        let svg =
            bars("t", "c", &[bar("a", 50.0, "5"), bar("b", 200.0, "2"), bar("c", 100.0, "1")]);
        let widths = widths(&svg);

        assert!((widths[1] / widths[0] - 4.0).abs() < 0.01, "{widths:?}");
        assert!((widths[1] / widths[2] - 2.0).abs() < 0.01, "{widths:?}");
    }

    #[test]
    fn zeros_and_values_without_meaning_have_no_length() {
        let rows = [bar("a", 0.0, "0"), bar("b", f64::NAN, "n/a"), bar("c", -1.0, "-1")];
        let svg = bars("t", "c", &rows);

        assert_well_formed(&svg);
        assert_eq!(widths(&svg), [0.0; 3]);
    }

    #[test]
    fn the_rare_are_still_seen() {
        let svg = bars("t", "c", &[bar("a", 1e9, ""), bar("b", 1.0, "")]);

        assert_eq!(widths(&svg)[1], 1.0);
    }

    #[test]
    fn brackets_have_a_column_of_their_own() {
        assert_eq!(bar("", 0.0, "1,686 (1.5 %)").numbers(), ("1,686", "(1.5 %)"));
        assert_eq!(bar("", 0.0, "1,686").numbers(), ("1,686", ""));
        assert!(bars("t", "c", &[bar("a", 1.0, "1,686 (1.5 %)")]).contains(">(1.5 %)<"));
    }

    #[test]
    fn no_rows_are_said_to_be_none() {
        let svg = bars("t", "c", &[]);

        assert_well_formed(&svg);
        assert!(svg.contains("There is nothing to count."));
    }

    #[test]
    fn hostile_names_stay_text() {
        let svg = bars(HOSTILE, HOSTILE, &[bar(HOSTILE, 1.0, HOSTILE), bar("", 2.0, "")]);

        assert_well_formed(&svg);
    }

    #[test]
    fn muted_rows_are_gray() {
        let svg = bars("t", "c", &[Bar { is_muted: true, ..bar("a", 1.0, "1") }]);

        assert!(svg.contains("\"p-muted\" x") && !svg.contains("\"p-bar\" x"));
    }
}

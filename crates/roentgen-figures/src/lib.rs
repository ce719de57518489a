//! Figures as SVG: the drawing kit of every figure and page, and figures of a data set.
//!
//! [`Svg`] is the kit: elements whose attributes are escaped, so that no text from a file name can
//! become markup, with text cut ([`fit`]) and broken ([`wrap`]) to a width without a font. Colours are classes of [`STYLE`], so that a figure follows the reader's light or dark
//! mode; only the palette of [`chord()`] is the same in both.
//!
//! [`bars`], [`chord()`], [`films()`] and [`heat_map()`] turn data into a standalone SVG and neither
//! read nor write files. The curves of a report and of a comparison are in `roentgen-eval`.
//!
//! ```
//! use roentgen_figures::{Anchor, Svg, thousands};
//!
//! let mut svg = Svg::new();
//! svg.text([12.0, 20.0], Anchor::Start, "p-label", &format!("{} <films>", thousands(25_596)));
//!
//! let text = "<text class=\"p-label\" x=\"12.0\" y=\"20.0\">25,596 &lt;films&gt;</text>\n";
//! assert_eq!(svg.to_string(), text);
//! ```

mod bars;
mod chord;
mod films;
mod heat_map;
mod number;
mod page;
mod svg;
mod text;

pub use bars::{Bar, bars};
pub use chord::chord;
pub use films::{FilmTile, films};
pub use heat_map::{Cell, heat_map};
pub use number::{decimals, thousands};
pub use svg::{Anchor, STYLE, Said, Svg, escape, line};
pub use text::{fit, wrap};

#[cfg(test)]
mod tests;

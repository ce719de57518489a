//! A figure as a file of its own, with title and caption.

use crate::svg::{Anchor, Svg};
use crate::text::wrap;

/// The margin around a figure.
pub(crate) const MARGIN: f64 = 24.0;
/// The minimum width of a figure, which titles and captions need.
pub(crate) const LEAST_WIDTH: f64 = 560.0;
/// Font size of names, labels and captions.
pub(crate) const LETTER: f64 = 12.0;
pub(crate) const TITLE_LETTER: f64 = 17.0;
/// The width of bold letters relative to regular ones.
pub(crate) const BOLD: f64 = 1.12;

/// Makes a file of a title, a caption below it and `body`. The origin of `body` is below the
/// caption and `MARGIN` from the left, and its size is `[height, width]`.
pub(crate) fn page(title: &str, caption: &str, [height, width]: [f64; 2], body: &Svg) -> String {
    let room = width.max(LEAST_WIDTH - 2.0 * MARGIN);
    let mut svg = Svg::new();
    let mut y = 10.0;
    for line in wrap(title, BOLD * TITLE_LETTER, room, usize::MAX) {
        y += 22.0;
        svg.text([MARGIN, y], Anchor::Start, "p-title", &line);
    }
    y += 3.0;
    for line in wrap(caption, LETTER, room, usize::MAX) {
        y += 16.0;
        svg.text([MARGIN, y], Anchor::Start, "p-caption", &line);
    }
    y += 20.0;
    svg.group(&[("transform", &format!("translate({MARGIN} {y:.1})"))], |svg| svg.append(body));
    svg.file(title, [y + height + MARGIN, room + 2.0 * MARGIN])
}

/// Makes a file that explains why there is no figure.
pub(crate) fn empty_page(title: &str, caption: &str, reason: &str) -> String {
    let mut body = Svg::new();
    body.text([0.0, LETTER], Anchor::Start, "p-soft", reason);
    page(title, caption, [LETTER, 0.0], &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{HOSTILE, assert_well_formed};

    #[test]
    fn an_empty_page_has_its_title_and_reason() {
        let svg = empty_page(HOSTILE, HOSTILE, "No films.");

        assert_well_formed(&svg);
        assert!(svg.contains("No films."));
    }
}

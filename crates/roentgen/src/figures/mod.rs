//! Figures of a data set and of a model's attention, each a standalone SVG.
//!
//! The functions turn data into text and neither read nor write files. Colours are classes, the
//! same as in the report's curves, so that a figure follows the reader's light or dark mode. Only
//! the palette of [`chord()`] is the same in both. Every text may come from a file name and is
//! escaped.

mod bars;
mod chord;
mod films;
mod heat_map;

use std::fmt::Write;

pub(crate) use bars::{Bar, bars};
pub(crate) use chord::chord;
pub(crate) use films::{FilmTile, films};
pub(crate) use heat_map::{Cell, heat_map};

/// The style sheet of the figures.
const STYLE: &str = include_str!("figure.css");
/// The margin around a figure.
const MARGIN: f64 = 24.0;
/// The minimum width of a figure, which titles and captions need.
const LEAST_WIDTH: f64 = 560.0;
/// Font size of names, labels and captions.
const LETTER: f64 = 12.0;
const TITLE_LETTER: f64 = 17.0;
/// The width of bold letters relative to regular ones.
const BOLD: f64 = 1.12;

/// Fourteen colours that can be told apart on white and on black; further items start again from
/// the first.
///
/// They are Tableau's ten, with the two pinks moved apart, and four more in the gaps between their
/// hues.
const PALETTE: [&str; 14] = [
    "#4e79a7", "#e15759", "#f28e2b", "#5fb7b0", "#59a14f", "#e6bf3c", "#a878b8", "#ff9da7",
    "#9c755f", "#5b5fc7", "#1fa3d1", "#a3ad2f", "#cf4592", "#8c95a3",
];

/// Makes a file of a title, a caption below it and `body`. The origin of `body` is below the
/// caption and `MARGIN` from the left, and its size is `[height, width]`.
fn page(title: &str, caption: &str, [height, width]: [f64; 2], body: &str) -> String {
    let room = width.max(LEAST_WIDTH - 2.0 * MARGIN);
    let title_lines = wrap(title, BOLD * TITLE_LETTER, room, usize::MAX);
    let caption_lines = wrap(caption, LETTER, room, usize::MAX);
    let mut head = String::new();
    let mut y = 10.0;
    for line in &title_lines {
        y += 22.0;
        text(&mut head, "p-title", MARGIN, y, line);
    }
    y += 3.0;
    for line in &caption_lines {
        y += 16.0;
        text(&mut head, "p-caption", MARGIN, y, line);
    }
    y += 20.0;

    let (width, height) = (room + 2.0 * MARGIN, y + height + MARGIN);
    format!(
        "<svg class=\"p\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style>\n<rect class=\"p-paper\" width=\"100%\" height=\"100%\"/>\n\
         {head}<g transform=\"translate({MARGIN} {y:.1})\">\n{body}</g>\n</svg>\n",
        escape(title)
    )
}

/// Makes a file that explains why there is no figure.
fn empty_page(title: &str, caption: &str, reason: &str) -> String {
    let mut body = String::new();
    text(&mut body, "p-soft", 0.0, LETTER, reason);
    page(title, caption, [LETTER, 0.0], &body)
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let _ =
        writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
}

/// Escapes text for an element or an attribute; characters that XML forbids become the replacement
/// character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Estimates the width of a text in a system font of a size; the estimate is too high rather than
/// too low.
fn text_width(text: &str, size: f64) -> f64 {
    let width = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 0.34,
        't' | 'f' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.96,
        'A'..='Z' | '&' => 0.72,
        '<' | '>' | '=' | '+' | '…' => 0.86,
        '\u{1100}'.. => 1.05,
        _ => 0.62,
    };
    text.chars().map(width).sum::<f64>() * size
}

/// Cuts a text to fit into `room`, and marks the cut with an ellipsis.
fn cut(text: &str, size: f64, room: f64) -> String {
    if text_width(text, size) <= room {
        return text.to_owned();
    }
    let room = room - text_width("…", size);
    let mut kept = String::new();
    let mut width = 0.0;
    for letter in text.chars() {
        width += text_width(letter.encode_utf8(&mut [0; 4]), size);
        if width > room {
            break;
        }
        kept.push(letter);
    }
    format!("{}…", kept.trim_end())
}

/// Breaks a text between words into at most `most` lines of a width, and cuts the rest.
fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_last = lines.len() == most;
        match lines.last_mut() {
            Some(line) if is_last || text_width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| cut(line, size, room)).collect()
}

/// Returns the width that a column needs for its widest text, up to `most`.
fn column<'a>(texts: impl IntoIterator<Item = &'a str>, size: f64, most: f64) -> f64 {
    texts.into_iter().map(|text| text_width(text, size)).fold(0.0, f64::max).min(most)
}

/// Formats a number with commas between thousands.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const HOSTILE: &str = "</text><script>alert('&')</script>\"\u{1}.png";

    /// Walks over the tags and checks that each closing tag matches the last open one, that quotes
    /// are paired, and that no text contains `<`, a bare `&` or a control character.
    pub(super) fn assert_well_formed(svg: &str) {
        let mut open: Vec<&str> = Vec::new();
        let mut rest = svg;
        while let Some(at) = rest.find('<') {
            assert_text(&rest[..at]);
            let end = at + rest[at..].find('>').unwrap();
            let tag = &rest[at + 1..end];
            assert!(!tag.contains('<'), "{tag}");
            assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
            assert_text(tag);
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            rest = &rest[end + 1..];
        }
        assert_eq!(rest.trim(), "");
        assert!(open.is_empty(), "{open:?}");
        assert!(!svg.contains("<script") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    fn assert_text(text: &str) {
        const ENTITIES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        for (at, _) in text.match_indices('&') {
            assert!(ENTITIES.iter().any(|entity| text[at..].starts_with(entity)), "{text}");
        }
        assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text}");
    }

    #[test]
    fn names_are_escaped_and_control_characters_replaced() {
        assert_eq!(escape("<a> & \"b\"\0"), "&lt;a&gt; &amp; &quot;b&quot;\u{fffd}");
    }

    #[test]
    fn an_empty_page_has_its_title_and_reason() {
        let svg = empty_page(HOSTILE, HOSTILE, "No films.");

        assert_well_formed(&svg);
        assert!(svg.contains("No films."));
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two three", 10.0, 42.0, 9), ["one two", "three"]);
        assert_eq!(wrap("  ", 10.0, 42.0, 9), [""; 0]);
    }

    #[test]
    fn the_last_line_and_long_words_end_in_an_ellipsis() {
        assert_eq!(wrap("one two three four", 10.0, 42.0, 1), ["one t…"]);
        assert_eq!(wrap("0123456789", 10.0, 42.0, 2), ["01234…"]);
    }

    #[test]
    fn cut_texts_fit() {
        for text in ["", "a", "äöüß", "胸部X線写真", "00000001_000.png"] {
            assert!(text_width(&cut(text, 12.0, 30.0), 12.0) <= 30.0, "{text}");
        }
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(
            [0, 999, 1000, 112_120, 1_234_567].map(count),
            ["0", "999", "1,000", "112,120", "1,234,567"]
        );
    }
}

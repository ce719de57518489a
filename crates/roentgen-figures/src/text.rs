//! Text measured, cut and broken without a font.

/// Estimates the width of a text in a system font of a size; the estimate is too high rather than
/// too low.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
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
pub fn fit(text: &str, size: f64, room: f64) -> String {
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
pub fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
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
    lines.iter().map(|line| fit(line, size, room)).collect()
}

/// Returns the width that a column needs for its widest text, up to `most`.
pub(crate) fn column<'a>(texts: impl IntoIterator<Item = &'a str>, size: f64, most: f64) -> f64 {
    texts.into_iter().map(|text| text_width(text, size)).fold(0.0, f64::max).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert!(text_width(&fit(text, 12.0, 30.0), 12.0) <= 30.0, "{text}");
        }
    }
}

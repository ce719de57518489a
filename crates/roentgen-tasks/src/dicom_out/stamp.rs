//! Text in the corner of an overlay, which has to say what it is wherever it is shown.

use roentgen_models::overlay::{LETTER, Picture};

/// The first line.
const WARNING: &str = "not for diagnostic use";
/// Width in pixels from which letters are twice as large.
const WIDE: u32 = 512;
/// Height of a line in letters of 8 pixels.
const LINE: u32 = LETTER + 4;
/// Black behind the text.
const BLACK: [u8; 3] = [0; 3];

/// Writes the warning and other lines into the top left corner; the picture keeps its size.
pub(super) fn stamp(picture: &mut Picture, lines: &[&str]) {
    let zoom = (picture.width / WIDE).max(1);
    let lines: Vec<&str> = std::iter::once(WARNING).chain(lines.iter().copied()).collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as u32;
    let size = [(lines.len() as u32 * LINE + 4) * zoom, (longest + 1) * LETTER * zoom];
    picture.fill([0, 0], [size[0].min(picture.height), size[1].min(picture.width)], BLACK);
    for (number, line) in (0..).zip(lines) {
        picture.write(line, [(4 + number * LINE) * zoom, 4 * zoom], zoom);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_in_the_corner_and_small_pictures_keep_their_size() {
        for size in [[40, 30], [300, 600]] {
            let mut picture = Picture::new(size[0], size[1]);
            picture.pixels.fill(90);

            stamp(&mut picture, &["grad-cam for Mass 0.830"]);

            assert_eq!(picture.pixels.len() as u32, size[0] * size[1] * 3);
            assert!(picture.pixels[..size[1] as usize * 60].contains(&230));
            assert_eq!(picture.pixels.last(), Some(&90));
        }
    }
}

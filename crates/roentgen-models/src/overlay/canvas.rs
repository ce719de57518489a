//! A picture in memory: pixels, text and the colours of a map.

use font8x8::legacy::BASIC_LEGACY;
use roentgen_data::pixels::Plane;

use super::mixed;

/// Width and height of a letter in pixels, at a zoom of one.
pub const LETTER: u32 = 8;
/// Gray of the text.
pub(super) const TEXT: u8 = 230;
/// Gray under the colours of a bar.
pub(super) const BELOW: f32 = 128.0;

/// A picture in red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Height in pixels.
    pub height: u32,
    /// Width in pixels.
    pub width: u32,
    /// `height * width` pixels of three values.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Makes a black picture.
    pub fn new(height: u32, width: u32) -> Self {
        Self { height, width, pixels: vec![0; (height * width * 3) as usize] }
    }

    /// Makes a picture of a plane in gray.
    pub fn gray(plane: &Plane) -> Self {
        let pixels = plane.pixels.iter().flat_map(|&gray| [gray; 3]).collect();
        Self { height: plane.height, width: plane.width, pixels }
    }

    fn set(&mut self, [row, column]: [u32; 2], colour: [u8; 3]) {
        let at = ((row * self.width + column) * 3) as usize;
        if column < self.width
            && let Some(pixel) = self.pixels.get_mut(at..at + 3)
        {
            pixel.copy_from_slice(&colour);
        }
    }

    /// Writes a line of text, each letter [`LETTER`] times `zoom` pixels wide and high. The font has
    /// the letters of ASCII; others are left blank.
    pub fn write(&mut self, text: &str, [top, left]: [u32; 2], zoom: u32) {
        for (number, letter) in (0..).zip(text.chars()) {
            let rows = BASIC_LEGACY.get(letter as usize).copied().unwrap_or_default();
            for (row, bits) in (0..).zip(rows) {
                for column in (0..LETTER).filter(|column| bits >> column & 1 == 1) {
                    let at = [top + row * zoom, left + (number * LETTER + column) * zoom];
                    self.fill(at, [zoom, zoom], [TEXT; 3]);
                }
            }
        }
    }

    /// Fills a rectangle of `[height, width]`; what is outside the picture is left out.
    pub fn fill(&mut self, [top, left]: [u32; 2], [height, width]: [u32; 2], colour: [u8; 3]) {
        for row in top..top + height {
            for column in left..left + width {
                self.set([row, column], colour);
            }
        }
    }

    /// Lays a smaller picture over this one.
    pub fn lay(&mut self, other: &Picture, [top, left]: [u32; 2]) {
        for (number, pixel) in (0..).zip(other.pixels.chunks_exact(3)) {
            let (row, column) = (number / other.width, number % other.width);
            self.set([top + row, left + column], [pixel[0], pixel[1], pixel[2]]);
        }
    }

    /// Draws the colours of a map, from the lowest value on the left to the highest on the right,
    /// in a rectangle of `[height, width]`.
    pub fn bar(&mut self, [top, left]: [u32; 2], [height, width]: [u32; 2]) {
        for column in 0..width {
            let value = column as f32 / width.saturating_sub(1).max(1) as f32;
            self.fill([top, left + column], [height, 1], mixed(BELOW, value));
        }
    }
}

//! The orientation that EXIF data give a picture, and how a plane is turned by it.
//!
//! Cameras and scanners store the picture as the sensor lay and note how to turn it. Viewers turn
//! it; a decoder does not. The tag is 0x0112 in the first directory of a TIFF structure, which a
//! JPEG has in its segment APP1 and a PNG in its chunk `eXIf`.

use std::io::{self, Read, Seek, SeekFrom};

use super::Plane;

const TAG: u16 = 0x0112;
/// The longest EXIF data that are read, in bytes.
const MAX_BYTES: u32 = 1 << 20;

/// How a stored picture is turned, by the numbers of EXIF.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Orientation {
    /// 1, or none stated.
    #[default]
    Upright,
    /// 2: mirrored left to right.
    Mirrored,
    /// 3: turned by 180 degrees.
    Turned,
    /// 4: mirrored top to bottom.
    Flipped,
    /// 5: rows and columns exchanged.
    Transposed,
    /// 6: to be turned clockwise by 90 degrees.
    Clockwise,
    /// 7: rows and columns exchanged about the other diagonal.
    Transversed,
    /// 8: to be turned counter-clockwise by 90 degrees.
    CounterClockwise,
}

impl Orientation {
    /// Reads the tag from a TIFF structure. Anything that is not one is taken as upright.
    pub(super) fn from_tiff(bytes: &[u8]) -> Self {
        tag(bytes).unwrap_or_default()
    }

    /// Reads the chunk `eXIf` of a PNG, wherever it is, and leaves the reader anywhere.
    pub(super) fn from_png(file: &mut (impl Read + Seek)) -> io::Result<Self> {
        file.seek(SeekFrom::Start(8))?;
        let mut head = [0; 8];
        // A file that is cut off has no more chunks.
        while file.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            match &head[4..] {
                b"IEND" => break,
                b"eXIf" => {
                    let mut bytes = Vec::new();
                    file.take(length.min(MAX_BYTES).into()).read_to_end(&mut bytes)?;
                    return Ok(Self::from_tiff(&bytes));
                }
                _ => {
                    file.seek_relative(i64::from(length) + 4)?;
                }
            }
        }
        Ok(Self::Upright)
    }

    /// Whether height and width change places.
    pub(super) fn exchanges_axes(self) -> bool {
        match self {
            Self::Upright | Self::Mirrored | Self::Turned | Self::Flipped => false,
            Self::Transposed | Self::Clockwise | Self::Transversed | Self::CounterClockwise => true,
        }
    }

    /// Turns a plane so that it is upright.
    pub(super) fn apply(self, plane: Plane) -> Plane {
        let ([width, height], pixels) = self.turn([plane.width, plane.height], plane.pixels);
        Plane { width, height, pixels }
    }

    /// Turns pixels so that they are upright; sizes are `[width, height]`.
    pub(super) fn turn<T: Copy>(self, size: [u32; 2], mut pixels: Vec<T>) -> ([u32; 2], Vec<T>) {
        let [width, height] = size.map(|edge| edge as usize);
        match self {
            Self::Upright => (size, pixels),
            Self::Turned => {
                pixels.reverse();
                (size, pixels)
            }
            Self::Mirrored => {
                pixels.chunks_exact_mut(width.max(1)).for_each(<[T]>::reverse);
                (size, pixels)
            }
            Self::Flipped => {
                let (size, pixels) = Self::Turned.turn(size, pixels);
                Self::Mirrored.turn(size, pixels)
            }
            Self::Transposed => exchange(size, &pixels, |row, column| column * width + row),
            Self::Clockwise => {
                exchange(size, &pixels, |row, column| (height - 1 - column) * width + row)
            }
            Self::CounterClockwise => {
                exchange(size, &pixels, |row, column| column * width + (width - 1 - row))
            }
            Self::Transversed => exchange(size, &pixels, |row, column| {
                (height - 1 - column) * width + (width - 1 - row)
            }),
        }
    }
}

/// Makes the pixels of which that at `[row, column]` is the old one at index `from`.
fn exchange<T: Copy>(
    [height, width]: [u32; 2],
    old: &[T],
    from: impl Fn(usize, usize) -> usize,
) -> ([u32; 2], Vec<T>) {
    let mut pixels = Vec::with_capacity(old.len());
    for row in 0..height as usize {
        pixels.extend((0..width as usize).map(|column| old[from(row, column)]));
    }
    ([width, height], pixels)
}

fn tag(bytes: &[u8]) -> Option<Orientation> {
    let is_little = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let start = long(4)? as usize;
    let entries = usize::from(short(start)?);
    let entry =
        (0..entries).map(|entry| start + 2 + entry * 12).find(|&at| short(at) == Some(TAG))?;
    Some(match short(entry + 8)? {
        2 => Orientation::Mirrored,
        3 => Orientation::Turned,
        4 => Orientation::Flipped,
        5 => Orientation::Transposed,
        6 => Orientation::Clockwise,
        7 => Orientation::Transversed,
        8 => Orientation::CounterClockwise,
        _ => Orientation::Upright,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_is_turned_as_viewers_turn_it() {
        // a b c
        // d e f
        let plane = || Plane { width: 3, height: 2, pixels: b"abcdef".to_vec() };
        for (orientation, width, pixels) in [
            (Orientation::Upright, 3, "abcdef"),
            (Orientation::Mirrored, 3, "cbafed"),
            (Orientation::Turned, 3, "fedcba"),
            (Orientation::Flipped, 3, "defabc"),
            (Orientation::Transposed, 2, "adbecf"),
            (Orientation::Clockwise, 2, "daebfc"),
            (Orientation::Transversed, 2, "fcebda"),
            (Orientation::CounterClockwise, 2, "cfbead"),
        ] {
            let turned = orientation.apply(plane());
            assert_eq!((turned.width, turned.width * turned.height), (width, 6), "{orientation:?}");
            assert_eq!(turned.pixels, pixels.as_bytes(), "{orientation:?}");
            assert_eq!(orientation.exchanges_axes(), width == 2);
        }
    }

    #[test]
    fn the_tag_is_read_in_both_byte_orders() {
        let little = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\0\0\0\0\0\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0";

        assert_eq!(Orientation::from_tiff(little), Orientation::Clockwise);
        assert_eq!(Orientation::from_tiff(big), Orientation::Turned);
    }

    #[test]
    fn damaged_data_are_upright() {
        for bytes in [
            &b""[..],
            b"II*\0",
            b"II*\0\xff\xff\xff\xff",
            b"II*\0\x08\0\0\0\xff\xff",
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0",
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01",
        ] {
            assert_eq!(Orientation::from_tiff(bytes), Orientation::Upright);
        }
    }
}

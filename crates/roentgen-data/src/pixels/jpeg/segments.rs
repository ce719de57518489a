//! The segments of a JPEG file: size, orientation, and whether the file is whole.
//!
//! The decoder fills what is missing from a file that was cut off with gray and says nothing. A
//! whole file ends with the marker EOI, so a file in which no scan is followed by it was cut off,
//! also where a download has filled the rest with zeros. A picture embedded in a segment has an EOI
//! of its own, so segments are skipped by their lengths.

use super::super::orientation::Orientation;

pub(super) const SOI: u8 = 0xd8;
pub(super) const EOI: u8 = 0xd9;
pub(super) const SOS: u8 = 0xda;
const APP1: u8 = 0xe1;

/// What the segments before the first scan say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pixels) struct Header {
    pub(in crate::pixels) width: u32,
    pub(in crate::pixels) height: u32,
    pub(in crate::pixels) components: u64,
    pub(super) is_progressive: bool,
    pub(in crate::pixels) orientation: Orientation,
    /// Where the first scan begins.
    scan: usize,
}

/// A marker, and where its segment or its scan begins.
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) body: &'a [u8],
    /// Where the next one begins.
    pub(super) end: usize,
}

/// Reads the segments before the first scan; `None` if the file has no scan or no size.
pub(in crate::pixels) fn header(bytes: &[u8]) -> Option<Header> {
    let mut frame = None;
    let mut orientation = Orientation::Upright;
    let mut at = 2;
    loop {
        let segment = segment(bytes, at)?;
        at = segment.end;
        match segment.marker {
            SOS => break,
            EOI => return None,
            APP1 => {
                if let Some(tiff) = segment.body.strip_prefix(b"Exif\0\0") {
                    orientation = Orientation::from_tiff(tiff);
                }
            }
            // All frames but those of other tables: DHT, JPG and DAC.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&segment.marker) => {
                let &[_, height0, height1, width0, width1, components, ..] = segment.body else {
                    return None;
                };
                let size = [[height0, height1], [width0, width1]].map(u16::from_be_bytes);
                let is_progressive = segment.marker & 3 == 2;
                frame = Some((size.map(u32::from), u64::from(components), is_progressive));
            }
            _ => {}
        }
    }
    let ([height, width], components, is_progressive) = frame?;
    Some(Header { width, height, components, is_progressive, orientation, scan: at })
}

/// Whether the scans are followed by the end of the image.
pub(super) fn is_whole(bytes: &[u8], header: &Header) -> bool {
    let mut at = header.scan;
    // A scan ends at the next marker that is neither a restart nor a stuffed byte; other segments
    // and scans may follow.
    while let Some(next) = segment(bytes, at) {
        match next.marker {
            EOI => return true,
            0xd0..=0xd7 | 0x01 => at = next.end,
            _ => at = next.end,
        }
    }
    false
}

/// Finds the next marker from `at` on and its segment.
pub(super) fn segment(bytes: &[u8], mut at: usize) -> Option<Segment<'_>> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        at += bytes[at..].iter().position(|&byte| byte != 0xff)?;
        // A zero is stuffed after a byte of the scan that is 0xff.
        if bytes[at] != 0 {
            break;
        }
    }
    let (marker, start) = (bytes[at], at + 1);
    if matches!(marker, 0x01 | 0xd0..=0xd7 | SOI | EOI) {
        return Some(Segment { marker, body: &[], end: start });
    }
    let length = usize::from(u16::from_be_bytes(bytes.get(start..start + 2)?.try_into().ok()?));
    let body = bytes.get(start + 2..start + length.max(2))?;
    Some(Segment { marker, body, end: start + length.max(2) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 3 x 2 pixels, progressive or not, and a scan.
    fn file(frame: u8, scan: &[u8]) -> Vec<u8> {
        let mut bytes = b"\xff\xd8".to_vec();
        // A thumbnail with an end of its own.
        bytes.extend(b"\xff\xe0\0\x08\xff\xd8\xff\xd9xx");
        bytes.extend([0xff, frame, 0, 11, 8, 0, 2, 0, 3, 1, 1, 0x11, 0]);
        bytes.extend(b"\xff\xda\0\x08\x01\x01\0\0\x3f\0");
        bytes.extend(scan);
        bytes
    }

    #[test]
    fn the_header_has_size_and_kind() {
        let header = header(&file(0xc2, b"")).unwrap();

        assert_eq!((header.width, header.height, header.components), (3, 2, 1));
        assert!(header.is_progressive);
        assert!(!super::header(&file(0xc0, b"")).unwrap().is_progressive);
        assert!(super::header(b"\xff\xd8\xff\xd9").is_none());
        assert!(super::header(b"\xff\xd8\xff\xe0junk").is_none());
    }

    #[test]
    fn a_file_is_whole_if_its_scans_end() {
        for (scan, whole) in [
            (&b"ab\xff\xd9"[..], true),
            (b"a\xff\0\xff\xd0b\xff\xff\xff\xd9 and more", true),
            (b"ab\xff\xda\0\x08\x01\x01\0\0\x3f\0cd\xff\xd9", true),
            (b"ab", false),
            (b"ab\xff", false),
            (b"ab\0\0\0\0\0\0", false),
            (b"ab\xff\xff\xff\xff", false),
            (b"ab\xff\0\xd9", false),
            // The end is inside of a segment that is cut off.
            (b"ab\xff\xc4\0\x20\xff\xd9", false),
        ] {
            let bytes = file(0xc0, scan);
            assert_eq!(is_whole(&bytes, &header(&bytes).unwrap()), whole, "{scan:?}");
        }
    }
}

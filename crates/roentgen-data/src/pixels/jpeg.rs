//! Decodes JPEG to 8-bit gray, if the file is whole.

mod coefficients;
mod huffman;
mod scans;
mod segments;

use std::io::{self, BufRead, Cursor, Read, Seek};

use image::{DynamicImage, ImageFormat, ImageReader};

use self::segments::{Header, is_whole};
use super::budget::{self, Loan};
use super::{Error, Plane, check_edges, gray};

pub(super) use self::scans::are_complete;
pub(super) use self::segments::header;

/// The longest header that is read, in bytes; embedded profiles have a few megabytes.
const MAX_HEADER: u64 = 4 << 20;

/// Decodes a film; the loan covers the memory of the plane.
pub(super) fn decode(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    let header = read_header(&mut file)?;
    check_edges(header.width, header.height)?;
    let length = file.seek(io::SeekFrom::End(0)).map_err(Error::Read)?;
    file.rewind().map_err(Error::Read)?;
    let pixels = u64::from(header.width) * u64::from(header.height);
    // The file, which the decoder copies; its output; our plane, or the same one turned; and, if
    // scans come one after the other, the coefficients, and which of them are not zero.
    let turned = u64::from(header.components > 1) + u64::from(header.orientation.exchanges_axes());
    let coefficients = if header.is_progressive { 2 * header.components } else { 0 };
    let output = if header.components == 1 { 1 } else { 3 };
    let marks = if header.is_progressive { pixels * header.components / 8 } else { 0 };
    let loan = budget::borrow(2 * length + pixels * (output + turned + coefficients) + marks)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(Error::Read)?;
    if !is_whole(&bytes, &header) {
        return Err(Error::CutOff);
    }
    if !are_complete(&bytes) {
        let what = "its scans do not have all blocks of the picture, and nothing else".to_owned();
        return Err(Error::Decode { kind: "JPEG", what });
    }
    let image = ImageReader::with_format(Cursor::new(&bytes), ImageFormat::Jpeg)
        .decode()
        .map_err(|error| Error::Decode { kind: "JPEG", what: error.to_string() })?;
    let (width, height) = (image.width(), image.height());
    let pixels = match image {
        DynamicImage::ImageLuma8(gray) => gray.into_raw(),
        other => other.into_rgb8().pixels().map(|pixel| gray::luma(pixel.0)).collect(),
    };
    Ok((header.orientation.apply(Plane { width, height, pixels }), loan))
}

/// Reads the segments before the first scan, which are short in a film and may be long in a file
/// that claims to be one.
pub(super) fn read_header(file: &mut impl BufRead) -> Result<Header, Error> {
    let mut bytes = Vec::new();
    let mut limit = 64 << 10;
    loop {
        let wanted = limit - bytes.len() as u64;
        let read = file.take(wanted).read_to_end(&mut bytes).map_err(Error::Read)?;
        if let Some(header) = header(&bytes) {
            return Ok(header);
        }
        if (read as u64) < wanted || limit > MAX_HEADER {
            let what = "its header has no size or no scan".to_owned();
            return Err(Error::Decode { kind: "JPEG", what });
        }
        limit *= 4;
    }
}

//! Decodes a DICOM file to 8-bit gray: CR, DX for presentation, secondary capture.
//!
//! The order is that of the standard (PS3.3 C.11): stored value, modality LUT, VOI LUT or window,
//! and one inversion for MONOCHROME1. Where a file has no window, the whole range of its stored bits
//! becomes 0..255, so that films of one device stay comparable; a stretch of each film by its own
//! minimum and maximum would not be reproducible from the header. See `docs/dicom.md`.

mod deep;
mod file;
mod gray;
mod group;
mod header;
mod stream;
#[cfg(test)]
mod tests;

use std::io::{BufRead, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_pixeldata::{DecodedPixelData, PixelDecoder};

use self::file::{Object, Part};
use self::header::{Coding, Color, Header};
use super::budget::{self, Loan};
use super::{DeepFilm, Error, Plane, Subject, check_edges, gray as gray_values};

/// Where the mark of a DICOM file is.
const MARK_START: usize = 128;

/// Elements that decide how values are shown, which is not left to the decoder.
const SHOWN_BY_US: [Tag; 7] = [
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::VOILUT_FUNCTION,
    tags::VOILUT_SEQUENCE,
    tags::NUMBER_OF_FRAMES,
];

/// An error of a file that is damaged.
fn damage(what: impl Into<String>) -> Error {
    Error::Decode { kind: "DICOM file", what: what.into() }
}

/// Reads `[height, width]`.
pub(super) fn size(file: impl BufRead + Seek) -> Result<[u32; 2], Error> {
    let object = file::open(file, Part::Header)?;
    let header = Header::read(&object)?;
    Ok([header.rows, header.columns])
}

/// Reads what a file says that its picture shows.
pub(super) fn subject(file: impl BufRead + Seek) -> Result<Subject, Error> {
    let object = file::open(file, Part::Header)?;
    let text = |tag| header::text(&object, tag).to_ascii_uppercase();
    Ok(Subject {
        modality: text(tags::MODALITY),
        body_part: text(tags::BODY_PART_EXAMINED),
        view: match text(tags::VIEW_POSITION) {
            view if view.is_empty() => view_in_position(text(tags::PATIENT_POSITION)),
            view => view,
        },
    })
}

/// Reads the elements that precede the pixels.
pub(super) fn elements(file: impl BufRead + Seek) -> Result<InMemDicomObject, Error> {
    Ok(file::open(file, Part::Header)?.into_inner())
}

/// Returns the view that some files have as Patient Position (0018,5100), which is for tomographs;
/// nothing if it is one of their terms, such as `HFS` (PS3.3 C.7.3.1.1.2).
fn view_in_position(position: String) -> String {
    let is_term = position.len() >= 3 && position.chars().nth(1) == Some('F');
    if is_term { String::new() } else { position }
}

/// Decodes a film; the loan covers the memory of the plane.
pub(super) fn decode(file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    with_samples(file, 1, |header, _, decoded, pixels| {
        let pixels = plane(header, decoded, pixels)?;
        Ok(Plane { width: header.columns, height: header.rows, pixels })
    })
}

/// Decodes a film at full depth; the loan covers the memory of its samples.
pub(super) fn deep(file: impl BufRead + Seek) -> Result<(DeepFilm, Loan<'static>), Error> {
    with_samples(file, 2, |header, object, decoded, pixels| {
        let sign = deep::sign(header);
        let samples = shown(header, decoded, pixels, |stored| stored ^ sign, u16::from)?;
        Ok(deep::film(header, object, samples))
    })
}

/// Decodes the samples and gives them to `take`; each pixel of its result takes `bytes`.
fn with_samples<T>(
    mut file: impl BufRead + Seek,
    bytes: u64,
    take: impl FnOnce(&Header, &Object, &DecodedPixelData<'_>, usize) -> Result<T, Error>,
) -> Result<(T, Loan<'static>), Error> {
    let memory = file::memory(&mut file)?;
    let header = Header::read(&file::open(&mut file, Part::Header)?)?;
    check_edges(header.columns, header.rows)?;
    let pixels = u64::from(header.rows) * u64::from(header.columns);
    // The file; the samples as a decoder has them, at most two copies of 32 bits; the samples; our
    // plane.
    let copies = if header.coding == Coding::None { 0 } else { 8 };
    let each = header.samples * (copies + header.bytes_per_sample) + bytes;
    let loan = budget::borrow(memory.saturating_add(pixels.saturating_mul(each)))?;
    let mut object = file::open(&mut file, Part::Whole)?;
    // The decoder reads these too, more strictly than is needed, and does not use them.
    for tag in SHOWN_BY_US {
        object.remove_element(tag);
    }
    stream::check(&object, &header)?;
    // The decoders index into what a damaged file claims; a panic is one more way to fail.
    let decoded = catch_unwind(AssertUnwindSafe(|| object.decode_pixel_data_frame(0)))
        .map_err(|_| damage("its pixels cannot be decoded"))?
        .map_err(|error| failed(&object, &error))?;
    take(&header, &object, &decoded, pixels as usize).map(|taken| (taken, loan))
}

/// Explains why the pixels could not be decoded, with all causes.
fn failed(object: &Object, error: &dyn std::error::Error) -> Error {
    let syntax = file::syntax(object);
    let name = file::syntax_name(&syntax);
    damage(format!("its pixels ({name}) cannot be decoded: {}", file::with_causes(error)))
}

/// Returns what `gray` makes of the stored bits of each pixel, or the luma of its colours.
fn plane(header: &Header, decoded: &DecodedPixelData<'_>, pixels: usize) -> Result<Vec<u8>, Error> {
    let table = gray::table(header);
    shown(header, decoded, pixels, |stored| table[usize::from(stored)], |luma| luma)
}

/// Returns `gray` of the stored bits of each pixel, without their sign, or `color` of its luma.
fn shown<T>(
    header: &Header,
    decoded: &DecodedPixelData<'_>,
    pixels: usize,
    gray: impl Fn(u16) -> T,
    color: impl Fn(u8) -> T,
) -> Result<Vec<T>, Error> {
    let bytes = decoded.data();
    let expected = pixels as u64 * header.samples * header.bytes_per_sample;
    if (bytes.len() as u64) < expected {
        return Err(damage(format!("it has {} of {expected} bytes of pixels", bytes.len())));
    }
    let bytes = &bytes[..expected as usize];
    // The decoders return colours pixel by pixel.
    let is_planar = header.is_planar && header.coding == Coding::None;
    let sample = |pixel: usize, channel: usize| match is_planar {
        true => bytes[channel * pixels + pixel],
        false => bytes[3 * pixel + channel],
    };
    Ok(match header.color {
        Color::Gray => {
            let mask = header.mask();
            let value = |stored: u16| gray((stored >> header.shift()) & mask);
            if header.bytes_per_sample == 1 {
                bytes.iter().map(|&byte| value(byte.into())).collect()
            } else {
                let pairs = bytes.as_chunks().0;
                pairs.iter().map(|&pair| value(u16::from_ne_bytes(pair))).collect()
            }
        }
        Color::Rgb => (0..pixels)
            .map(|pixel| gray_values::luma([0, 1, 2].map(|channel| sample(pixel, channel))))
            .map(color)
            .collect(),
        // The first channel is the luma that we compute from red, green and blue.
        Color::Luma => (0..pixels).map(|pixel| color(sample(pixel, 0))).collect(),
    })
}

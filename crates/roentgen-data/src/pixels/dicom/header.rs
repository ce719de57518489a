//! What the elements of a DICOM file say about its picture, and which files are refused.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use super::damage;
use super::file::{Object, syntax, syntax_name, trim};
use crate::pixels::Error;
use crate::pixels::lut::{Lut, Modality, Voi, Window};

/// How pixels are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    None,
    Rle,
    /// Baseline, extended and lossless.
    Jpeg,
    /// Also high throughput.
    Jpeg2000,
}

/// What the samples of a pixel are, as the decoder returns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    Gray,
    Rgb,
    /// Luma and two differences.
    Luma,
}

/// A picture.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) rows: u32,
    pub(super) columns: u32,
    /// 1 or 3.
    pub(super) samples: u64,
    /// 1 or 2.
    pub(super) bytes_per_sample: u64,
    /// 1 to 16.
    pub(super) bits_stored: u32,
    high_bit: u32,
    pub(super) is_signed: bool,
    pub(super) coding: Coding,
    pub(super) color: Color,
    /// Whether each channel is stored as a plane.
    pub(super) is_planar: bool,
    pub(super) modality: Modality,
    pub(super) voi: Voi,
    /// Whether the lowest value is shown white.
    pub(super) is_inverted: bool,
    /// Stored values that are not part of the picture, from the first to the last.
    pub(super) padding: Option<[i32; 2]>,
}

impl Header {
    /// Reads the elements of a picture.
    pub(super) fn read(object: &Object) -> Result<Self, Error> {
        refuse_other_files(object)?;
        let number = |tag, name| {
            int(object, tag).ok_or_else(|| damage(format!("it has no number `{name}`")))
        };
        let rows = number(tags::ROWS, "Rows")?;
        let columns = number(tags::COLUMNS, "Columns")?;
        let samples = int(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1);
        let bits_allocated = number(tags::BITS_ALLOCATED, "Bits Allocated")?;
        let bits_stored = int(object, tags::BITS_STORED).unwrap_or(bits_allocated);
        let high_bit = int(object, tags::HIGH_BIT).unwrap_or(bits_stored.saturating_sub(1));
        if ![8, 16].contains(&bits_allocated) {
            return Err(refuse(format!(
                "its pixels take {bits_allocated} bits; 8 and 16 are read"
            )));
        }
        let fits = (1..=bits_allocated).contains(&bits_stored)
            && (bits_stored - 1..bits_allocated).contains(&high_bit);
        if rows < 1 || columns < 1 || !fits {
            return Err(damage(format!(
                "it says {columns} x {rows} pixels of {bits_stored} bits up to bit {high_bit} of \
                 {bits_allocated}"
            )));
        }
        let coding = coding(object, bits_stored)?;
        let photometric = text(object, tags::PHOTOMETRIC_INTERPRETATION);
        let color = color(&photometric, coding, samples, bits_allocated)?;
        let is_signed = int(object, tags::PIXEL_REPRESENTATION) == Some(1);
        let shape = text(object, tags::PRESENTATION_LUT_SHAPE);
        Ok(Self {
            rows: rows as u32,
            columns: columns as u32,
            samples: samples as u64,
            bytes_per_sample: bits_allocated as u64 / 8,
            bits_stored: bits_stored as u32,
            high_bit: high_bit as u32,
            is_signed,
            coding,
            color,
            is_planar: int(object, tags::PLANAR_CONFIGURATION) == Some(1),
            modality: modality(object, is_signed)?,
            voi: voi(object, is_signed)?,
            // Both mean the same; a file that says both is inverted once.
            is_inverted: photometric == "MONOCHROME1" || shape == "INVERSE",
            padding: padding(object, is_signed),
        })
    }

    /// Returns by how many bits to shift a sample so that its lowest bit is bit 0.
    pub(super) fn shift(&self) -> u32 {
        self.high_bit + 1 - self.bits_stored
    }

    /// Returns the lowest and the highest value that can be stored.
    pub(super) fn stored_range(&self) -> [i32; 2] {
        let half = 1_i32 << (self.bits_stored - 1);
        if self.is_signed { [-half, half - 1] } else { [0, 2 * half - 1] }
    }

    /// Returns the bits that a sample has after the shift.
    pub(super) fn mask(&self) -> u16 {
        (u32::MAX >> (32 - self.bits_stored)) as u16
    }
}

fn refuse(what: impl Into<String>) -> Error {
    Error::Refused(what.into())
}

/// Refuses files that do not contain a picture for display.
fn refuse_other_files(object: &Object) -> Result<(), Error> {
    let class = trim(object.meta().media_storage_sop_class_uid());
    if class == uids::MEDIA_STORAGE_DIRECTORY_STORAGE {
        return Err(refuse("it is a DICOMDIR, a list of files; give the folder instead"));
    }
    let classes = [class, text(object, tags::SOP_CLASS_UID).trim_end_matches('\0').to_owned()];
    let for_processing = [
        uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
        uids::DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
    ];
    if classes.iter().any(|class| for_processing.contains(&class.as_str()))
        || text(object, tags::PRESENTATION_INTENT_TYPE) == "FOR PROCESSING"
    {
        return Err(refuse(
            "it is raw (for processing), not the picture that is read; export the image for \
             presentation",
        ));
    }
    match int(object, tags::NUMBER_OF_FRAMES) {
        Some(frames) if frames > 1 => Err(refuse(format!(
            "it has {frames} frames, and a film is one; export the frame to read as a file"
        ))),
        _ => Ok(()),
    }
}

fn coding(object: &Object, bits_stored: i32) -> Result<Coding, Error> {
    let syntax = syntax(object);
    #[expect(deprecated, reason = "the syntax is retired, and files in it are kept")]
    let big_endian = uids::EXPLICIT_VR_BIG_ENDIAN;
    Ok(match syntax.as_str() {
        uids::IMPLICIT_VR_LITTLE_ENDIAN | uids::EXPLICIT_VR_LITTLE_ENDIAN => Coding::None,
        other if other == big_endian => Coding::None,
        uids::RLE_LOSSLESS => Coding::Rle,
        uids::JPEG_BASELINE8_BIT | uids::JPEG_LOSSLESS | uids::JPEG_LOSSLESS_SV1 => Coding::Jpeg,
        uids::JPEG_EXTENDED12_BIT if bits_stored <= 8 => Coding::Jpeg,
        uids::JPEG2000_LOSSLESS
        | uids::JPEG2000
        | uids::HTJ2K_LOSSLESS
        | uids::HTJ2K_LOSSLESS_RPCL
        | uids::HTJ2K => Coding::Jpeg2000,
        other => {
            let tool = match other {
                uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => "dcmdjpls",
                uids::JPEG_EXTENDED12_BIT => "dcmdjpeg",
                _ => "gdcmconv --raw",
            };
            return Err(refuse(format!(
                "its transfer syntax {} ({other}, {bits_stored} bits) is not read; unpack it, for \
                 example with `{tool} IN OUT`",
                syntax_name(other)
            )));
        }
    })
}

fn color(photometric: &str, coding: Coding, samples: i32, bits: i32) -> Result<Color, Error> {
    let color = match photometric {
        "MONOCHROME1" | "MONOCHROME2" if samples == 1 => return Ok(Color::Gray),
        "RGB" | "YBR_RCT" | "YBR_ICT" => Color::Rgb,
        // The decoder of JPEG returns red, green and blue.
        "YBR_FULL" | "YBR_FULL_422" if coding == Coding::Jpeg => Color::Rgb,
        "YBR_FULL" => Color::Luma,
        _ => {
            return Err(refuse(format!(
                "its photometric interpretation is `{photometric}` with {samples} samples; \
                 MONOCHROME1, MONOCHROME2, RGB and YBR_FULL are read"
            )));
        }
    };
    if samples != 3 || bits != 8 {
        return Err(refuse(format!(
            "its colours have {samples} samples of {bits} bits; 3 of 8 are read"
        )));
    }
    Ok(color)
}

fn modality(object: &Object, is_signed: bool) -> Result<Modality, Error> {
    if let Some(item) = first_item(object, tags::MODALITY_LUT_SEQUENCE) {
        return lut(item, is_signed).map(Modality::Lut);
    }
    let number = |tag, default| float(object, tag).unwrap_or(default);
    let slope = number(tags::RESCALE_SLOPE, 1.0);
    let intercept = number(tags::RESCALE_INTERCEPT, 0.0);
    if slope == 0.0 || !slope.is_finite() || !intercept.is_finite() {
        return Err(damage(format!("its rescale slope is {slope} and its intercept {intercept}")));
    }
    Ok(Modality::Rescale { slope, intercept })
}

fn voi(object: &Object, is_signed: bool) -> Result<Voi, Error> {
    if let Some(item) = first_item(object, tags::VOILUT_SEQUENCE) {
        return lut(item, is_signed).map(Voi::Lut);
    }
    let (Some(center), Some(width)) =
        (float(object, tags::WINDOW_CENTER), float(object, tags::WINDOW_WIDTH))
    else {
        return Ok(Voi::None);
    };
    let function = text(object, tags::VOILUT_FUNCTION);
    let window = match function.as_str() {
        "" | "LINEAR" => Window::Linear,
        "LINEAR_EXACT" => Window::LinearExact,
        "SIGMOID" => Window::Sigmoid,
        _ => return Err(refuse(format!("its VOI LUT function is `{function}`"))),
    };
    let is_wide = match window {
        Window::Linear => width >= 1.0,
        Window::LinearExact | Window::Sigmoid => width > 0.0,
    };
    if !is_wide || !width.is_finite() || !center.is_finite() {
        return Err(damage(format!("its window has center {center} and width {width}")));
    }
    Ok(Voi::Window { window, center, width })
}

/// Reads a LUT: number of entries, first value that it maps, bits of its entries.
fn lut(item: &InMemDicomObject, is_signed: bool) -> Result<Lut, Error> {
    let failed = || damage("its lookup table is damaged");
    let descriptor: Vec<i32> = item
        .get(tags::LUT_DESCRIPTOR)
        .and_then(|element| element.to_multi_int().ok())
        .ok_or_else(failed)?;
    let &[count, first, bits] = descriptor.as_slice() else { return Err(failed()) };
    let count = if count & 0xffff == 0 { 1 << 16 } else { count & 0xffff };
    let first = if is_signed { i32::from(first as u16 as i16) } else { first & 0xffff };
    let data = item.get(tags::LUT_DATA).ok_or_else(failed)?;
    let entries = entries(data, count as usize).ok_or_else(failed)?;
    if entries.len() < count as usize || !(8..=16).contains(&bits) {
        return Err(failed());
    }
    Ok(Lut { first, entries: entries[..count as usize].to_vec(), bits: bits as u32 })
}

/// Reads the entries of a LUT, which are numbers, pairs of bytes, or bytes.
fn entries(data: &InMemElement, count: usize) -> Option<Vec<u16>> {
    let bytes = data.to_bytes().ok()?;
    let numbers = data.to_multi_int::<u16>().ok();
    match numbers {
        Some(numbers) if numbers.len() == count => Some(numbers),
        _ if bytes.len() >= 2 * count => {
            Some(bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect())
        }
        _ if bytes.len() >= count => Some(bytes.iter().map(|&byte| byte.into()).collect()),
        _ => None,
    }
}

fn padding(object: &Object, is_signed: bool) -> Option<[i32; 2]> {
    // The library reads a value that may have either sign as unsigned where the file does not say.
    let value = |tag| {
        let value = int(object, tag)?;
        Some(if is_signed { i32::from(value as u16 as i16) } else { value & 0xffff })
    };
    let first = value(tags::PIXEL_PADDING_VALUE)?;
    let last = value(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(first);
    Some([first.min(last), first.max(last)])
}

fn first_item(object: &Object, tag: Tag) -> Option<&InMemDicomObject> {
    object.get(tag)?.items()?.first()
}

fn int(object: &Object, tag: Tag) -> Option<i32> {
    object.get(tag)?.to_int().ok()
}

/// Returns the first of the numbers.
fn float(object: &Object, tag: Tag) -> Option<f64> {
    object.get(tag)?.to_multi_float64().ok()?.first().copied()
}

pub(super) fn text(object: &Object, tag: Tag) -> String {
    let text = object.get(tag).and_then(|element| element.to_str().ok());
    text.map_or_else(String::new, |text| text.trim().to_owned())
}

//! Decodes PNG, JPEG and DICOM files to a plane of 8-bit gray, and resizes planes.
//!
//! Some of NIH's films are RGBA with three equal channels and an opaque alpha channel; 16-bit films
//! are scaled to 8 bits from the bits that they use. The file type is detected from the content, not
//! from the name. A picture with an EXIF orientation is turned upright, as viewers show it.

mod budget;
#[cfg(feature = "dicom")]
mod dicom;
mod gray;
mod jpeg;
mod orientation;
mod png;

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use fast_image_resize as fir;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde::{Deserialize, Serialize};

use self::budget::Loan;
use self::orientation::Orientation;
use crate::files;

/// The longest edge that is decoded, in pixels; a header that claims more is treated as hostile.
const MAX_EDGE: u32 = 16_384;
/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// The longest header of a JPEG that is read, in bytes; embedded profiles have a few megabytes.
const MAX_HEADER: u64 = 4 << 20;

/// One channel of 8-bit gray, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `height * width` values in row-major order; 0 is black.
    pub pixels: Vec<u8>,
}

/// Why a film could not be read. The caller knows which film.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("the file could not be read: {0}")]
    Read(io::Error),
    /// The file is empty.
    #[error("the file is empty (0 bytes)")]
    Empty,
    /// The first bytes are those of no kind of film.
    #[error("the file is not a PNG, JPEG or DICOM file (it begins with `{0}`)")]
    Unknown(String),
    /// The DICOM file is whole, but not a film that can be used.
    #[error("the DICOM file is refused: {0}")]
    Refused(String),
    /// The image could not be decoded.
    #[error("the {kind} is broken or cut off: {what}")]
    Decode {
        /// PNG, JPEG or DICOM file.
        kind: &'static str,
        /// What the decoder says.
        what: String,
    },
    /// The JPEG has no end.
    #[error("the JPEG is broken or cut off: its end is missing")]
    CutOff,
    /// The picture is larger than any film.
    #[error("the film has {width} x {height} pixels; at most 16384 x 16384 are read")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Decoding would take too much memory.
    #[error("decoding the film takes {mib} MiB of memory, and the limit is {limit} MiB")]
    Memory {
        /// What it takes.
        mib: u64,
        /// The limit.
        limit: u64,
    },
    /// The plane could not be resized.
    #[error("the film could not be resized: {0}")]
    Resize(String),
}

/// The filter used to resize films.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// Lanczos with three lobes, as Pillow's `LANCZOS`.
    #[default]
    Lanczos3,
    /// Triangle over the whole source footprint, as Pillow's `BILINEAR`.
    Bilinear,
    /// Mean of the covered pixels, as Pillow's `BOX`.
    Box,
}

/// Reads the size of a film, `[height, width]`, upright, without decoding it.
///
/// # Errors
///
/// Returns an error if the file is not a file or has no valid header. See [`Error`].
pub fn size(path: &Path) -> Result<[u32; 2], Error> {
    let mut file = open(path)?;
    let ([height, width], orientation) = match kind(file.fill_buf().map_err(Error::Read)?)? {
        Kind::Png => {
            let size = png::size(&mut file)?;
            (size, Orientation::from_png(&mut file).map_err(Error::Read)?)
        }
        Kind::Jpeg => {
            let header = jpeg_header(&mut file)?;
            ([header.height, header.width], header.orientation)
        }
        #[cfg(feature = "dicom")]
        Kind::Dicom => (dicom::size(file)?, Orientation::Upright),
    };
    check_edges(width, height)?;
    Ok(if orientation.exchanges_axes() { [width, height] } else { [height, width] })
}

/// Reads and decodes a film.
///
/// # Errors
///
/// Returns an error if the file is not a file or cannot be read or decoded. See [`Error`].
pub fn read(path: &Path) -> Result<Plane, Error> {
    decode_from(open(path)?).map(|(plane, _)| plane)
}

/// Reads, decodes and resamples a film to `size` x `size`, like [`read`] and [`resize`].
///
/// Memory for the whole film is given back to other threads only when it has been resampled, so use
/// this rather than the two where many films are read at once.
///
/// # Errors
///
/// Returns an error if the file is not a file or cannot be read or decoded. See [`Error`].
pub fn read_resized(path: &Path, size: u32, filter: Filter) -> Result<Plane, Error> {
    let (plane, _loan) = decode_from(open(path)?)?;
    resize(plane, size, filter)
}

/// Reads and decodes a film like [`read`] and uses it while other threads wait for its memory.
pub(crate) fn read_with<T>(path: &Path, take: impl FnOnce(&Plane) -> T) -> Result<T, Error> {
    let (plane, _loan) = decode_from(open(path)?)?;
    Ok(take(&plane))
}

/// Decodes the bytes of a PNG, JPEG or DICOM file.
///
/// # Errors
///
/// Returns an error if the bytes cannot be decoded. See [`Error`].
pub fn decode(bytes: &[u8]) -> Result<Plane, Error> {
    decode_from(Cursor::new(bytes)).map(|(plane, _)| plane)
}

fn open(path: &Path) -> Result<BufReader<std::fs::File>, Error> {
    Ok(BufReader::new(files::open_at_most(path, MAX_FILE).map_err(Error::Read)?))
}

/// Decodes a film; the loan covers the memory of the plane.
fn decode_from(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    match kind(file.fill_buf().map_err(Error::Read)?)? {
        Kind::Png => decode_png(file),
        Kind::Jpeg => decode_jpeg(file),
        #[cfg(feature = "dicom")]
        Kind::Dicom => dicom::decode(file),
    }
}

fn decode_png(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    let orientation = Orientation::from_png(&mut file).map_err(Error::Read)?;
    file.rewind().map_err(Error::Read)?;
    let [height, width] = png::size(&mut file)?;
    check_edges(width, height)?;
    file.rewind().map_err(Error::Read)?;
    let reader = png::Reader::new(&mut file)?;
    let plane = u64::from(width) * u64::from(height);
    let planes = if orientation.exchanges_axes() { 2 } else { 1 };
    let loan = budget::borrow(reader.bytes().saturating_add(planes * plane))?;
    let pixels = if reader.is_deep() {
        let bits = reader.bits_used(&loan)?;
        file.rewind().map_err(Error::Read)?;
        png::Reader::new(file)?.pixels(bits, &loan)?
    } else {
        reader.pixels(8, &loan)?
    };
    Ok((orientation.apply(Plane { width, height, pixels }), loan))
}

fn decode_jpeg(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    let header = jpeg_header(&mut file)?;
    check_edges(header.width, header.height)?;
    let length = file.seek(io::SeekFrom::End(0)).map_err(Error::Read)?;
    file.rewind().map_err(Error::Read)?;
    let pixels = u64::from(header.width) * u64::from(header.height);
    // The file, which the decoder copies; its output; our plane, or the same one turned; and the
    // coefficients of all scans if they come one after the other.
    let turned = u64::from(header.components > 1) + u64::from(header.orientation.exchanges_axes());
    let coefficients = if header.is_progressive { 2 * header.components } else { 0 };
    let output = if header.components == 1 { 1 } else { 3 };
    let loan = budget::borrow(2 * length + pixels * (output + turned + coefficients))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(Error::Read)?;
    if !jpeg::is_whole(&bytes, &header) {
        return Err(Error::CutOff);
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
fn jpeg_header(file: &mut impl BufRead) -> Result<jpeg::Header, Error> {
    let mut bytes = Vec::new();
    let mut limit = 64 << 10;
    loop {
        let wanted = limit - bytes.len() as u64;
        let read = file.take(wanted).read_to_end(&mut bytes).map_err(Error::Read)?;
        if let Some(header) = jpeg::header(&bytes) {
            return Ok(header);
        }
        if (read as u64) < wanted || limit > MAX_HEADER {
            let what = "its header has no size or no scan".to_owned();
            return Err(Error::Decode { kind: "JPEG", what });
        }
        limit *= 4;
    }
}

fn check_edges(width: u32, height: u32) -> Result<(), Error> {
    if width > MAX_EDGE || height > MAX_EDGE {
        return Err(Error::TooLarge { width, height });
    }
    Ok(())
}

/// Resamples a plane to `size` x `size`; a plane that is not square is squeezed, as NIH's were.
///
/// # Errors
///
/// Returns an error if the plane has no pixels.
pub fn resize(plane: Plane, size: u32, filter: Filter) -> Result<Plane, Error> {
    resample(plane, [size, size], filter)
}

/// Resamples a plane so that its longer side has `side` pixels; the sides keep their ratio.
///
/// # Errors
///
/// Returns an error if the plane has no pixels.
pub fn fit(plane: Plane, side: u32, filter: Filter) -> Result<Plane, Error> {
    let longer = u64::from(plane.height.max(plane.width).max(1));
    let scaled = |edge: u32| {
        let rounded = (u64::from(edge) * u64::from(side) + longer / 2) / longer;
        rounded.clamp(1, u64::from(side)) as u32
    };
    let size = [plane.height, plane.width].map(scaled);
    resample(plane, size, filter)
}

/// Resamples a plane to `[height, width]`.
fn resample(plane: Plane, [height, width]: [u32; 2], filter: Filter) -> Result<Plane, Error> {
    if [plane.height, plane.width] == [height, width] {
        return Ok(plane);
    }
    let failed = |error: &dyn std::fmt::Display| Error::Resize(error.to_string());
    let source = fir::images::Image::from_vec_u8(
        plane.width,
        plane.height,
        plane.pixels,
        fir::PixelType::U8,
    )
    .map_err(|error| failed(&error))?;
    let mut target = fir::images::Image::new(width, height, fir::PixelType::U8);
    let kernel = match filter {
        Filter::Lanczos3 => fir::FilterType::Lanczos3,
        Filter::Bilinear => fir::FilterType::Bilinear,
        Filter::Box => fir::FilterType::Box,
    };
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(kernel));
    fir::Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(Plane { width, height, pixels: target.into_vec() })
}

/// Encodes a plane as a gray PNG.
///
/// # Panics
///
/// Panics if the plane does not have `height * width` pixels.
pub fn to_png(plane: &Plane) -> Vec<u8> {
    encode(&plane.pixels, plane.width, plane.height, image::ExtendedColorType::L8)
}

/// Encodes `height * width` pixels of red, green and blue as a PNG.
///
/// # Panics
///
/// Panics if there are not `3 * height * width` values.
pub fn rgb_to_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    encode(pixels, width, height, image::ExtendedColorType::Rgb8)
}

fn encode(pixels: &[u8], width: u32, height: u32, colour: image::ExtendedColorType) -> Vec<u8> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .expect("the number of pixels must match the size; writing to memory cannot fail");
    bytes
}

/// What a file is.
enum Kind {
    Png,
    Jpeg,
    #[cfg(feature = "dicom")]
    Dicom,
}

/// Tells what a file is by its first bytes, of which at least 132 are needed.
fn kind(bytes: &[u8]) -> Result<Kind, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.starts_with(b"\x89PNG") {
        return Ok(Kind::Png);
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(Kind::Jpeg);
    }
    #[cfg(feature = "dicom")]
    if dicom::is_dicom(bytes) {
        return Ok(Kind::Dicom);
    }
    Err(Error::Unknown(bytes[..bytes.len().min(8)].escape_ascii().to_string()))
}

/// Whether a file is in DICOM, by its content; `false` if it cannot be read.
pub fn is_dicom(path: &Path) -> bool {
    #[cfg(feature = "dicom")]
    let is_dicom = |mut file: BufReader<std::fs::File>| file.fill_buf().is_ok_and(dicom::is_dicom);
    #[cfg(not(feature = "dicom"))]
    let is_dicom = |_| false;
    open(path).is_ok_and(is_dicom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(image: DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn rgba_with_equal_channels_is_the_gray_film() {
        let gray = image::GrayImage::from_fn(3, 2, |x, y| image::Luma([(x * 70 + y * 9) as u8]));
        let rgba = DynamicImage::ImageLuma8(gray.clone()).into_rgba8();

        let plane = decode(&png(DynamicImage::ImageRgba8(rgba))).unwrap();

        assert_eq!((plane.width, plane.height), (3, 2));
        assert_eq!(plane.pixels, gray.into_raw());
    }

    #[test]
    fn sixteen_bits_become_eight_over_the_whole_range() {
        let deep = image::ImageBuffer::from_vec(4, 1, vec![0_u16, 257, 32_896, 65_535]).unwrap();

        assert_eq!(decode(&png(DynamicImage::ImageLuma16(deep))).unwrap().pixels, [0, 1, 128, 255]);
    }

    #[test]
    fn twelve_bits_in_sixteen_become_eight_from_twelve() {
        let film = |pixels: [u16; 4]| {
            let deep = image::ImageBuffer::from_vec(4, 1, pixels.to_vec()).unwrap();
            decode(&png(DynamicImage::ImageLuma16(deep))).unwrap().pixels
        };

        assert_eq!(film([0, 16, 2048, 4095]), [0, 1, 128, 255]);
        assert_eq!(film([0, 16, 2048, 4096]), [0, 0, 32, 64]);
        // The opacity is not a shade.
        let deep = image::ImageBuffer::from_vec(2, 1, vec![0_u16, 65_535, 4095, 65_535]).unwrap();
        let bytes = png(DynamicImage::ImageLumaA16(deep));
        assert_eq!(decode(&bytes).unwrap().pixels, [0, 255]);
    }

    #[test]
    fn broken_files_say_what_is_wrong() {
        let whole = png(DynamicImage::new_luma8(64, 64));

        assert!(matches!(decode(b""), Err(Error::Empty)));
        assert!(
            matches!(decode(b"hello world"), Err(Error::Unknown(start)) if start == "hello wo")
        );
        assert!(matches!(
            decode(&whole[..whole.len() / 2]),
            Err(Error::Decode { kind: "PNG", .. })
        ));
        assert!(matches!(decode(b"\xff\xd8\xff\xe0junk"), Err(Error::Decode { kind: "JPEG", .. })));
    }

    #[test]
    fn a_header_that_claims_a_huge_film_is_refused() {
        let mut bytes = png(DynamicImage::new_luma8(8, 8));
        bytes[16..24].copy_from_slice(&[0x7f, 0, 0, 0, 0x7f, 0, 0, 0]);

        assert!(matches!(decode(&bytes), Err(Error::Decode { .. })));
    }

    #[test]
    fn a_rectangle_is_squeezed_to_a_square_and_a_mean_stays() {
        let pixels = (0..40).map(|i| if i % 10 < 5 { 0 } else { 200 }).collect();
        let plane = Plane { width: 10, height: 4, pixels };

        let small = resize(plane, 2, Filter::Box).unwrap();

        assert_eq!(small.pixels, [0, 200, 0, 200]);
    }
}

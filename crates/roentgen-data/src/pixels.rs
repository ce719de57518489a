//! Decodes PNG and JPEG files to a plane of 8-bit gray, and resizes planes.
//!
//! Some of NIH's films are RGBA with three equal channels and an opaque alpha channel; 16-bit films
//! are scaled to 8 bits over their whole range. The file type is detected from the content, not
//! from the name.

use std::fs;
use std::io::{self, Cursor};
use std::path::Path;

use fast_image_resize as fir;
use image::{DynamicImage, ImageFormat, ImageReader};
use serde::{Deserialize, Serialize};

/// The longest edge that is decoded, in pixels; a header that claims more is treated as hostile.
const MAX_EDGE: u32 = 16_384;
/// The memory limit for decoding one film, in bytes.
const MAX_BYTES: u64 = 2 << 30;

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
    /// The first bytes are those of neither a PNG nor a JPEG.
    #[error("the file is not a PNG or JPEG (it begins with `{0}`)")]
    Unknown(String),
    /// The image could not be decoded.
    #[error("the {kind} is broken or cut off: {source}")]
    Decode {
        /// PNG or JPEG.
        kind: &'static str,
        /// The decoder's error.
        source: image::ImageError,
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

/// Reads the size of a film, `[height, width]`, from its header alone.
///
/// # Errors
///
/// Returns an error if the header is not valid; the rest of the file is not read. See [`Error`].
pub fn size(path: &Path) -> Result<[u32; 2], Error> {
    use std::io::Read;
    let file = fs::File::open(path).map_err(Error::Read)?;
    let mut head = [0; 16];
    let mut start = file.take(16);
    let mut filled = 0;
    loop {
        match start.read(&mut head[filled..]).map_err(Error::Read)? {
            0 => break,
            read => filled += read,
        }
    }
    let (format, kind) = format(&head[..filled])?;
    let reader = io::BufReader::new(fs::File::open(path).map_err(Error::Read)?);
    let (width, height) = ImageReader::with_format(reader, format)
        .into_dimensions()
        .map_err(|source| Error::Decode { kind, source })?;
    Ok([height, width])
}

/// Reads and decodes a film.
///
/// # Errors
///
/// Returns an error if the file cannot be read or decoded. See [`Error`].
pub fn read(path: &Path) -> Result<Plane, Error> {
    decode(&fs::read(path).map_err(Error::Read)?)
}

/// Decodes the bytes of a PNG or JPEG file.
///
/// # Errors
///
/// Returns an error if the bytes cannot be decoded. See [`Error`].
pub fn decode(bytes: &[u8]) -> Result<Plane, Error> {
    let (format, kind) = format(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let image = reader.decode().map_err(|source| Error::Decode { kind, source })?;
    Ok(gray(image))
}

/// Resamples a plane to `size` x `size`; a plane that is not square is squeezed, as NIH's were.
///
/// # Errors
///
/// Returns an error if the plane has no pixels.
pub fn resize(plane: Plane, size: u32, filter: Filter) -> Result<Plane, Error> {
    if plane.width == size && plane.height == size {
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
    let mut target = fir::images::Image::new(size, size, fir::PixelType::U8);
    let kernel = match filter {
        Filter::Lanczos3 => fir::FilterType::Lanczos3,
        Filter::Bilinear => fir::FilterType::Bilinear,
        Filter::Box => fir::FilterType::Box,
    };
    let options = fir::ResizeOptions::new().resize_alg(fir::ResizeAlg::Convolution(kernel));
    fir::Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(Plane { width: size, height: size, pixels: target.into_vec() })
}

/// Encodes a plane as a gray PNG.
///
/// # Panics
///
/// Panics if the plane does not have `height * width` pixels.
pub fn to_png(plane: &Plane) -> Vec<u8> {
    png(&plane.pixels, plane.width, plane.height, image::ExtendedColorType::L8)
}

/// Encodes `height * width` pixels of red, green and blue as a PNG.
///
/// # Panics
///
/// Panics if there are not `3 * height * width` values.
pub fn rgb_to_png(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    png(pixels, width, height, image::ExtendedColorType::Rgb8)
}

fn png(pixels: &[u8], width: u32, height: u32, colour: image::ExtendedColorType) -> Vec<u8> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .expect("the number of pixels must match the size; writing to memory cannot fail");
    bytes
}

fn format(bytes: &[u8]) -> Result<(ImageFormat, &'static str), Error> {
    if bytes.is_empty() {
        Err(Error::Empty)
    } else if bytes.starts_with(b"\x89PNG") {
        Ok((ImageFormat::Png, "PNG"))
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Ok((ImageFormat::Jpeg, "JPEG"))
    } else {
        Err(Error::Unknown(bytes[..bytes.len().min(8)].escape_ascii().to_string()))
    }
}

fn gray(image: DynamicImage) -> Plane {
    let (width, height) = (image.width(), image.height());
    let pixels = match image {
        DynamicImage::ImageLuma8(gray) => gray.into_raw(),
        DynamicImage::ImageLumaA8(gray) => gray.pixels().map(|p| p.0[0]).collect(),
        DynamicImage::ImageLuma16(gray) => gray.pixels().map(|p| eight_bits(p.0[0])).collect(),
        DynamicImage::ImageLumaA16(gray) => gray.pixels().map(|p| eight_bits(p.0[0])).collect(),
        DynamicImage::ImageRgb8(rgb) => rgb.pixels().map(|p| luma(p.0)).collect(),
        DynamicImage::ImageRgba8(rgba) => {
            rgba.pixels().map(|p| luma([p.0[0], p.0[1], p.0[2]])).collect()
        }
        other => other.into_rgb16().pixels().map(|p| luma(p.0.map(eight_bits))).collect(),
    };
    Plane { width, height, pixels }
}

/// Scales 0..65535 to 0..255, rounded.
fn eight_bits(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Computes Rec. 601 luma; exact if the three are equal, as in NIH's RGBA films.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    if red == green && green == blue {
        return red;
    }
    ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000) as u8
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

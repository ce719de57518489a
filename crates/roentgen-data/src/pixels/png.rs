//! Decodes PNG row by row, so that a film takes the memory of its gray plane and no more.
//!
//! Colour profiles and texts are not unpacked: they do not matter, and a megabyte can become two
//! gigabytes. Interlaced films need all rows at once.

use std::io::{BufRead, Seek};

use ::png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use super::budget::{self, Loan};
use super::orientation::Orientation;
use super::{AboutFilm, DeepFilm, Error, Plane, check_edges, gray};

/// Bytes for the decoder's own buffers: a few rows and 32 KiB to unpack.
const BUFFERS: usize = 16 << 20;

/// A decoder that has read what precedes the pixels.
pub(super) struct Reader<R: BufRead + Seek> {
    reader: ::png::Reader<R>,
}

fn failed(error: ::png::DecodingError) -> Error {
    Error::Decode { kind: "PNG", what: error.to_string() }
}

fn decoder<R: BufRead + Seek>(file: R) -> Decoder<R> {
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: BUFFERS });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    decoder
}

/// Reads `[height, width]`.
pub(super) fn size(file: impl BufRead + Seek) -> Result<[u32; 2], Error> {
    let mut decoder = decoder(file);
    let info = decoder.read_header_info().map_err(failed)?;
    Ok([info.height, info.width])
}

/// Reads orientation and `[height, width]`, and goes back to the start of the file.
fn shape(mut file: impl BufRead + Seek) -> Result<(Orientation, [u32; 2]), Error> {
    let orientation = Orientation::from_png(&mut file).map_err(Error::Read)?;
    file.rewind().map_err(Error::Read)?;
    let [height, width] = size(&mut file)?;
    check_edges(width, height)?;
    file.rewind().map_err(Error::Read)?;
    Ok((orientation, [height, width]))
}

/// Decodes a film; the loan covers the memory of the plane.
pub(super) fn decode(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    let (orientation, [height, width]) = shape(&mut file)?;
    let reader = Reader::new(&mut file)?;
    let plane = u64::from(width) * u64::from(height);
    let planes = if orientation.exchanges_axes() { 2 } else { 1 };
    let loan = budget::borrow(reader.bytes().saturating_add(planes * plane))?;
    let pixels = if reader.is_deep() {
        let bits = reader.bits_used(&loan)?;
        file.rewind().map_err(Error::Read)?;
        Reader::new(file)?.pixels(bits, &loan)?
    } else {
        reader.pixels(8, &loan)?
    };
    Ok((orientation.apply(Plane { width, height, pixels }), loan))
}

/// Decodes a film whose gray has 16 bits; `None` for other films, of which 8-bit gray is all.
pub(super) fn deep(
    mut file: impl BufRead + Seek,
) -> Result<Option<(DeepFilm, Loan<'static>)>, Error> {
    let (orientation, [height, width]) = shape(&mut file)?;
    let reader = Reader::new(&mut file)?;
    if !reader.is_deep() || !reader.is_gray() {
        return Ok(None);
    }
    let plane = 2 * u64::from(width) * u64::from(height);
    let planes = if orientation.exchanges_axes() { 2 } else { 1 };
    let loan = budget::borrow(reader.bytes().saturating_add(planes * plane))?;
    let bits = reader.bits_used(&loan)?;
    file.rewind().map_err(Error::Read)?;
    let samples = Reader::new(file)?.samples(&loan)?;
    let ([width, height], samples) = orientation.turn([width, height], samples);
    Ok(Some((DeepFilm { width, height, samples, about: AboutFilm::of_bits(bits) }, loan)))
}

impl<R: BufRead + Seek> Reader<R> {
    pub(super) fn new(file: R) -> Result<Self, Error> {
        Ok(Self { reader: decoder(file).read_info().map_err(failed)? })
    }

    /// Returns the bytes needed to decode, in addition to the gray plane.
    pub(super) fn bytes(&self) -> u64 {
        let row = self.reader.output_line_size(self.reader.info().width);
        let all = self.reader.output_buffer_size();
        let bytes = if self.reader.info().interlaced { all } else { row.map(|row| 4 * row) };
        bytes.map_or(u64::MAX, |bytes| bytes as u64)
    }

    /// Whether samples have 16 bits.
    pub(super) fn is_deep(&self) -> bool {
        self.reader.output_color_type().1 == BitDepth::Sixteen
    }

    fn is_gray(&self) -> bool {
        matches!(
            self.reader.output_color_type().0,
            ColorType::Grayscale | ColorType::GrayscaleAlpha
        )
    }

    /// Reads rows until it is known how many bits the samples of a deep film use.
    pub(super) fn bits_used(mut self, _loan: &Loan<'_>) -> Result<u32, Error> {
        let (color, _) = self.reader.output_color_type();
        let samples = color.samples();
        // The last one is not seen.
        let shown = if matches!(color, ColorType::GrayscaleAlpha | ColorType::Rgba) {
            samples - 1
        } else {
            samples
        };
        let mut largest = 0;
        while let Some(row) = self.reader.next_row().map_err(failed)? {
            for pixel in row.data().chunks_exact(2 * samples) {
                let samples = pixel[..2 * shown].as_chunks().0;
                largest = samples
                    .iter()
                    .fold(largest, |most, &sample| most.max(u16::from_be_bytes(sample)));
            }
            if gray::bits_used(largest) == 16 {
                break;
            }
        }
        Ok(gray::bits_used(largest))
    }

    /// Decodes all rows to gray; `bits` are those that samples of 16 bits use.
    pub(super) fn pixels(self, bits: u32, _loan: &Loan<'_>) -> Result<Vec<u8>, Error> {
        let kind = self.reader.output_color_type();
        self.rows(|pixels, row| append(pixels, row, kind, bits))
    }

    /// Decodes all rows of gray with 16 bits.
    fn samples(self, _loan: &Loan<'_>) -> Result<Vec<u16>, Error> {
        let bytes = 2 * self.reader.output_color_type().0.samples();
        self.rows(|samples, row| {
            let firsts = row.chunks_exact(bytes).map(|pixel| [pixel[0], pixel[1]]);
            samples.extend(firsts.map(u16::from_be_bytes));
        })
    }

    /// Decodes all rows; `append` adds the pixels of some of them.
    fn rows<T>(mut self, append: impl Fn(&mut Vec<T>, &[u8])) -> Result<Vec<T>, Error> {
        let info = self.reader.info();
        let (width, height) = (info.width as usize, info.height as usize);
        let is_interlaced = info.interlaced;
        let mut pixels = Vec::with_capacity(width * height);
        if is_interlaced {
            let bytes = self.reader.output_buffer_size().unwrap_or(0);
            let mut all = vec![0; bytes];
            let frame = self.reader.next_frame(&mut all).map_err(failed)?;
            append(&mut pixels, &all[..frame.buffer_size()]);
        } else {
            while let Some(row) = self.reader.next_row().map_err(failed)? {
                append(&mut pixels, row.data());
            }
        }
        // The checksum of the last piece and the end of the file follow.
        self.reader.finish().map_err(failed)?;
        if pixels.len() != width * height {
            let what = format!("it has {} of {} pixels", pixels.len(), width * height);
            return Err(Error::Decode { kind: "PNG", what });
        }
        Ok(pixels)
    }
}

fn append(pixels: &mut Vec<u8>, row: &[u8], (color, depth): (ColorType, BitDepth), bits: u32) {
    let channels = color.samples();
    if depth == BitDepth::Sixteen {
        let eight =
            |sample: &[u8]| gray::eight_bits(u16::from_be_bytes([sample[0], sample[1]]), bits);
        match color {
            ColorType::Rgb | ColorType::Rgba => pixels.extend(
                row.chunks_exact(2 * channels)
                    .map(|p| gray::luma([eight(&p[..2]), eight(&p[2..4]), eight(&p[4..6])])),
            ),
            _ => pixels.extend(row.chunks_exact(2 * channels).map(eight)),
        }
        return;
    }
    match color {
        ColorType::Rgb | ColorType::Rgba => {
            pixels.extend(row.chunks_exact(channels).map(|p| gray::luma([p[0], p[1], p[2]])));
        }
        ColorType::GrayscaleAlpha => pixels.extend(row.chunks_exact(2).map(|p| p[0])),
        // A palette has become colours.
        ColorType::Grayscale | ColorType::Indexed => pixels.extend_from_slice(row),
    }
}

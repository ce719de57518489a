//! Decodes PNG, JPEG and DICOM files to a plane of 8-bit gray, and resizes planes.
//!
//! Some of NIH's films are RGBA with three equal channels and an opaque alpha channel; 16-bit films
//! are scaled to 8 bits from the bits that they use. The file type is detected from the content, not
//! from the name. A picture with an EXIF orientation is turned upright, as viewers show it.

mod budget;
mod deep;
#[cfg(feature = "dicom")]
mod dicom;
mod encode;
mod error;
mod gray;
mod jpeg;
mod lut;
mod orientation;
mod png;
mod resize;
#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

use self::budget::Loan;
use self::orientation::Orientation;
use crate::archive;
use crate::files;
use crate::kind::Kind;

pub use deep::{AboutFilm, DeepFilm, MeasuredAt, Spacing};
pub use encode::{rgb_to_png, to_png};
pub use error::Error;
pub use lut::{Lut, Modality, Voi, Window};
pub use resize::{fit, resize};
pub use roentgen_resample::Filter;

/// The longest edge that is decoded, in pixels; a header that claims more is treated as hostile.
const MAX_EDGE: u32 = 16_384;
/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

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

/// What the header of a DICOM file says that its picture shows, in capitals; empty if it does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Modality (0008,0060), such as `DX`.
    pub modality: String,
    /// Body Part Examined (0018,0015), such as `CHEST`.
    pub body_part: String,
    /// View Position (0018,5101), such as `PA`; if it is absent, Patient Position (0018,5100), where
    /// some files have it.
    pub view: String,
}

/// A film's file, opened once for its header and its pixels: a file inside an archive is unpacked for
/// that.
pub struct FilmFile<R = BufReader<std::fs::File>>(R);

impl FilmFile {
    /// Opens a file, or a file inside an archive.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not a file or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Error> {
        open(path).map(Self)
    }
}

impl<'a> FilmFile<Cursor<&'a [u8]>> {
    /// Takes the bytes of a file that is in memory.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(Cursor::new(bytes))
    }
}

impl<R: BufRead + Seek> FilmFile<R> {
    /// Reads what a DICOM file says that its picture shows; `None` for files of other kinds.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no valid header. See [`Error`].
    pub fn subject(&mut self) -> Result<Option<Subject>, Error> {
        match kind(self.0.fill_buf().map_err(Error::Read)?)? {
            #[cfg(feature = "dicom")]
            Kind::Dicom => {
                let subject = dicom::subject(&mut self.0);
                self.0.rewind().map_err(Error::Read)?;
                subject.map(Some)
            }
            Kind::Png | Kind::Jpeg => Ok(None),
        }
    }

    /// Reads the elements of a DICOM file that precede its pixels; `None` for files of other kinds.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no valid header. See [`Error`].
    #[cfg(feature = "dicom")]
    pub fn header(&mut self) -> Result<Option<dicom_object::InMemDicomObject>, Error> {
        match kind(self.0.fill_buf().map_err(Error::Read)?)? {
            Kind::Dicom => {
                let header = dicom::elements(&mut self.0);
                self.0.rewind().map_err(Error::Read)?;
                header.map(Some)
            }
            Kind::Png | Kind::Jpeg => Ok(None),
        }
    }

    /// Reads the size of the film, `[height, width]`, upright, without decoding it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no valid header. See [`Error`].
    pub fn size(&mut self) -> Result<[u32; 2], Error> {
        let file = &mut self.0;
        let ([height, width], orientation) = match kind(file.fill_buf().map_err(Error::Read)?)? {
            Kind::Png => {
                let size = png::size(&mut *file)?;
                (size, Orientation::from_png(&mut *file).map_err(Error::Read)?)
            }
            Kind::Jpeg => {
                let header = jpeg::read_header(&mut *file)?;
                ([header.height, header.width], header.orientation)
            }
            #[cfg(feature = "dicom")]
            Kind::Dicom => (dicom::size(&mut *file)?, Orientation::Upright),
        };
        file.rewind().map_err(Error::Read)?;
        check_edges(width, height)?;
        Ok(if orientation.exchanges_axes() { [width, height] } else { [height, width] })
    }

    /// Decodes the film, as [`read`] does.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be decoded. See [`Error`].
    pub fn read(self) -> Result<Plane, Error> {
        decode_from(self.0).map(|(plane, _)| plane)
    }

    /// Decodes the film at the depth of its file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be decoded. See [`Error`].
    pub fn read_deep(mut self) -> Result<DeepFilm, Error> {
        match kind(self.0.fill_buf().map_err(Error::Read)?)? {
            #[cfg(feature = "dicom")]
            Kind::Dicom => return dicom::deep(self.0).map(|(film, _)| film),
            Kind::Png => {
                if let Some((film, _loan)) = png::deep(&mut self.0)? {
                    return Ok(film);
                }
                self.0.rewind().map_err(Error::Read)?;
            }
            Kind::Jpeg => {}
        }
        let (plane, _loan) = decode_from(self.0)?;
        Ok(plane.into())
    }

    /// Decodes and resamples the film, as [`read_resized`] does.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be decoded. See [`Error`].
    pub fn read_resized(self, size: u32, filter: Filter) -> Result<Plane, Error> {
        let (plane, _loan) = decode_from(self.0)?;
        resize(plane, size, filter)
    }
}

/// Reads the size of a film, `[height, width]`, upright, without decoding it.
///
/// # Errors
///
/// Returns an error if the file is not a file or has no valid header. See [`Error`].
pub fn size(path: &Path) -> Result<[u32; 2], Error> {
    FilmFile::open(path)?.size()
}

/// Reads and decodes a film.
///
/// # Errors
///
/// Returns an error if the file is not a file or cannot be read or decoded. See [`Error`].
pub fn read(path: &Path) -> Result<Plane, Error> {
    FilmFile::open(path)?.read()
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
    FilmFile::open(path)?.read_resized(size, filter)
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
    let file = match files::open_at_most(path, MAX_FILE) {
        Err(_) if archive::is_inside(path) => archive::open(path),
        file => file,
    };
    let mut file = BufReader::new(file.map_err(Error::Read)?);
    // Whatever a film is called, its content says what it is.
    if let Some(reason) = archive::damage(path)
        && Kind::of(file.fill_buf().map_err(Error::Read)?).is_none()
    {
        return Err(Error::Archive(reason));
    }
    Ok(file)
}

/// Decodes a film; the loan covers the memory of the plane.
fn decode_from(mut file: impl BufRead + Seek) -> Result<(Plane, Loan<'static>), Error> {
    match kind(file.fill_buf().map_err(Error::Read)?)? {
        Kind::Png => png::decode(file),
        Kind::Jpeg => jpeg::decode(file),
        #[cfg(feature = "dicom")]
        Kind::Dicom => dicom::decode(file),
    }
}

fn check_edges(width: u32, height: u32) -> Result<(), Error> {
    if width > MAX_EDGE || height > MAX_EDGE {
        return Err(Error::TooLarge { width, height });
    }
    Ok(())
}

/// Tells what a file is by its first bytes.
fn kind(bytes: &[u8]) -> Result<Kind, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    let start = &bytes[..bytes.len().min(8)];
    Kind::of(bytes).ok_or_else(|| Error::Unknown(start.escape_ascii().to_string()))
}

/// Whether a file is in DICOM, by its content; `false` if it cannot be read.
pub fn is_dicom(path: &Path) -> bool {
    open(path).is_ok_and(|mut file| file.fill_buf().is_ok_and(Kind::is_dicom))
}

//! Reads films as a network and a person see them, through the input gate.

use std::io::{self, BufRead, Seek};

use dicom_object::InMemDicomObject;
use roentgen_data::gate::{self, Objection, Position};
use roentgen_data::pixels::{self, FilmFile, Filter, Plane};
use roentgen_dicom::has_burned_in_text;

use super::{Place, SourceFilm, Sources};

/// What happens to files that do not look like upright frontal chest films. Rows of prepared data
/// sets always pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// They are refused.
    Refuse,
    /// Films that are turned or inverted, but not both, are corrected; the others are refused.
    Fix,
    /// They pass.
    Off,
}

/// Why a film is not used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Pixels(#[from] pixels::Error),
    /// The input gate refuses it.
    #[error("refused by the input gate: {0}{advice}", advice = advice(.0))]
    Gate(Objection),
    /// It is to be drawn without saying whose film it is, but has text in its picture.
    #[error(
        "its header says that text is burned into the picture (Burned In Annotation), which \
         `--de-identify` cannot remove; its picture is not written"
    )]
    BurnedIn,
}

fn advice(objection: &Objection) -> &'static str {
    match objection {
        Objection::Position(position) if position.is_one_fault() => {
            "; `--fix` corrects it, `--no-gate` takes it as it is"
        }
        _ => "; `--no-gate` takes it as it is",
    }
}

/// A film in its own size and in that of the network.
pub struct ReadFilm {
    /// In the size of the file, or of the prepared data set.
    pub own: Plane,
    /// `size * size` pixels, row by row.
    pub input: Vec<u8>,
    /// What was corrected in both.
    pub correction: Option<Position>,
}

impl Sources {
    /// Reads a film at `size` x `size`, row by row; also returns what was corrected.
    ///
    /// # Errors
    ///
    /// Returns an error if the film cannot be decoded, or if the input gate refuses it.
    pub fn input(
        &self,
        film: &SourceFilm,
        size: usize,
    ) -> Result<(Vec<u8>, Option<Position>), Error> {
        match &film.place {
            Place::Row(prepared, row) => Ok((self.row(*prepared, *row)?, None)),
            Place::File(path) => self.gate.input(FilmFile::open(path)?, size),
        }
    }

    /// Reads a film in its own size and at `size` x `size`.
    ///
    /// # Errors
    ///
    /// Returns an error if the film cannot be decoded, or if the input gate refuses it.
    pub fn read(&self, film: &SourceFilm, size: usize) -> Result<ReadFilm, Error> {
        match &film.place {
            Place::Row(prepared, row) => {
                let size = self.prepared[*prepared].store.size() as u32;
                let input = self.row(*prepared, *row)?;
                Ok(ReadFilm {
                    own: Plane { width: size, height: size, pixels: input.clone() },
                    input,
                    correction: None,
                })
            }
            Place::File(path) => {
                let mut file = FilmFile::open(path)?;
                if self.is_de_identified
                    && file.header()?.is_some_and(|header| has_burned_in_text(&header))
                {
                    return Err(Error::BurnedIn);
                }
                self.gate.whole(file, size)
            }
        }
    }

    /// Reads the elements of a DICOM file that precede its pixels; `None` for other films.
    ///
    /// # Errors
    ///
    /// Returns an error if the file has no valid header.
    pub(crate) fn header(
        &self,
        film: &SourceFilm,
    ) -> Result<Option<InMemDicomObject>, pixels::Error> {
        match &film.place {
            Place::Row(..) => Ok(None),
            Place::File(path) => FilmFile::open(path)?.header(),
        }
    }

    fn row(&self, prepared: usize, row: usize) -> Result<Vec<u8>, pixels::Error> {
        let plane = self.prepared[prepared].store.plane(row);
        plane.map_err(|error| pixels::Error::Read(io::Error::other(error)))
    }
}

impl Gate {
    /// Reads a film's file at `size` x `size`, row by row; also returns what was corrected.
    ///
    /// # Errors
    ///
    /// Returns an error if the film cannot be decoded, or if the gate refuses it.
    pub(crate) fn input<R: BufRead + Seek>(
        self,
        file: FilmFile<R>,
        size: usize,
    ) -> Result<(Vec<u8>, Option<Position>), Error> {
        self.plane(self.header(file)?.read_resized(size as u32, Filter::Lanczos3)?, size)
    }

    /// Reads a film's file in its own size and at `size` x `size`.
    ///
    /// # Errors
    ///
    /// Returns an error if the film cannot be decoded, or if the gate refuses it.
    pub(crate) fn whole<R: BufRead + Seek>(
        self,
        file: FilmFile<R>,
        size: usize,
    ) -> Result<ReadFilm, Error> {
        let own = self.header(file)?.read()?;
        let input = pixels::resize(own.clone(), size as u32, Filter::Lanczos3)?;
        let correction = self.correction(&input)?;
        Ok(ReadFilm {
            own: correct(own, correction),
            input: correct(input, correction).pixels,
            correction,
        })
    }

    /// Takes a decoded picture at `size` x `size`, row by row; also returns what was corrected.
    ///
    /// # Errors
    ///
    /// Returns an error if the picture has no pixels, or if the gate refuses it.
    pub(crate) fn plane(
        self,
        plane: Plane,
        size: usize,
    ) -> Result<(Vec<u8>, Option<Position>), Error> {
        let plane = pixels::resize(plane, size as u32, Filter::Lanczos3)?;
        let correction = self.correction(&plane)?;
        Ok((correct(plane, correction).pixels, correction))
    }

    /// Returns the file if the gate does not object to its header.
    fn header<R: BufRead + Seek>(self, mut file: FilmFile<R>) -> Result<FilmFile<R>, Error> {
        if self != Self::Off {
            gate::check_header(&mut file).map_err(Error::Gate)?;
        }
        Ok(file)
    }

    /// Returns what to correct in a picture, if anything.
    fn correction(self, plane: &Plane) -> Result<Option<Position>, Error> {
        if self == Self::Off {
            return Ok(None);
        }
        match gate::check_picture(plane) {
            Ok(()) => Ok(None),
            Err(Objection::Position(position)) if self == Self::Fix && position.is_one_fault() => {
                Ok(Some(position))
            }
            Err(objection) => Err(Error::Gate(objection)),
        }
    }
}

fn correct(plane: Plane, correction: Option<Position>) -> Plane {
    match correction {
        Some(position) => position.corrected(plane),
        None => plane,
    }
}

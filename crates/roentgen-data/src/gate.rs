//! The input gate: whether a file is an upright frontal chest film, or the reason why it is not.
//!
//! A network gives a probability for any picture. The gate refuses what no probability should be
//! given for: other modalities and body parts and lateral views by the header of a DICOM file
//! ([`check_header`]), and blank, saturated, turned or inverted pictures and pictures of something
//! else by their pixels ([`check_picture`]). What the checks find, and how often they are wrong, is in
//! `docs/gate.md`.

mod eigenfilms;
mod header;
mod picture;
#[cfg(test)]
mod tests;

use std::fmt;

pub use header::check_header;
pub use picture::check_picture;

use crate::pixels::Plane;

/// Why a film gets no probabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objection {
    /// The header says that it is something else.
    Header(String),
    /// The picture has hardly any contrast.
    Blank,
    /// Most of the picture has one gray value.
    Saturated,
    /// The picture is a chest film in another position.
    Position(Position),
    /// The picture does not look like a frontal chest film.
    NotAChestFilm,
}

/// What has to be done to a picture to see an upright film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Quarter turns counterclockwise, 0 to 3.
    pub quarter_turns: u8,
    /// Whether black and white have to be exchanged.
    pub is_inverted: bool,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(reason) => f.write_str(reason),
            Self::Blank => f.write_str("the picture is blank"),
            Self::Saturated => f.write_str("most of the picture has one gray value"),
            Self::Position(position) => write!(f, "the film is {position}"),
            Self::NotAChestFilm => {
                f.write_str("the picture does not look like a frontal chest film")
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turned = match self.quarter_turns {
            0 => "",
            1 => "turned by 90 degrees clockwise",
            2 => "upside down",
            _ => "turned by 90 degrees counterclockwise",
        };
        match (self.is_inverted, turned) {
            (true, "") => f.write_str("inverted (black and white exchanged)"),
            (true, turned) => write!(f, "inverted (black and white exchanged) and {turned}"),
            (false, turned) => f.write_str(turned),
        }
    }
}

impl Position {
    /// Returns whether the film is either turned or inverted. Films that are both hardly occur, and
    /// most pictures that look so are something else.
    #[must_use]
    pub fn is_one_fault(self) -> bool {
        !(self.is_inverted && self.quarter_turns > 0)
    }

    /// Returns the picture upright, with bones white.
    #[must_use]
    pub fn corrected(self, plane: Plane) -> Plane {
        let mut plane = plane;
        for _ in 0..self.quarter_turns {
            plane = rotate_counterclockwise(&plane);
        }
        if self.is_inverted {
            for pixel in &mut plane.pixels {
                *pixel = u8::MAX - *pixel;
            }
        }
        plane
    }
}

/// Returns the picture turned by 90 degrees counterclockwise.
fn rotate_counterclockwise(plane: &Plane) -> Plane {
    let (width, height) = (plane.width as usize, plane.height as usize);
    let pixels = (0..width)
        .rev()
        .flat_map(|column| (0..height).map(move |row| plane.pixels[row * width + column]))
        .collect();
    Plane { width: plane.height, height: plane.width, pixels }
}

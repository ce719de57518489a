//! `BBox_List_2017.csv`: bounding boxes drawn by radiologists, one box per row.
//!
//! Boxes are given in the 1024-pixel frame of NIH's PNGs, whatever the size of the file on disk.
//! The header is odd (`Bbox [x,y,w,h],,,`), and Infiltration is called `Infiltrate`.

use std::path::{Path, PathBuf};

use crate::cut::LastRow;
use crate::files;
use crate::finding::{Finding, UnknownFinding};

/// The longest box list that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Edge of the frame in which boxes are given, in pixels.
pub const FRAME: f64 = 1024.0;

/// A box around a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingBox {
    /// The film's file name.
    pub image: String,
    /// The finding that the box surrounds.
    pub finding: Finding,
    /// Left edge in the 1024-pixel frame.
    pub x: f64,
    /// Upper edge in the 1024-pixel frame.
    pub y: f64,
    /// Width in the 1024-pixel frame.
    pub width: f64,
    /// Height in the 1024-pixel frame.
    pub height: f64,
}

/// Why a box list could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or is not a CSV file.
    #[error("could not read the box list `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: csv::Error,
    },
    /// A row is not `image, finding, x, y, w, h`.
    #[error("line {line} of the box list `{path}` is not `image,finding,x,y,w,h`")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The last row was cut off.
    #[error("line {line} of the box list `{path}` was cut off; copy or download the file again")]
    Cut {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// A finding is not one of the fourteen.
    #[error("could not read the finding on line {line} of the box list `{path}`")]
    Finding {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The name.
        source: UnknownFinding,
    },
}

/// Reads a box list.
///
/// # Errors
///
/// Returns an error if the file cannot be read, or if a row is not a box or names an unknown
/// finding; the error has the line.
pub fn read(path: &Path) -> Result<Vec<FindingBox>, Error> {
    let failed = |source: csv::Error| Error::Read { path: path.to_owned(), source };
    let bytes = files::read_at_most(path, MAX_BYTES).map_err(|error| failed(error.into()))?;
    let mut last = LastRow::of(&bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&bytes[..]);
    let mut boxes = Vec::new();
    for row in reader.records() {
        let row = row.map_err(failed)?;
        // Spreadsheets keep rows whose cells were cleared.
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = row.position().map_or(0, csv::Position::line);
        last.see(row.len(), line);
        let bad = || Error::Row { path: path.to_owned(), line };
        let cell = |index: usize| row.get(index).map(str::trim).ok_or_else(bad);
        let number = |index: usize| cell(index)?.parse::<f64>().map_err(|_| bad());
        let [x, y, width, height] = [number(2)?, number(3)?, number(4)?, number(5)?];
        if ![x, y, width, height].iter().all(|value| value.is_finite() && *value >= 0.0) {
            return Err(bad());
        }
        let finding = Finding::from_box_name(cell(1)?).map_err(|source| Error::Finding {
            path: path.to_owned(),
            line,
            source,
        })?;
        boxes.push(FindingBox { image: cell(0)?.to_owned(), finding, x, y, width, height });
    }
    match last.cut() {
        Some(line) => Err(Error::Cut { path: path.to_owned(), line }),
        None => Ok(boxes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<FindingBox>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("BBox_List_2017.csv");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn the_odd_header_and_the_odd_name_are_read() {
        let boxes = read_text(
            "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00013118_008.png,Infiltrate,225.5,547,86,79\n",
        )
        .unwrap();

        assert_eq!(boxes[0].finding, Finding::Infiltration);
        assert_eq!(
            [boxes[0].x, boxes[0].y, boxes[0].width, boxes[0].height],
            [225.5, 547., 86., 79.]
        );
    }

    #[test]
    fn a_short_row_is_named_with_its_line() {
        let error = read_text("Image Index,Finding Label,Bbox [x,y,w,h],,,\na.png,Mass,1,2\n");

        assert!(matches!(error, Err(Error::Row { line: 2, .. })));
    }

    #[test]
    fn a_height_that_was_cut_off_is_refused() {
        let row = "a.png,Mass,225.5,547,86.7,79.1,,,\n";
        let whole = format!("Image Index,Finding Label,Bbox [x,y,w,h],,,\n{row}{row}");
        assert_eq!(read_text(&whole).unwrap().len(), 2);
        assert_eq!(read_text(whole.trim_end()).unwrap().len(), 2);

        for end in [",,,\n", "9.1,,,\n", "79.1,,,\n"] {
            let error = read_text(whole.strip_suffix(end).unwrap()).unwrap_err();
            assert!(matches!(error, Error::Cut { line: 3, .. } | Error::Row { line: 3, .. }));
        }
    }

    #[test]
    fn cleared_rows_are_passed_over() {
        let boxes = read_text("Image Index,,,,,\n,,,,,\na.png,Mass,1,2,3,4\n , ,,,,\n").unwrap();

        assert_eq!(boxes.len(), 1);
    }
}

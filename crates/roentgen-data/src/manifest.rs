//! `manifest.csv`: the films of a prepared data set, one film per row, in the order of their
//! pixels.
//!
//! Row `i` describes plane `i` of `images.safetensors`; a film that could not be read is in
//! neither.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, WriteError};
use crate::finding::{FilmFindings, Finding, UnknownFinding};
use crate::metadata::LabeledFilm;

/// The longest manifest that is read, in bytes; that of ChestX-ray14 has 9 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The list of the data set's own split that a film is on.
///
/// NIH publishes two lists and leaves it to the reader to cut a validation set from the first;
/// other data sets publish all three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// `train_val_list.txt`
    TrainVal,
    /// `test_list.txt`, or the test list of a data set that publishes all three.
    Test,
    /// The training list of a data set that publishes all three.
    Train,
    /// The validation list of a data set that publishes all three.
    Valid,
}

/// One film of a prepared data set.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestRow {
    /// File name.
    pub image: String,
    /// The patient's number.
    pub patient: u32,
    /// 0 for a patient's first film.
    pub follow_up: u32,
    /// Age in years, as in the label file.
    pub age: Option<u32>,
    /// `M` or `F`.
    pub sex: String,
    /// `PA` or `AP`.
    pub view: String,
    /// Findings on the film.
    pub findings: FilmFindings,
    /// Its list in the data set's own split, if any.
    pub list: Option<List>,
    /// `[height, width]` of the file on disk, in pixels.
    pub file_size: [u32; 2],
}

impl ManifestRow {
    /// Makes the row of a film in the label file, given its official list and the `[height, width]`
    /// of its file.
    pub fn of(film: &LabeledFilm, list: Option<List>, file_size: [u32; 2]) -> Self {
        Self {
            image: film.image.clone(),
            patient: film.patient,
            follow_up: film.follow_up,
            age: film.age,
            sex: film.sex.clone(),
            view: film.view.clone(),
            findings: film.findings,
            list,
            file_size,
        }
    }
}

/// A row as written in the file.
#[derive(Serialize, Deserialize)]
struct CsvRow {
    image: String,
    patient: u32,
    follow_up: u32,
    age: Option<u32>,
    sex: String,
    view: String,
    findings: String,
    list: Option<List>,
    file_height: u32,
    file_width: u32,
}

/// Why a manifest could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or is not a manifest.
    #[error("could not read the manifest `{path}`; run `roentgen prepare` to write it")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: csv::Error,
    },
    /// A finding is not one of the fourteen.
    #[error("could not read the findings of `{image}` in the manifest `{path}`")]
    Finding {
        /// The file.
        path: PathBuf,
        /// The film.
        image: String,
        /// The name.
        source: UnknownFinding,
    },
}

/// Reads a manifest.
///
/// # Errors
///
/// Returns an error if the file cannot be read or is not a manifest; the error has the line.
pub fn read(path: &Path) -> Result<Vec<ManifestRow>, Error> {
    parse(path, &bytes(path)?)
}

/// Reads the bytes of a manifest.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    files::read_at_most(path, MAX_BYTES)
        .map_err(|source| Error::Read { path: path.to_owned(), source: source.into() })
}

/// Parses the bytes of the manifest at `path`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<ManifestRow>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut reader = csv::Reader::from_reader(bytes);
    let mut rows = Vec::new();
    for line in reader.deserialize() {
        let line: CsvRow = line.map_err(failed)?;
        let findings = FilmFindings::parse(&line.findings).map_err(|source| Error::Finding {
            path: path.to_owned(),
            image: line.image.clone(),
            source,
        })?;
        rows.push(ManifestRow {
            image: line.image,
            patient: line.patient,
            follow_up: line.follow_up,
            age: line.age,
            sex: line.sex,
            view: line.view,
            findings,
            list: line.list,
            file_size: [line.file_height, line.file_width],
        });
    }
    Ok(rows)
}

/// Writes a manifest completely or not at all.
///
/// # Errors
///
/// Returns an error if the file cannot be written.
pub fn write(path: &Path, rows: &[ManifestRow]) -> Result<(), WriteError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |source: csv::Error| WriteError { path: path.to_owned(), source: source.into() };
    for row in rows {
        writer
            .serialize(CsvRow {
                image: row.image.clone(),
                patient: row.patient,
                follow_up: row.follow_up,
                age: row.age,
                sex: row.sex.clone(),
                view: row.view.clone(),
                findings: row.findings.to_string(),
                list: row.list,
                file_height: row.file_size[0],
                file_width: row.file_size[1],
            })
            .map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.into_error().into()))?;
    files::write_whole(path, &bytes)
}

/// Counts the films that show each finding, in the order of [`Finding::ALL`].
pub fn counts<'a>(rows: impl IntoIterator<Item = &'a ManifestRow>) -> [usize; 14] {
    let mut counts = [0; 14];
    for row in rows {
        for finding in row.findings.iter() {
            counts[finding as usize] += 1;
        }
    }
    counts
}

/// Returns the findings on more than `films` films; 1000 gives the 2019 study's thirteen.
pub fn findings_over(rows: &[ManifestRow], films: usize) -> Vec<Finding> {
    let counts = counts(rows);
    Finding::ALL.into_iter().filter(|&finding| counts[finding as usize] > films).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.csv");
        let row = ManifestRow {
            image: "odd, \"name\".png".into(),
            patient: 7,
            follow_up: 2,
            age: None,
            sex: "F".into(),
            view: "AP".into(),
            findings: FilmFindings::parse("Mass|Pleural_Thickening").unwrap(),
            list: Some(List::TrainVal),
            file_size: [768, 1024],
        };
        let normal =
            ManifestRow { findings: FilmFindings::NONE, list: None, age: Some(40), ..row.clone() };

        write(&path, &[row.clone(), normal.clone()]).unwrap();

        assert_eq!(read(&path).unwrap(), [row, normal]);
    }
}

//! The label file `Data_Entry_2017*.csv`, as typed rows.
//!
//! Two files of that name are in circulation. They differ in the header (2017 ends each row with an
//! empty column), in the ages (2017 has ages up to 414, and its first form writes `058Y` and
//! `011M`) and in the labels; [`Version`] tells them apart by counts. In the 2020 file as published
//! by the NIH Clinical Center a column is called `Patient Sex`; all other files, and copies of this
//! one, call it `Patient Gender`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::finding::{FilmFindings, Finding, UnknownFinding};

/// One row: one film.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// File name, such as `00000001_000.png`.
    pub image: String,
    /// Findings, mined from the report.
    pub findings: FilmFindings,
    /// 0 for a patient's first film.
    pub follow_up: u32,
    /// The patient's number.
    pub patient: u32,
    /// Age in years as in the file; a value above 100 is often a typing error. `None` if the column
    /// is empty.
    pub age: Option<u32>,
    /// `M` or `F`.
    pub sex: String,
    /// `PA` (standing, beam from behind) or `AP` (often in bed).
    pub view: String,
}

/// A label file.
#[derive(Clone, Debug)]
pub struct LabelFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Films in the order of the file; each name occurs once.
    pub films: Vec<Film>,
}

/// Why a label file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or is not a CSV file.
    #[error("could not read the label file `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: csv::Error,
    },
    /// A column is missing.
    #[error(
        "the label file `{path}` has no column `{column}` (its columns are {found}); is it NIH's \
         `Data_Entry_2017*.csv`?"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
        /// The columns that are present.
        found: String,
    },
    /// A finding is not one of the fourteen.
    #[error("could not read the findings on line {line} of the label file `{path}`")]
    Finding {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The name.
        source: UnknownFinding,
    },
    /// A value is not a number.
    #[error("`{column}` is `{value}`, not a number, on line {line} of the label file `{path}`")]
    Number {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A film is listed twice.
    #[error(
        "line {line} of the label file `{path}` lists `{image}` again (first on line {first}); \
         remove one of the two"
    )]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The second line.
        line: u64,
        /// The first line.
        first: u64,
        /// The film.
        image: String,
    },
    /// The file has no rows.
    #[error("the label file `{path}` lists no films")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Which of the label files in circulation this is, judged by the counts of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 11,559 Atelectasis and 1,431 Pneumonia: the file `Data_Entry_2017_v2020.csv`, and the copy
    /// on Kaggle that the 2019 study used.
    V2020,
    /// 11,535 Atelectasis and 1,353 Pneumonia: the counts of the paper's table 16.
    Paper,
    /// Neither: an excerpt of a file, or other labels.
    Other,
}

impl Version {
    /// Describes the version in words.
    pub fn text(self) -> &'static str {
        match self {
            Version::V2020 => "the 2020 label file (11,559 Atelectasis, 1,431 Pneumonia)",
            Version::Paper => "the paper's label file (11,535 Atelectasis, 1,353 Pneumonia)",
            Version::Other => "neither of the two whole label files, by its counts",
        }
    }
}

impl LabelFile {
    /// Reads a label file with the 2017 or the v2020 header.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, a column is missing, a finding is unknown, a
    /// film is listed twice or a value is not a number; the error has the line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(read)?;
        let header = reader.headers().map_err(read)?.clone();
        let find = |column: &str| {
            // A spreadsheet may have put a byte order mark before the first name.
            header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == column)
        };
        let column = |column: &'static str| {
            find(column).ok_or_else(|| Error::Column {
                path: path.to_owned(),
                column,
                found: header.iter().collect::<Vec<_>>().join(", "),
            })
        };
        let [image, labels, follow_up, patient] = [
            column("Image Index")?,
            column("Finding Labels")?,
            column("Follow-up #")?,
            column("Patient ID")?,
        ];
        let sex = find("Patient Sex").map_or_else(|| column("Patient Gender"), Ok)?;
        let [age, view] = [column("Patient Age")?, column("View Position")?];

        let mut films = Vec::new();
        let mut lines: HashMap<String, u64> = HashMap::new();
        for row in reader.records() {
            let row = row.map_err(read)?;
            let line = row.position().map_or(0, csv::Position::line);
            let cell = |index: usize| row.get(index).unwrap_or("").trim();
            let number = |column: &'static str, index: usize| {
                cell(index).parse().map_err(|_| Error::Number {
                    path: path.to_owned(),
                    line,
                    column,
                    value: cell(index).to_owned(),
                })
            };
            let film =
                Film {
                    image: cell(image).to_owned(),
                    findings: FilmFindings::parse(cell(labels))
                        .map_err(|source| Error::Finding { path: path.to_owned(), line, source })?,
                    follow_up: number("Follow-up #", follow_up)?,
                    patient: number("Patient ID", patient)?,
                    age: parse_age(cell(age)).map_err(|()| Error::Number {
                        path: path.to_owned(),
                        line,
                        column: "Patient Age",
                        value: cell(age).to_owned(),
                    })?,
                    sex: cell(sex).to_owned(),
                    view: cell(view).to_owned(),
                };
            if let Some(first) = lines.insert(film.image.clone(), line) {
                return Err(Error::Duplicate {
                    path: path.to_owned(),
                    line,
                    first,
                    image: film.image,
                });
            }
            films.push(film);
        }
        if films.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), films })
    }

    /// Tells the label files in circulation apart by four counts.
    pub fn version(&self) -> Version {
        let count =
            |finding| self.films.iter().filter(|film| film.findings.contains(finding)).count();
        let counts = [
            count(Finding::Atelectasis),
            count(Finding::Cardiomegaly),
            count(Finding::Effusion),
            count(Finding::Pneumonia),
        ];
        match counts {
            [11_559, 2_776, 13_317, 1_431] => Version::V2020,
            [11_535, 2_772, 13_307, 1_353] => Version::Paper,
            _ => Version::Other,
        }
    }
}

/// Reads `58`, `058Y`, `011M` or `003D` as whole years; empty text means unknown.
fn parse_age(text: &str) -> Result<Option<u32>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let (digits, divisor) = match text.as_bytes().last() {
        Some(b'Y') => (&text[..text.len() - 1], 1),
        Some(b'M') => (&text[..text.len() - 1], 12),
        Some(b'W') => (&text[..text.len() - 1], 52),
        Some(b'D') => (&text[..text.len() - 1], 365),
        _ => (text, 1),
    };
    digits.parse::<u32>().map(|age| Some(age / divisor)).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2020: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
                         View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n";
    const V2017: &str = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
                         View Position,OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n";

    fn read(text: &str) -> Result<LabelFile, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Data_Entry_2017.csv");
        std::fs::write(&path, text).unwrap();
        LabelFile::read(&path)
    }

    #[test]
    fn both_headers_are_read() {
        let old = read(&format!("{V2017}a.png,Mass|Nodule,2,7,058Y,M,PA,2682,2749,0.143,0.143,\n"));
        let new = read(&format!("{V2020}a.png,Mass|Nodule,2,7,58,M,PA,2682,2749,0.143,0.143\n"));

        assert_eq!(old.unwrap().films, new.unwrap().films);
    }

    #[test]
    fn the_file_as_the_nih_has_it_says_sex_where_its_copies_say_gender() {
        let row = "a.png,Mass,2,7,58,F,PA,2682,2749,0.143,0.143\n";
        let copy = read(&format!("{V2020}{row}")).unwrap();
        let original = read(&format!("{}{row}", V2020.replace("Gender", "Sex"))).unwrap();

        assert_eq!(original.films, copy.films);
        assert_eq!(original.films[0].sex, "F");
    }

    #[test]
    fn ages_above_one_hundred_and_in_months_are_read() {
        assert_eq!(parse_age("414"), Ok(Some(414)));
        assert_eq!(parse_age("155Y"), Ok(Some(155)));
        assert_eq!(parse_age("011M"), Ok(Some(0)));
        assert_eq!(parse_age(""), Ok(None));
        assert_eq!(parse_age("old"), Err(()));
    }

    #[test]
    fn a_missing_column_is_named_with_those_found() {
        let error = read("Image Index,Finding Labels\na.png,Mass\n").unwrap_err().to_string();

        assert!(error.contains("no column `Follow-up #`"), "{error}");
        assert!(error.contains("Image Index, Finding Labels"), "{error}");
    }

    #[test]
    fn a_duplicate_film_is_named_with_both_lines() {
        let row = "a.png,Mass,0,7,58,M,PA,1,1,1,1\n";
        let error =
            read(&format!("{V2020}{row}b.png,Mass,0,7,58,M,PA,1,1,1,1\n{row}")).unwrap_err();

        assert!(matches!(error, Error::Duplicate { first: 2, line: 4, .. }), "{error}");
    }

    #[test]
    fn an_unknown_finding_is_named_with_its_line() {
        let error = read(&format!("{V2020}a.png,Mas,0,7,58,M,PA,1,1,1,1\n")).unwrap_err();

        assert!(matches!(&error, Error::Finding { line: 2, source, .. } if source.0 == "Mas"));
    }

    #[test]
    fn an_empty_file_is_refused() {
        assert!(matches!(read(V2020), Err(Error::Empty { .. })));
        assert!(matches!(read(""), Err(Error::Column { .. })));
    }

    #[test]
    fn a_file_that_is_not_utf8_is_an_error_and_not_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Data_Entry_2017.csv");
        let mut bytes = V2020.as_bytes().to_vec();
        bytes.extend_from_slice(b"a\xff.png,Mass,0,7,58,M,PA,1,1,1,1\n");
        std::fs::write(&path, bytes).unwrap();

        assert!(matches!(LabelFile::read(&path), Err(Error::Read { .. })));
    }
}

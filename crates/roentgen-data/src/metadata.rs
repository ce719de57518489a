//! The label file `Data_Entry_2017*.csv`, as typed rows.
//!
//! Two files of that name are in circulation. They differ in the header (2017 ends each row with an
//! empty column), in the ages (2017 has ages up to 414, and its first form writes `058Y` and
//! `011M`) and in the labels; [`Version`] tells them apart by counts. In the 2020 file as published
//! by the NIH Clinical Center a column is called `Patient Sex`; all other files, and copies of this
//! one, call it `Patient Gender`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::files;
use crate::finding::{FilmFindings, Finding, UnknownFinding};

/// The longest label file that is read, in bytes; NIH's has 8 MB.
const MAX_BYTES: u64 = 128 << 20;
/// The number of column names that a message shows.
const MAX_SHOWN: usize = 20;
const IMAGE: &str = "Image Index";
const LABELS: &str = "Finding Labels";
const FOLLOW_UP: &str = "Follow-up #";
const PATIENT: &str = "Patient ID";
const AGE: &str = "Patient Age";

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
        "the label file `{path}` has no column `{column}` (its columns are {found}); {}",
        hint(.found)
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
    /// A film has the label `No Finding` and findings.
    #[error(
        "`Finding Labels` is `{value}` on line {line} of the label file `{path}`, which contradicts \
         itself: a film has findings or `No Finding`, not both"
    )]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The value.
        value: String,
    },
    /// A cell that must not be empty is.
    #[error(
        "`{column}` is empty on line {line} of the label file `{path}`{}",
        if *.column == LABELS { "; a normal film is `No Finding`" } else { "" }
    )]
    NoValue {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A number is below 0 or too large.
    #[error(
        "`{column}` is `{value}` on line {line} of the label file `{path}`, which is out of range; \
         give a whole number from 0 to 4294967295"
    )]
    Range {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
    },
    /// A value is not a number.
    #[error(
        "`{column}` is `{value}`, not a whole number, on line {line} of the label file `{path}`"
    )]
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
    /// The file is in UTF-16.
    #[error("the label file `{path}` is in UTF-16; save it as `CSV UTF-8`")]
    Utf16 {
        /// The file.
        path: PathBuf,
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
        let read = |source: csv::Error| Error::Read { path: path.to_owned(), source };
        let file = files::open_at_most(path, MAX_BYTES).map_err(|error| read(error.into()))?;
        let mut file = std::io::BufReader::new(file);
        let start = file.fill_buf().map_err(|error| read(error.into()))?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            return Err(Error::Utf16 { path: path.to_owned() });
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let columns = Columns::find(path, reader.headers().map_err(read)?)?;

        let mut films = Vec::new();
        let mut lines: HashMap<String, u64> = HashMap::new();
        for row in reader.records() {
            let row = row.map_err(read)?;
            // Spreadsheets keep rows whose cells were cleared.
            if row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = row.position().map_or(0, csv::Position::line);
            let film = columns.film(&Place { path, line }, &row)?;
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

/// Where the columns are.
struct Columns {
    image: usize,
    labels: usize,
    follow_up: usize,
    patient: usize,
    age: usize,
    sex: usize,
    view: usize,
}

/// A line of a label file.
struct Place<'a> {
    path: &'a Path,
    line: u64,
}

impl Columns {
    fn find(path: &Path, header: &csv::StringRecord) -> Result<Self, Error> {
        let find = |column: &str| {
            // A spreadsheet may have put a byte order mark before the first name.
            header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == column)
        };
        let column = |column: &'static str| {
            find(column).ok_or_else(|| {
                let shown: Vec<&str> = header.iter().take(MAX_SHOWN).collect();
                let more = header.len().saturating_sub(MAX_SHOWN);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let found = shown.join(", ") + &more;
                Error::Column { path: path.to_owned(), column, found }
            })
        };
        Ok(Self {
            image: column(IMAGE)?,
            labels: column(LABELS)?,
            follow_up: column(FOLLOW_UP)?,
            patient: column(PATIENT)?,
            sex: find("Patient Sex").map_or_else(|| column("Patient Gender"), Ok)?,
            age: column(AGE)?,
            view: column("View Position")?,
        })
    }

    fn film(&self, place: &Place<'_>, row: &csv::StringRecord) -> Result<Film, Error> {
        let cell = |index: usize| row.get(index).unwrap_or("").trim();
        let number = |column: &'static str, index: usize| {
            whole_number(cell(index)).map_err(|fault| place.fault(column, cell(index), fault))
        };
        if cell(self.image).is_empty() {
            return Err(place.fault(IMAGE, "", Fault::Empty));
        }
        Ok(Film {
            image: cell(self.image).to_owned(),
            findings: place.findings(cell(self.labels))?,
            follow_up: number(FOLLOW_UP, self.follow_up)?,
            patient: number(PATIENT, self.patient)?,
            age: parse_age(cell(self.age))
                .map_err(|fault| place.fault(AGE, cell(self.age), fault))?,
            sex: cell(self.sex).to_owned(),
            view: cell(self.view).to_owned(),
        })
    }
}

impl Place<'_> {
    fn findings(&self, text: &str) -> Result<FilmFindings, Error> {
        let (path, line) = (self.path.to_owned(), self.line);
        if text.is_empty() {
            return Err(self.fault(LABELS, "", Fault::Empty));
        }
        if text != "No Finding" && text.split('|').any(|name| name.trim() == "No Finding") {
            return Err(Error::Contradiction { path, line, value: text.to_owned() });
        }
        FilmFindings::parse(text).map_err(|source| Error::Finding { path, line, source })
    }

    fn fault(&self, column: &'static str, value: &str, fault: Fault) -> Error {
        let (path, line, value) = (self.path.to_owned(), self.line, value.to_owned());
        match fault {
            Fault::Empty => Error::NoValue { path, line, column },
            Fault::NotANumber => Error::Number { path, line, column, value },
            Fault::OutOfRange => Error::Range { path, line, column, value },
        }
    }
}

/// Why a cell cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Empty,
    NotANumber,
    OutOfRange,
}

/// Reads `28` or `28.0`, as pandas writes the whole numbers of a column in which one is missing.
fn whole_number(text: &str) -> Result<u32, Fault> {
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(unsigned) || !is_number(fraction) || fraction.bytes().any(|b| b != b'0') {
        return Err(Fault::NotANumber);
    }
    if digits.starts_with('-') && unsigned.bytes().all(|b| b == b'0') {
        return Ok(0);
    }
    digits.parse().map_err(|_| Fault::OutOfRange)
}

/// Reads `58`, `58.0`, `058Y`, `011M` or `003D` as whole years; empty text means unknown.
fn parse_age(text: &str) -> Result<Option<u32>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let units = [('Y', 1), ('M', 12), ('W', 52), ('D', 365)];
    let (digits, divisor) = units
        .iter()
        .find_map(|&(unit, divisor)| Some((text.strip_suffix(unit)?, divisor)))
        .unwrap_or((text, 1));
    let fault = |fault| if fault == Fault::Empty { Fault::NotANumber } else { fault };
    whole_number(digits).map(|age| Some(age / divisor)).map_err(fault)
}

/// What to do about a missing column.
fn hint(found: &str) -> &'static str {
    if found.contains(';') {
        "the columns are separated by semicolons: save the file with commas"
    } else if found.contains('\t') {
        "the columns are separated by tabs: save the file with commas"
    } else {
        "is it NIH's `Data_Entry_2017*.csv`?"
    }
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
        assert_eq!(parse_age("28.0"), Ok(Some(28)));
        assert_eq!(parse_age("old"), Err(Fault::NotANumber));
        assert_eq!(parse_age("Y"), Err(Fault::NotANumber));
        assert_eq!(parse_age("-1"), Err(Fault::OutOfRange));
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

    #[test]
    fn whole_numbers_are_read_as_pandas_writes_them_and_others_say_why_not() {
        for (text, number) in [
            ("28", Ok(28)),
            ("28.0", Ok(28)),
            ("007.000", Ok(7)),
            ("0.0", Ok(0)),
            ("-0.0", Ok(0)),
            ("4294967295.0", Ok(u32::MAX)),
            ("4294967296", Err(Fault::OutOfRange)),
            ("99000000000001", Err(Fault::OutOfRange)),
            ("-1", Err(Fault::OutOfRange)),
            ("-1.0", Err(Fault::OutOfRange)),
            ("28.5", Err(Fault::NotANumber)),
            ("28.", Err(Fault::NotANumber)),
            (".0", Err(Fault::NotANumber)),
            ("-", Err(Fault::NotANumber)),
            ("nan", Err(Fault::NotANumber)),
            ("2,8", Err(Fault::NotANumber)),
            ("", Err(Fault::Empty)),
        ] {
            assert_eq!(whole_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn a_table_that_went_through_pandas_is_the_same_table() {
        let plain = read(&format!("{V2020}a.png,Mass,2,7,58,M,PA,1,1,1,1\n")).unwrap();
        let floats = read(&format!(
            ",{}0,a.png,Mass,2.0,7.0,58.0,M,PA,1,1,1,1\n",
            V2020.replace('\n', ",Unnamed: 11\n")
        ));

        assert_eq!(floats.unwrap().films, plain.films);
    }

    #[test]
    fn cleared_rows_are_passed_over_and_a_file_of_nothing_else_is_empty() {
        let row = "a.png,Mass,0,7,58,M,PA,1,1,1,1\n";
        let films = read(&format!("{V2020},,,,,,,,,,\n{row} , ,,,,,,,,,\n,,,,,,,,,,\n")).unwrap();

        assert_eq!(films.films.len(), 1);
        assert!(matches!(read(&format!("{V2020},,,,,,,,,,\n")), Err(Error::Empty { .. })));
    }

    #[test]
    fn numbers_out_of_range_are_not_called_no_numbers() {
        for row in ["a.png,Mass,0,99000000000001,58,M,PA\n", "a.png,Mass,-1,7,58,M,PA\n"] {
            let error = read(&format!("{V2020}{row}")).unwrap_err();
            assert!(matches!(error, Error::Range { line: 2, .. }), "{error}");
        }
    }

    #[test]
    fn no_finding_beside_a_finding_is_a_contradiction() {
        for labels in ["No Finding|Effusion", "Mass|No Finding", "Mass | No Finding"] {
            let error = read(&format!("{V2020}a.png,{labels},0,7,58,M,PA\n")).unwrap_err();
            assert!(matches!(error, Error::Contradiction { line: 2, .. }), "{error}");
        }
        let error = read(&format!("{V2020}a.png,,0,7,58,M,PA\n")).unwrap_err().to_string();
        assert!(error.contains("is empty on line 2") && error.contains("`No Finding`"), "{error}");
        let error = read(&format!("{V2020},Mass,0,7,58,M,PA\n")).unwrap_err().to_string();
        assert!(error.contains("`Image Index` is empty"), "{error}");
    }

    #[test]
    fn other_separators_and_encodings_are_named() {
        let row = "a.png,Mass,0,7,58,M,PA\n";
        let semicolons = read(&format!("{V2020}{row}").replace(',', ";")).unwrap_err().to_string();
        let tabs = read(&format!("{V2020}{row}").replace(',', "\t")).unwrap_err().to_string();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Data_Entry_2017.csv");
        let text = format!("\u{feff}{V2020}{row}");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, bytes).unwrap();

        assert!(semicolons.contains("semicolons"), "{semicolons}");
        assert!(tabs.contains("tabs"), "{tabs}");
        assert!(matches!(LabelFile::read(&path), Err(Error::Utf16 { .. })));
    }

    #[test]
    fn a_header_of_very_many_columns_is_read_at_once_and_not_repeated_in_full() {
        let many: String = (0..200_000).map(|column| format!("column {column},")).collect();
        let start = std::time::Instant::now();
        let error = read(&format!("{many}\n")).unwrap_err().to_string();
        let films = read(&format!("{many}{V2020}{}a.png,Mass,0,7,58,M,PA\n", ",".repeat(200_000)));

        assert!(error.len() < 2000, "{}", error.len());
        assert_eq!(films.unwrap().films.len(), 1);
        assert!(start.elapsed() < std::time::Duration::from_secs(5), "{:?}", start.elapsed());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_or_a_folder_is_no_label_file() {
        let folder = tempfile::tempdir().unwrap();

        assert!(matches!(LabelFile::read(Path::new("/dev/zero")), Err(Error::Read { .. })));
        assert!(matches!(LabelFile::read(folder.path()), Err(Error::Read { .. })));
    }
}

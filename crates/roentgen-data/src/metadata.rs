//! The label file `Data_Entry_2017*.csv`, as typed rows.
//!
//! Two files of that name are in circulation. They differ in the header (2017 ends each row with an
//! empty column), in the ages (2017 has ages up to 414, and its first form writes `058Y` and
//! `011M`) and in the labels; [`Version`] tells them apart by counts. In the 2020 file as published
//! by the NIH Clinical Center a column is called `Patient Sex`; all other files, and copies of this
//! one, call it `Patient Gender`.

mod cells;
mod error;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::cut::LastRow;
use crate::dataset::Dataset;
use crate::files;
use crate::finding::{FilmFindings, Finding};
use cells::{Fault, parse_age, whole_number};

pub use error::Error;

/// The longest label file that is read, in bytes; NIH's has 8 MB.
const MAX_BYTES: u64 = 128 << 20;
/// The number of column names that a message shows.
const MAX_SHOWN: usize = 20;
const IMAGE: &str = "Image Index";
const LABELS: &str = "Finding Labels";
const FOLLOW_UP: &str = "Follow-up #";
const PATIENT: &str = "Patient ID";
const AGE: &str = "Patient Age";
const SEX: &str = "Patient Sex";
const GENDER: &str = "Patient Gender";
const VIEW: &str = "View Position";
/// Name of the column in which the label file of drawn films has their seed.
pub const PHANTOM_COLUMN: &str = "Phantom Seed";

/// One row: one film.
#[derive(Clone, Debug, PartialEq)]
pub struct LabeledFilm {
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
    pub films: Vec<LabeledFilm>,
    /// The data set that the file names, as only that of drawn films does.
    pub dataset: Option<Dataset>,
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
        let bytes = files::read_at_most(path, MAX_BYTES).map_err(|error| read(error.into()))?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::Utf16 { path: path.to_owned() });
        }
        let mut last = LastRow::of(&bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&bytes[..]);
        let columns = Columns::find(path, reader.headers().map_err(read)?)?;

        let mut seeds = BTreeSet::new();
        let mut films = Vec::new();
        let mut lines: HashMap<String, u64> = HashMap::new();
        for row in reader.records() {
            let row = row.map_err(read)?;
            // Spreadsheets keep rows whose cells were cleared.
            if row.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = row.position().map_or(0, csv::Position::line);
            last.see(row.len(), line);
            let film = columns.film(&Place { path, line }, &row)?;
            if let Some(first) = lines.insert(film.image.clone(), line) {
                return Err(Error::Duplicate {
                    path: path.to_owned(),
                    line,
                    first,
                    image: film.image,
                });
            }
            seeds.extend(columns.phantom_seed(&row));
            films.push(film);
        }
        if let Some(line) = last.cut() {
            return Err(Error::Cut { path: path.to_owned(), line });
        }
        if films.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), films, dataset: phantom(&seeds) })
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

/// Returns the data set of films that were drawn with these seeds. Of several nobody knows which.
fn phantom(seeds: &BTreeSet<String>) -> Option<Dataset> {
    let seed = match seeds.iter().collect::<Vec<_>>()[..] {
        [] => return None,
        [seed] => seed.parse().ok(),
        _ => None,
    };
    Some(Dataset::Phantom { seed })
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
    phantom: Option<usize>,
}

/// A line of a label file.
struct Place<'a> {
    path: &'a Path,
    line: u64,
}

impl Columns {
    fn find(path: &Path, header: &csv::StringRecord) -> Result<Self, Error> {
        // A spreadsheet may have put a byte order mark before the first name.
        let trimmed = |name: &str| name.trim_start_matches('\u{feff}').trim().to_owned();
        let names: Vec<String> = header.iter().map(trimmed).collect();
        let find = |column: &str| names.iter().position(|name| name == column);
        let used = [IMAGE, LABELS, FOLLOW_UP, PATIENT, AGE, SEX, GENDER, VIEW];
        let is_twice =
            |column: &&str| find(column) != names.iter().rposition(|name| name == column);
        if let Some(column) = used.into_iter().find(is_twice) {
            return Err(Error::ColumnTwice { path: path.to_owned(), column });
        }
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
            sex: find(SEX).map_or_else(|| column(GENDER), Ok)?,
            age: column(AGE)?,
            view: column(VIEW)?,
            phantom: find(PHANTOM_COLUMN),
        })
    }

    /// Returns the number of cells that a row needs, up to the last column with a number or a name;
    /// spreadsheets leave out empty cells of sex and view at the end of a row.
    fn used(&self) -> usize {
        let columns = [self.image, self.labels, self.follow_up, self.patient, self.age];
        columns.into_iter().max().map_or(0, |last| last + 1)
    }

    /// Returns the text of a seed, if the row has one.
    fn phantom_seed(&self, row: &csv::StringRecord) -> Option<String> {
        let cell = row.get(self.phantom?)?.trim();
        let seed = cell.strip_suffix(".0").unwrap_or(cell);
        (!seed.is_empty()).then(|| seed.to_owned())
    }

    fn film(&self, place: &Place<'_>, row: &csv::StringRecord) -> Result<LabeledFilm, Error> {
        // The last cell of such a row may be half a number.
        if row.len() < self.used() {
            return Err(Error::Cut { path: place.path.to_owned(), line: place.line });
        }
        let cell = |index: usize| row.get(index).unwrap_or("").trim();
        let number = |column: &'static str, index: usize| {
            whole_number(cell(index)).map_err(|fault| place.fault(column, cell(index), fault))
        };
        if cell(self.image).is_empty() {
            return Err(place.fault(IMAGE, "", Fault::Empty));
        }
        Ok(LabeledFilm {
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

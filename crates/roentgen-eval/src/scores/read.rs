//! Reads score tables from CSV.
//!
//! A finding is recognized by its two columns `F` and `F.truth`, not by its name, so tables of
//! other data sets work. Only the 14 NIH names are findings without a label column, because
//! predictions on unlabelled films have none. Tables written by pandas have `1.0` for a label, `12.0`
//! for a patient and start with a byte order mark; all are accepted. Names of columns are read without
//! spaces around them, and `Split` is `split`: a column that is passed over would hide what it says.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use super::cells::{column_name, hint, parse_flag, patient};
use super::{Column, NIH_FINDINGS, RESERVED, ScoredFinding, Scores, TRUTH};
use crate::Error;

/// The longest table that is read; one of all 112,120 NIH films has 40 MB.
const MAX_BYTES: u64 = 2 << 30;
/// The most columns of a table.
const MAX_COLUMNS: usize = 4096;

/// The contents of each column of the file.
struct Layout {
    image: usize,
    patient: usize,
    /// Name, probability column, label column.
    findings: Vec<(String, usize, Option<usize>)>,
    others: Vec<(String, usize)>,
}

impl Scores {
    /// Reads a score table.
    ///
    /// # Errors
    ///
    /// Returns an error with the path, the line and what to do if there is no `image` or `patient`
    /// column, no finding, `F.truth` without `F`, a duplicate column or image, or no rows; if a row
    /// is too short or too long, a probability is not a number in 0..1, a label is not 0, 1 or
    /// empty; or if the file is not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = roentgen_files::read_at_most(path, MAX_BYTES)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Reads a score table from the bytes of the file `path`.
    ///
    /// # Errors
    ///
    /// Returns an error as [`read`](Self::read) does.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let at = |line: u64, problem: String| Error::Row { path: path.to_owned(), line, problem };
        let csv = |source| Error::Csv { path: path.to_owned(), source };
        // Ragged rows and invalid text are detected below, where the message can say what to do.
        let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);

        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(csv)? {
            let problem = "the file is empty".into();
            return Err(Error::Header { path: path.to_owned(), problem });
        }
        if record.len() > MAX_COLUMNS {
            let problem =
                format!("it has {} columns; at most {MAX_COLUMNS} are read", record.len());
            return Err(Error::Header { path: path.to_owned(), problem });
        }
        let header = texts(&record).map_err(|problem| at(1, problem))?;
        let header: Vec<String> = header.iter().map(|name| column_name(name)).collect();
        let layout = Layout::of(&header)
            .map_err(|problem| Error::Header { path: path.to_owned(), problem })?;

        let mut scores = layout.empty(path);
        let mut lines = Vec::new();
        while reader.read_byte_record(&mut record).map_err(csv)? {
            let line = record.position().map_or(0, csv::Position::line);
            let row = texts(&record).map_err(|problem| at(line, problem))?;
            if row.len() != header.len() {
                let (have, want) = (row.len(), header.len());
                let problem =
                    format!("it has {have} values for {want} columns\nis the file complete?");
                return Err(at(line, problem));
            }
            layout.push(&mut scores, row).map_err(|problem| at(line, problem))?;
            lines.push(line);
        }
        scores.check(|row| lines[row])?;
        Ok(scores)
    }
}

impl Layout {
    fn of(header: &[String]) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|column| column == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| format!("it has no column `{name}`\n{}", hint(header)))
        };
        let mut layout = Self {
            image: need("image")?,
            patient: need("patient")?,
            findings: Vec::new(),
            others: Vec::new(),
        };

        for (index, name) in header.iter().enumerate() {
            if header[..index].contains(name) {
                return Err(format!("it has two columns `{name}`\nrename or remove one"));
            }
            if index == layout.image || index == layout.patient {
                continue;
            }
            if let Some(of) = name.strip_suffix(TRUTH) {
                if RESERVED.contains(&of) || find(of).is_none() {
                    let hint = "add its probabilities or remove the labels";
                    return Err(format!("it has `{name}` but no finding `{of}`\n{hint}"));
                }
                continue;
            }
            let label = find(&format!("{name}{TRUTH}"));
            if label.is_some() || NIH_FINDINGS.contains(&name.as_str()) {
                layout.findings.push((name.clone(), index, label));
            } else {
                layout.others.push((name.clone(), index));
            }
        }
        Ok(layout)
    }

    fn empty(&self, path: &Path) -> Scores {
        let finding = |name: &String| ScoredFinding {
            name: name.clone(),
            probabilities: Vec::new(),
            labels: Vec::new(),
        };
        let other = |name: &String| Column { name: name.clone(), values: Vec::new() };
        Scores {
            origin: path.to_owned(),
            images: Vec::new(),
            patients: Vec::new(),
            columns: self.others.iter().map(|(name, _)| other(name)).collect(),
            findings: self.findings.iter().map(|(name, ..)| finding(name)).collect(),
        }
    }

    fn push(&self, scores: &mut Scores, mut row: Vec<String>) -> Result<(), String> {
        for (finding, (name, probability, label)) in scores.findings.iter_mut().zip(&self.findings)
        {
            let text = row[*probability].trim();
            let p: f64 = text.parse().map_err(|_| {
                format!("`{name}` is `{text}`, not a number\na probability must be in 0..1")
            })?;
            finding.probabilities.push(p);
            finding.labels.push(match label {
                Some(column) => parse_flag(&row[*column]).ok_or(format!(
                    "`{name}{TRUTH}` is `{}`\na label must be 0, 1 or empty",
                    row[*column]
                ))?,
                None => None,
            });
        }
        for (column, (_, index)) in scores.columns.iter_mut().zip(&self.others) {
            column.values.push(std::mem::take(&mut row[*index]));
        }
        scores.images.push(std::mem::take(&mut row[self.image]));
        scores.patients.push(patient(&row[self.patient]));
        Ok(())
    }
}

fn texts(record: &ByteRecord) -> Result<Vec<String>, String> {
    let text = |field: &[u8]| String::from_utf8(field.to_vec());
    let texts: Result<_, _> = record.iter().map(text).collect();
    texts.map_err(|_| "it is not UTF-8\nsave the table as UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scores, Error> {
        Scores::parse(Path::new("t.csv"), text.as_bytes())
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn findings_are_recognised_by_their_two_columns() {
        let text = "image,patient,age,Mass,Mass.truth,mood,Nodule\na,1,60,0.5,1,good,0.25\n";
        let scores = parse(text).unwrap();

        let names: Vec<_> = scores.findings().iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["Mass", "Nodule"]);
        assert_eq!(scores.findings()[1].labels, [None]);
        assert_eq!(scores.column("mood").unwrap(), ["good"]);
        assert_eq!(scores.column("age").unwrap(), ["60"]);
        assert_eq!(scores.column("Mass"), None);
    }

    #[test]
    fn a_table_from_pandas_is_taken() {
        let scores =
            parse("\u{feff}image,patient,X,X.truth\r\na,1,5e-1,1.0\r\nb,2,0,\r\n").unwrap();

        assert_eq!(scores.findings()[0].labels, [Some(true), None]);
        assert_eq!(scores.findings()[0].probabilities, [0.5, 0.0]);
    }

    #[test]
    fn known_columns_are_found_with_spaces_and_capitals() {
        let text =
            "Image, Patient ,Split,patient_in_training ,Mood,X,X.truth\na,1,train,1,good,0.5,1\n";
        let scores = parse(text).unwrap();

        assert_eq!(scores.column("split").unwrap(), ["train"]);
        assert_eq!(scores.column("patient_in_training").unwrap(), ["1"]);
        assert_eq!(scores.column("Mood").unwrap(), ["good"]);
        assert!(crate::refuse_training(&scores).is_err());
        let error = refused("image,patient,split,Split,X,X.truth\na,1,train,,0.5,1\n");
        assert!(error.contains("two columns `split`"), "{error}");
    }

    #[test]
    fn other_separators_are_named() {
        let text = "image,patient,X,X.truth\na,1,0.5,1\n";

        assert!(refused(&text.replace(',', ";")).contains("separated by semicolons"));
        assert!(refused(&text.replace(',', "\t")).contains("separated by tabs"));
    }

    #[test]
    fn a_column_without_a_name_is_kept() {
        let scores = parse(",image,patient,X,X.truth\n0,a,1,0.5,1\n").unwrap();

        assert_eq!(scores.column("").unwrap(), ["0"]);
    }

    #[test]
    fn a_header_that_is_no_score_table_is_refused() {
        let cases = [
            ("", "the file is empty"),
            ("image,patient,X,X.truth\n", "it has no rows"),
            ("image,X,X.truth\na,0.5,1\n", "no column `patient`"),
            ("patient,X,X.truth\n1,0.5,1\n", "no column `image`"),
            ("image,patient,age\na,1,60\n", "it has no finding"),
            ("image,patient,X.truth\na,1,1\n", "`X.truth` but no finding `X`"),
            ("image,patient,X,X,X.truth\na,1,0,0,1\n", "two columns `X`"),
        ];

        for (text, part) in cases {
            let error = refused(text);
            assert!(error.contains("`t.csv`") && error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_bad_row_is_refused_with_its_line() {
        let cases = [
            ("b,2,high,1", "`X` is `high`, not a number"),
            ("b,2,,1", "`X` is ``, not a number"),
            ("b,2,NaN,1", "`X` is NaN"),
            ("b,2,inf,1", "`X` is inf"),
            ("b,2,-1.5,1", "was this a logit?"),
            ("b,2,0.5,2", "`X.truth` is `2`"),
            ("b,2,0.5", "3 values for 4 columns"),
            ("b,2,0.5,1,9", "5 values for 4 columns"),
            ("a,2,0.5,1", "image `a` occurs twice"),
            ("b,,0.5,1", "`b` has no patient"),
        ];

        for (row, part) in cases {
            let error = refused(&format!("image,patient,X,X.truth\na,1,0.5,1\n{row}\n"));
            assert!(error.contains("line 3") && error.contains(part), "{row:?}: {error}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_refused() {
        let bytes = b"image,patient,X,X.truth\na\xff,1,0.5,1\n";
        let error = Scores::parse(Path::new("t.csv"), bytes).unwrap_err().to_string();

        assert!(error.contains("line 2: it is not UTF-8"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Scores::read("/nowhere/t.csv").unwrap_err();

        assert_eq!(error.to_string(), "could not read score table `/nowhere/t.csv`");
    }
}

//! Writes score tables to CSV.
//!
//! A probability is written as the shortest decimal that reads back as the same number: nothing is
//! rounded, so a table that is read and written keeps its ties, and its metrics to the last bit.

use std::path::Path;

use csv::Writer;

use super::{Scores, TRUTH};
use crate::{Error, file};

/// The order of the well-known columns; others follow in their own order.
const FIRST: [&str; 4] = ["view", "age", "sex", "source"];

impl Scores {
    /// Writes the table under a temporary name and renames it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes =
            self.csv_bytes().map_err(|source| Error::Csv { path: path.to_owned(), source })?;
        file::write(path, &bytes)
    }

    /// Returns the bytes that [`write`](Self::write) writes.
    ///
    /// # Errors
    ///
    /// Returns an error if the memory of the text cannot be written, which does not happen.
    pub fn to_csv(&self) -> Result<Vec<u8>, Error> {
        self.csv_bytes().map_err(|source| Error::Csv { path: self.origin.clone(), source })
    }

    fn csv_bytes(&self) -> Result<Vec<u8>, csv::Error> {
        let rank =
            |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
        let mut columns: Vec<_> = self.columns.iter().collect();
        columns.sort_by_key(|column| rank(&column.name));

        let mut writer = Writer::from_writer(Vec::new());
        let mut record = vec!["image".to_owned(), "patient".to_owned()];
        record.extend(columns.iter().map(|column| column.name.clone()));
        for finding in &self.findings {
            record.extend([finding.name.clone(), format!("{}{TRUTH}", finding.name)]);
        }
        writer.write_record(&record)?;

        for row in 0..self.len() {
            record.clear();
            record.extend([self.images[row].clone(), self.patients[row].clone()]);
            record.extend(columns.iter().map(|column| column.values[row].clone()));
            for finding in &self.findings {
                let label = finding.labels[row].map_or("", |label| if label { "1" } else { "0" });
                record.extend([decimal(finding.probabilities[row]), label.to_owned()]);
            }
            writer.write_record(&record)?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// Formats the shortest decimal that reads back as the same number.
fn decimal(p: f64) -> String {
    // Without an exponent, 1e-300 would have three hundred digits.
    if p != 0.0 && p < 1e-5 { format!("{p:e}") } else { p.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_as_it_went() {
        let text = "image,patient,view,sex,split,mood,Mass,Mass.truth\n\
                    \"a,b\",1,PA,F,test,\"say \"\"hi\"\"\",0.123456789,1\n\
                    c,2,,M,test,,0.10230470895767212,\n\
                    d,2,AP,,test,x,1e-7,0\n";
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("1.csv"), folder.path().join("2.csv"));
        std::fs::write(&first, text).unwrap();

        let scores = Scores::read(&first).unwrap();
        scores.write(&second).unwrap();

        assert_eq!(std::fs::read_to_string(&second).unwrap(), text);
        assert_eq!(Scores::read(&second).unwrap().findings(), scores.findings());
    }

    #[test]
    fn the_columns_every_tool_knows_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "X,X.truth,mood,sex,patient,age,image\n0.5,1,good,F,1,60,a\n")
            .unwrap();

        Scores::read(&path).unwrap().write(&path).unwrap();

        let header = "image,patient,age,sex,mood,X,X.truth\n";
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(header));
    }

    #[test]
    fn every_digit_is_kept() {
        for p in [0.1, 1.0, 0.0, 1.0 / 3.0, 1e-300, 9.999_999e-6, 0.000_012_345_678_9] {
            assert_eq!(decimal(p).parse::<f64>().unwrap(), p);
        }
    }
}

//! Why a label file could not be read.

use std::path::PathBuf;

use super::LABELS;
use crate::finding::UnknownFinding;

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
    /// Two columns have the same name.
    #[error("the label file `{path}` has two columns `{column}`; rename or remove one")]
    ColumnTwice {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
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
    /// A row ends before its last column.
    #[error(
        "line {line} of the label file `{path}` was cut off: it has fewer cells than there are \
         columns; copy or download the file again"
    )]
    Cut {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
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

//! What can go wrong between a score table and its report.
//!
//! Tables come from other programs, so every message names the file and the line as an editor
//! counts them, and says what to do. A table made in memory counts as the file it would become.

use std::path::PathBuf;

/// Why a table, its figures or their report could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("could not read score table `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The file is not CSV.
    #[error("could not read score table `{}` as CSV", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        source: csv::Error,
    },

    /// The file could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A header that is no score table's.
    #[error("could not read score table `{}`: {problem}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A row that does not hold what its columns promise.
    #[error("could not read score table `{}`, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, the header being the first.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },

    /// Members of an ensemble, or the two sides of a comparison, that do not belong together.
    #[error("could not join score table `{}`: {problem}", path.display())]
    Join {
        /// The table that does not fit.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },

    /// Weights that are no weights for these members.
    #[error("could not weigh the members: {problem}")]
    Weights {
        /// What is wrong and what to do.
        problem: String,
    },

    /// A table without a single truth.
    #[error(
        "could not evaluate `{}`: no finding has a truth\n\
         fill the columns named `<finding>.truth` with 0 or 1",
        path.display()
    )]
    NoTruth {
        /// The table.
        path: PathBuf,
    },

    /// Patients that the model was trained on, in a table that does not say so.
    #[error(
        "could not evaluate `{}`: {count} of its patients were trained on (`{}`)\n\
         leave them out, or write `leaky` into the column `split` to see the figures marked so",
        path.display(), first.join("`, `")
    )]
    Leak {
        /// The table.
        path: PathBuf,
        /// How many patients.
        count: usize,
        /// The first three of them.
        first: Vec<String>,
    },

    /// A page that could not be filled.
    #[error("could not fill the template of `{name}`")]
    Template {
        /// The file it would have become.
        name: &'static str,
        /// Why.
        source: minijinja::Error,
    },

    /// Figures that could not be put into JSON.
    #[error("could not write the figures as JSON")]
    Json {
        /// Why.
        source: serde_json::Error,
    },
}

//! Errors between a score table and its report.
//!
//! Tables come from other programs, so every message names the file, the line as an editor counts
//! it, and what to do. A table built in memory is treated like the file it would be written to.

use std::path::PathBuf;

/// Why a table, its metrics or their report could not be produced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read.
    #[error("could not read score table `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// The file is not CSV.
    #[error("could not read score table `{}` as CSV", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The cause, with the line.
        source: csv::Error,
    },

    /// The file could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// The header is not that of a score table.
    #[error("could not read score table `{}`: {problem}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The problem, and what to do.
        problem: String,
    },

    /// A row does not have what its columns promise.
    #[error("could not read score table `{}`, line {line}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where the header is the first.
        line: u64,
        /// The problem, and what to do.
        problem: String,
    },

    /// Members of an ensemble, or the two sides of a comparison, do not belong together.
    #[error("could not join score table `{}`: {problem}", path.display())]
    Join {
        /// The table that does not fit.
        path: PathBuf,
        /// The problem, and what to do.
        problem: String,
    },

    /// The weights are not valid for these members.
    #[error("could not weigh the members: {problem}")]
    Weights {
        /// The problem, and what to do.
        problem: String,
    },

    /// The table has no labels at all.
    #[error(
        "could not evaluate `{}`: no finding has a label\n\
         fill the columns named `<finding>.truth` with 0 or 1",
        path.display()
    )]
    NoTruth {
        /// The table.
        path: PathBuf,
    },

    /// The model was trained on patients of the table, and the table does not say so.
    #[error(
        "could not evaluate `{}`: {count} of its patients were trained on (`{}`)\n\
         leave them out, or write `leaky` into the column `split` to mark the metrics as leaky",
        path.display(), first.join("`, `")
    )]
    Leak {
        /// The table.
        path: PathBuf,
        /// Number of patients.
        count: usize,
        /// The first three of them.
        first: Vec<String>,
    },

    /// The table has films of the training split, which is not named as leaky.
    #[error(
        "could not evaluate `{}`: {count} of its films are of the training split `{split}` \
         (`{}`)\n\
         evaluate test films, or write `leaky` into the column `split` to mark the metrics as leaky",
        path.display(), first.join("`, `")
    )]
    TrainingFilms {
        /// The table.
        path: PathBuf,
        /// Number of films.
        count: usize,
        /// The split of the first of them, as the table names it.
        split: String,
        /// The first three of them.
        first: Vec<String>,
    },

    /// The table has films that the calibration and thresholds of its model were fitted on.
    #[error(
        "could not evaluate `{}`: {count} of its films are {what}those that calibration and \
         thresholds of the model were fitted on (`{}`)\n\
         evaluate other films, write `valid` into their column `split` to evaluate them without \
         the fit, or leave the model out",
        path.display(), first.join("`, `")
    )]
    FittedFilms {
        /// The table.
        path: PathBuf,
        /// Number of films.
        count: usize,
        /// Empty, or whose films they are.
        what: &'static str,
        /// The first three of them.
        first: Vec<String>,
    },

    /// Weights, calibration or thresholds were to be fitted to films that a model was trained on.
    #[error(
        "could not fit to `{}`: {count} {what} (`{}`)\n\
         fit to films that no model was trained on, such as its validation films",
        path.display(), first.join("`, `")
    )]
    FitOnTraining {
        /// The table.
        path: PathBuf,
        /// Number of films or patients.
        count: usize,
        /// What is wrong with them.
        what: &'static str,
        /// The first three of them.
        first: Vec<String>,
    },

    /// A table cannot be evaluated by the study's protocol.
    #[error(
        "could not evaluate `{}` by two protocols: it has no finding `{missing}`\n\
         which films the 2019 study would have dropped follows from 13 findings, all of NIH's but \
         Hernia",
        path.display()
    )]
    Protocols {
        /// The table.
        path: PathBuf,
        /// The finding that it lacks.
        missing: &'static str,
    },

    /// A template could not be rendered.
    #[error("could not render the template of `{name}`")]
    Template {
        /// The file to be written.
        name: &'static str,
        /// The cause.
        source: minijinja::Error,
    },

    /// A file other than a score table could not be read.
    #[error("could not read `{}`", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },

    /// The file is not a localization of this version.
    #[error(
        "`{}` is damaged or was not written by `roentgen explain --boxes` of this version",
        path.display()
    )]
    Localization {
        /// The file.
        path: PathBuf,
        /// The cause, with its line.
        source: serde_json::Error,
    },

    /// The metrics could not be converted to JSON.
    #[error("could not convert the metrics to JSON")]
    Json {
        /// The cause.
        source: serde_json::Error,
    },
}

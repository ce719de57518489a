//! The result of a command on standard output: text for people or one JSON document for programs.
//!
//! Everything else goes to standard error. A closed pipe is not treated as an error.

use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use roentgen_figures::decimals;
pub(crate) use roentgen_figures::thousands;
use serde_json::Value;

/// How a command ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The command finished.
    #[default]
    Done,
    /// The command finished but skipped some films, each of which is listed.
    BadFilms,
    /// The sweep finished but some of its points failed, each of which is listed.
    FailedPoints,
    /// The user stopped the command; its progress is saved.
    Interrupted,
}

/// A command's result.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// For people.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// How the command ended, which decides the exit code.
    pub(crate) ending: Ending,
}

impl Output {
    /// Makes the result of a command that finished.
    pub(crate) fn done(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, ending: Ending::Done }
    }

    /// Moves the text to standard error if `file`, which the command wrote, is standard output.
    pub(crate) fn keep_clear_of(mut self, file: &Path) -> Self {
        if is_standard(file) {
            note(self.text.trim_end());
            self.text.clear();
        }
        self
    }

    /// Prints the text or the JSON document.
    ///
    /// # Errors
    ///
    /// Returns an error if standard output cannot be written, for example because the pipe is
    /// closed.
    pub(crate) fn print(&self, is_json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if is_json {
            serde_json::to_writer_pretty(&mut out, &self.json)?;
            writeln!(out)?;
        } else if !self.text.is_empty() {
            writeln!(out, "{}", self.text.trim_end())?;
        }
        out.flush()
    }
}

/// Writes a line to standard error, and ignores the error if that is closed too.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Formats rows of cells as a table, with the first column left-aligned and the others
/// right-aligned.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells =
                rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([header[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (column, cell) in cells.enumerate() {
            let width = widths.get(column).copied().unwrap_or(0);
            if column == 0 {
                line.push_str(&format!("{cell:<width$}"));
            } else {
                line.push_str(&format!("  {cell:>width$}"));
            }
        }
        line.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut header.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// Formats a figure with four decimals, or `n/a` if it is undefined.
pub(crate) fn figure(value: Option<f64>) -> String {
    decimals(value, 4)
}

/// Returns whether a file is standard output, which flags call `-`, by whatever name.
pub(crate) fn is_standard(path: &Path) -> bool {
    roentgen_data::files::is_standard_output(path)
}

/// The name under which standard output can be written like a file.
pub(crate) const STANDARD: &str = "/dev/stdout";

/// Formats a number of films: `1 film`, `2,512 films`.
pub(crate) fn films(count: usize) -> String {
    format!("{} {}", thousands(count), if count == 1 { "film" } else { "films" })
}

/// Formats a number of patients: `1 patient`, `1,664 patients`.
pub(crate) fn patients(count: usize) -> String {
    format!("{} {}", thousands(count), if count == 1 { "patient" } else { "patients" })
}

/// Quotes a path for a shell, if that is needed. A path that begins like a flag gets a `./`.
pub(crate) fn quote(path: &Path) -> String {
    let mut text = path.display().to_string();
    if text.starts_with('-') {
        text.insert_str(0, "./");
    }
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+=:,@%".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Returns today's date in UTC, such as `2026-11-27`.
pub(crate) fn today() -> String {
    iso_8601(SystemTime::now()).split('T').next().unwrap_or_default().to_owned()
}

/// Formats a time in UTC as ISO 8601.
pub(crate) fn iso_8601(moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Converts days to a date of the Gregorian calendar, counted from 1 March of the year 0.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (date, month) =
        (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}+00:00")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_path_is_quoted_where_the_shell_would_read_it_otherwise() {
        for (path, expected) in [
            ("runs/a-1/model.bpk", "runs/a-1/model.bpk"),
            ("my films", "'my films'"),
            ("it's", "'it'\\''s'"),
            ("$HOME", "'$HOME'"),
            ("-x", "./-x"),
            ("- x", "'./- x'"),
            ("", "''"),
        ] {
            assert_eq!(quote(Path::new(path)), expected);
        }
    }

    #[test]
    fn columns_line_up() {
        let text = table(&["finding", "films"], &[vec!["Mass".into(), "1,234".into()]]);

        assert_eq!(text, "finding  films\nMass     1,234");
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        let at = |seconds| iso_8601(UNIX_EPOCH + Duration::from_secs(seconds));

        assert_eq!(at(0), "1970-01-01T00:00:00+00:00");
        assert_eq!(at(951_827_696), "2000-02-29T12:34:56+00:00");
        assert_eq!(at(1_795_392_000), "2026-11-23T00:00:00+00:00");
    }
}

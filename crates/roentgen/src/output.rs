//! The result of a command on standard output: text for people or one JSON document for programs.
//!
//! Everything else goes to standard error. A closed pipe is not treated as an error.

use std::io::{self, Write};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let text = table(&["finding", "films"], &[vec!["Mass".into(), "1,234".into()]]);

        assert_eq!(text, "finding  films\nMass     1,234");
    }
}

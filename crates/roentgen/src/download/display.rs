//! One display for all files of a call: a bar on a terminal, plain lines elsewhere.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::ProgressBar;

use super::{Download, DownloadProgress, Error, Fetched};
use crate::output::{note, thousands};
use crate::progress::Bars;

/// The display of the downloads of a call.
pub(crate) struct DownloadDisplay {
    bar: ProgressBar,
    /// The current file.
    pub(crate) name: String,
    before: u64,
    after: u64,
    films: Cell<usize>,
    said: RefCell<String>,
}

impl DownloadDisplay {
    /// Starts the display; `expected` is the total number of bytes, as far as it is known.
    pub(crate) fn new(bars: Bars, expected: u64) -> Self {
        let bar = bars.over_bytes("fetching");
        bar.set_length(expected);
        Self {
            bar,
            name: String::new(),
            before: 0,
            after: expected,
            films: Cell::new(0),
            said: RefCell::default(),
        }
    }

    /// Starts the next file, whose share of the expected total is `expected` bytes.
    pub(crate) fn begin(&mut self, name: &str, expected: u64) {
        self.name = name.to_owned();
        self.after = self.after.saturating_sub(expected);
        self.films.set(0);
        self.bar.set_message(name.to_owned());
    }

    /// Downloads the current file and shows its progress.
    pub(crate) fn download(&self, download: &Download) -> Result<Fetched, Error> {
        download.fetch(&|progress| {
            match progress {
                DownloadProgress::At(bytes, of) => self.report(bytes, of),
                DownloadProgress::StartsOver => self.report(0, None),
                DownloadProgress::Waits(error, wait) => self.report_wait(error, wait),
            }
            ControlFlow::Continue(())
        })
    }

    /// Shows that this number of bytes of the file has arrived.
    pub(crate) fn report(&self, bytes: u64, of: Option<u64>) {
        self.bar.set_length(self.before + of.unwrap_or(bytes) + self.after);
        self.bar.set_position(self.before + bytes);
    }

    /// Shows that the file is complete and that the rest of it is being unpacked.
    pub(crate) fn unpacks(&self, bytes: u64) {
        self.report(bytes, Some(bytes));
        self.bar.set_message(format!("{}, unpacking", self.name));
    }

    /// Shows the number of films unpacked from the file.
    pub(crate) fn films(&self, films: usize) {
        self.films.set(films);
        self.bar.set_message(format!("{}, {} films", self.name, thousands(films)));
    }

    /// Shows that the next attempt follows after a wait.
    pub(crate) fn report_wait(&self, error: &Error, wait: Duration) {
        let line = format!("{error}; trying again");
        // A repeated error is printed once.
        if self.said.replace(line.clone()) != line {
            self.say(&format!("{line} in {:.1} s", wait.as_secs_f64()));
        }
    }

    /// Shows that the file is finished.
    pub(crate) fn finish(&mut self, bytes: u64) {
        self.before += bytes;
        self.bar.set_length(self.before + self.after);
        self.bar.set_position(self.before);
    }

    /// Prints a line above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }
}

impl Drop for DownloadDisplay {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Formats a number of bytes for people.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

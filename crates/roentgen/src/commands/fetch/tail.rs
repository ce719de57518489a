//! Reads a file while it grows, so that the decoder runs in parallel with the download.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use roentgen_data::files;

/// How far the file has grown, as reported by the writer.
#[derive(Debug, Default)]
pub(super) struct Growth {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    bytes: u64,
    /// How many times the download started over.
    beginnings: u32,
    end: Option<End>,
}

/// How a file stops growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The file is complete, and its checksum is right.
    Whole,
    /// The file is incomplete or wrong, and no more bytes follow.
    Broken,
}

impl Growth {
    /// Reports the number of bytes so far.
    pub(super) fn report(&self, bytes: u64) {
        self.state().bytes = bytes;
        self.changed.notify_all();
    }

    /// Reports that all bytes are about to be cut off.
    pub(super) fn start_over(&self) {
        let mut state = self.state();
        state.bytes = 0;
        state.beginnings += 1;
        self.changed.notify_all();
    }

    /// Reports that the file has stopped growing.
    pub(super) fn end(&self, end: End) {
        self.state().end = Some(end);
        self.changed.notify_all();
    }

    /// Returns how many times the download started over.
    pub(super) fn beginnings(&self) -> u32 {
        self.state().beginnings
    }

    /// Waits until the file stops growing, or the download starts over after that `beginning`.
    pub(super) fn wait(&self, beginning: u32) {
        let mut state = self.state();
        while state.end.is_none() && state.beginnings == beginning {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a growing file from its first byte, and waits at the current end.
#[derive(Debug)]
pub(super) struct Tail<'a> {
    growth: &'a Growth,
    /// The name of the complete file.
    to: PathBuf,
    /// Opened with the first byte, because before it there may be no file.
    file: Option<File>,
    at: u64,
    beginning: u32,
}

impl<'a> Tail<'a> {
    /// Makes a reader of the part that will become `to`.
    pub(super) fn new(growth: &'a Growth, to: &Path) -> Self {
        let beginning = growth.beginnings();
        Self { growth, to: to.to_owned(), file: None, at: 0, beginning }
    }

    /// Waits for bytes and returns their number, which is zero at the end of a complete file.
    fn wait(&self) -> io::Result<u64> {
        let mut state = self.growth.state();
        loop {
            if state.beginnings != self.beginning {
                return Err(io::Error::other("the download has started over"));
            }
            if state.bytes > self.at {
                return Ok(state.bytes - self.at);
            }
            match state.end {
                Some(End::Whole) => return Ok(0),
                Some(End::Broken) => return Err(io::Error::other("the download has ended early")),
                None => {
                    state = self.growth.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.wait()?;
        let most = usize::try_from(there).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let file = match &mut self.file {
            Some(file) => file,
            // A short download may already be complete, and have its final name.
            file => file.insert(
                File::open(files::temporary_path(&self.to)).or_else(|_| File::open(&self.to))?,
            ),
        };
        let read = file.read(&mut buffer[..most])?;
        // The file was cut off during the read: these bytes may be from either version.
        if read == 0 || self.growth.beginnings() != self.beginning {
            return Err(io::Error::other("the download has started over"));
        }
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_reader_waits_for_bytes_and_ends_with_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let growth = Growth::default();

        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut bytes = Vec::new();
                Tail::new(&growth, &path).read_to_end(&mut bytes).map(|_| bytes)
            });
            let mut file = File::create(files::temporary_path(&path)).unwrap();
            for (piece, bytes) in [(b"abc", 3), (b"def", 6)] {
                std::thread::sleep(std::time::Duration::from_millis(20));
                file.write_all(piece).unwrap();
                growth.report(bytes);
            }
            growth.end(End::Whole);
            reader.join().unwrap()
        });

        assert_eq!(read.unwrap(), b"abcdef");
    }

    #[test]
    fn a_reader_of_an_older_beginning_fails_and_a_new_one_reads_the_new_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        let growth = Growth::default();
        growth.report(3);
        let mut old = Tail::new(&growth, &path);
        old.read_exact(&mut [0; 2]).unwrap();

        growth.start_over();
        std::fs::write(&path, "newer").unwrap();
        growth.report(5);
        growth.end(End::Whole);
        let mut text = String::new();
        Tail::new(&growth, &path).read_to_string(&mut text).unwrap();

        assert!(old.read(&mut [0; 2]).is_err());
        assert_eq!(text, "newer");
    }

    #[test]
    fn a_download_that_ends_early_is_an_error_and_no_end_of_file() {
        let growth = Growth::default();
        growth.end(End::Broken);

        assert!(Tail::new(&growth, Path::new("none")).read(&mut [0; 2]).is_err());
    }
}

//! Progress of an interrupted `prepare`: `prepare.part.toml`, replaced after each block.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{BadFilm, Error};
use crate::files;

const FILE: &str = "prepare.part.toml";

/// The longest journal that is read, in bytes; it names every bad film.
const MAX_BYTES: u64 = 128 << 20;

/// The work that is safely on disk.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    settings: String,
    inputs: String,
    /// Number of films processed; those that are not in `bad` are in the store.
    pub(super) films: usize,
    /// Those films that could not be decoded.
    #[serde(default)]
    pub(super) bad: Vec<BadFilm>,
}

impl Journal {
    /// Reads the journal in `out` or starts one; starts over if films have changed since.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal has other settings: another size or filter.
    pub(super) fn resume(out: &Path, settings: &str, inputs: &str) -> Result<Self, Error> {
        let path = out.join(FILE);
        let fresh =
            Self { settings: settings.to_owned(), inputs: inputs.to_owned(), ..Self::default() };
        if !path.exists() {
            return Ok(fresh);
        }
        let bytes = files::read_at_most(&path, MAX_BYTES)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let text = String::from_utf8_lossy(&bytes);
        let journal: Self = toml::from_str(&text)
            .map_err(|source| Error::Damaged { path: path.clone(), source: Box::new(source) })?;
        if journal.settings != settings {
            let what = format!(
                "{} films of an unfinished `prepare` ({})",
                journal.films, journal.settings
            );
            return Err(Error::Mixed { path: out.to_owned(), what });
        }
        Ok(if journal.inputs == inputs { journal } else { fresh })
    }

    /// Forgets the films on disk, which are then packed again.
    pub(super) fn start_over(&mut self) {
        self.films = 0;
        self.bad.clear();
    }

    /// Replaces the journal on disk.
    pub(super) fn write(&self, out: &Path) -> Result<(), Error> {
        let text = toml::to_string(self).unwrap_or_default();
        Ok(files::write_whole(&out.join(FILE), text.as_bytes())?)
    }

    /// Removes the journal; a leftover journal does no harm next to a `prepare.toml`.
    pub(super) fn remove(out: &Path) {
        let _ = fs::remove_file(out.join(FILE));
    }
}

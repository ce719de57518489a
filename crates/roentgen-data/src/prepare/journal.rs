//! How far a killed `prepare` had come: `prepare.part.toml`, rewritten whole after each block.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{BadFilm, Error};
use crate::files;

const FILE: &str = "prepare.part.toml";

/// What is safely on the disk.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Journal {
    inputs: String,
    /// Films looked at; those that are not in `bad` are in the store.
    pub(super) films: usize,
    /// Films among them that could not be decoded.
    #[serde(default)]
    pub(super) bad: Vec<BadFilm>,
}

impl Journal {
    /// Reads the journal in `out`, or begins one.
    ///
    /// # Errors
    ///
    /// A journal of other inputs: another size, filter or set of films.
    pub(super) fn resume(out: &Path, inputs: &str) -> Result<Self, Error> {
        let path = out.join(FILE);
        if !path.exists() {
            return Ok(Self { inputs: inputs.to_owned(), ..Self::default() });
        }
        let text = fs::read_to_string(&path)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let journal: Self = toml::from_str(&text)
            .map_err(|source| Error::Damaged { path: path.clone(), source: Box::new(source) })?;
        if journal.inputs != inputs {
            let what = format!(
                "{} films of an unfinished `prepare` with another size, filter or set of films",
                journal.films
            );
            return Err(Error::Mixed { path: out.to_owned(), what });
        }
        Ok(journal)
    }

    /// Replaces the journal on the disk.
    pub(super) fn write(&self, out: &Path) -> Result<(), Error> {
        let text = toml::to_string(self).unwrap_or_default();
        Ok(files::write_whole(&out.join(FILE), text.as_bytes())?)
    }

    /// Takes the journal away; one that is left over does no harm beside a `prepare.toml`.
    pub(super) fn remove(out: &Path) {
        let _ = fs::remove_file(out.join(FILE));
    }
}

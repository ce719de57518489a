//! `fetch.toml`: the files of a data set that were fetched, with their addresses and checksums.

use std::path::Path;

use anyhow::Context as _;
use roentgen_data::files;
use serde::{Deserialize, Serialize};

use crate::download::Fetched;

const FILE: &str = "fetch.toml";

/// `fetch.toml`
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    #[serde(default)]
    files: Vec<Record>,
}

/// One completely downloaded file; an archive is also completely unpacked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The file, such as `images_001.tar.gz`.
    pub(super) name: String,
    /// The address that it was downloaded from.
    pub(super) address: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Its checksum, with its kind.
    pub(super) checksum: String,
    /// Whether the checksum was compared with the published one.
    pub(super) verified: bool,
    /// The number of films in an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) films: Option<usize>,
}

impl Record {
    pub(super) fn of(name: &str, address: &str, fetched: &Fetched, is_verified: bool) -> Self {
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            bytes: fetched.bytes,
            checksum: fetched.checksum.to_string(),
            verified: is_verified,
            films: None,
        }
    }
}

impl Journal {
    /// Reads the journal in `out`, or returns an empty one if there is none.
    pub(super) fn read(out: &Path) -> anyhow::Result<Self> {
        let path = out.join(FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("could not read `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| {
            format!("`{}` was not written by `fetch`; delete it to start over", path.display())
        })
    }

    /// Returns the record of a file.
    pub(super) fn of(&self, name: &str) -> Option<&Record> {
        self.files.iter().find(|record| record.name == name)
    }

    /// Adds the record of a file and writes the journal.
    pub(super) fn note(&mut self, out: &Path, record: Record) -> anyhow::Result<()> {
        self.files.retain(|other| other.name != record.name);
        self.files.push(record);
        self.files.sort_by(|a, b| a.name.cmp(&b.name));
        self.write(out)
    }

    /// Removes the record of a file and writes the journal.
    pub(super) fn forget(&mut self, out: &Path, name: &str) -> anyhow::Result<()> {
        if self.of(name).is_none() {
            return Ok(());
        }
        self.files.retain(|other| other.name != name);
        self.write(out)
    }

    fn write(&self, out: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self).context("could not write the record of fetched files")?;
        Ok(files::write_whole(&out.join(FILE), text.as_bytes())?)
    }
}

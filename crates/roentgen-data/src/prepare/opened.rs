//! What is known of the files of a prepared data set that was opened.

use serde::Serialize;

/// What is known of one file of a prepared data set that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// It is the file that `prepare` wrote.
    Matches,
    /// An earlier version of the program recorded no hash of it.
    Unknown,
}

/// What is known of the files of a prepared data set that was opened. A file that has changed is an
/// error and never gets here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// `prepare.toml`
    pub description: Check,
    /// `manifest.csv`
    pub manifest: Check,
    /// `images.safetensors`
    pub films: Check,
    /// `boxes.csv`; matches if there is none and there should be none.
    pub boxes: Check,
    /// `bad-films.csv`
    pub bad_films: Check,
    /// `duplicates.csv`; matches if there is none and there should be none.
    pub duplicates: Check,
}

impl Checks {
    /// Whether every file is known to be the one that `prepare` wrote.
    pub fn all_match(self) -> bool {
        let Self { description, manifest, films, boxes, bad_films, duplicates } = self;
        [description, manifest, films, boxes, bad_films, duplicates] == [Check::Matches; 6]
    }
}

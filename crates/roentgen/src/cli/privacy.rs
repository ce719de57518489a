//! The flags that keep patients out of what is written.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Clone, Debug)]
pub(crate) struct PrivacyFlags {
    /// Write pseudonyms instead of the names and numbers of films and patients, leave out ages and
    /// sexes, and de-identify DICOM objects (PS3.15 Annex E, Basic Profile).
    #[arg(long)]
    pub(crate) de_identify: bool,
    /// File with a secret key of at least 16 bytes: the same key gives the same pseudonyms. By default
    /// a key is drawn, and pseudonyms are those of this call only.
    #[arg(long, value_name = "FILE", requires = "de_identify")]
    pub(crate) de_identify_key: Option<PathBuf>,
}

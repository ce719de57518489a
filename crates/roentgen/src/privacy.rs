//! The key of pseudonyms: from a file, or drawn.

use anyhow::{Context as _, anyhow};
use roentgen_data::files;
use roentgen_dicom::Pseudonyms;
use roentgen_tasks::sources::Privacy;

use crate::cli::PrivacyFlags;

/// Most bytes of a key.
const LONGEST: u64 = 4096;

/// Returns whether what is written may say whose films they are.
///
/// # Errors
///
/// Returns an error if the key cannot be read or drawn, or if it is too short.
pub(crate) fn privacy(flags: &PrivacyFlags) -> anyhow::Result<Privacy> {
    if !flags.de_identify {
        return Ok(Privacy::Named);
    }
    let Some(path) = &flags.de_identify_key else {
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| anyhow!("could not draw a key for pseudonyms: {error}"))?;
        return Ok(Privacy::DeIdentified(Pseudonyms::new(&key)?));
    };
    let failed = || format!("could not take the key of pseudonyms from `{}`", path.display());
    let key = files::read_at_most(path, LONGEST).with_context(failed)?;
    Ok(Privacy::DeIdentified(Pseudonyms::new(&key).with_context(failed)?))
}

//! The folder of published weights on this machine, one file per architecture.
//!
//! An experiment with `weights = "imagenet"` reads it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use roentgen_data::files;

use super::FileError;
use crate::zoo::Architecture;

/// Environment variable that sets the folder.
const VARIABLE: &str = "ROENTGEN_WEIGHTS";

/// The published weights have not been downloaded.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{folder}` has no published weights of {architecture}; run `roentgen weights pull \
     {architecture}` to download them, or `roentgen weights import FILE --architecture \
     {architecture}` to use a local file"
)]
pub struct Missing {
    /// The architecture.
    pub architecture: &'static str,
    /// The folder.
    pub folder: PathBuf,
}

/// Returns `$ROENTGEN_WEIGHTS`, or `roentgen/weights` in the user's cache folder.
pub fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return folder.into();
    }
    files::cache_folder().unwrap_or_else(|| PathBuf::from("roentgen")).join("weights")
}

/// Returns the path of an architecture's weights in a folder.
pub fn place(folder: &Path, architecture: Architecture) -> PathBuf {
    folder.join(format!("{}.safetensors", architecture.name()))
}

/// Returns the path of an architecture's published weights.
///
/// # Errors
///
/// Returns an error if the file does not exist.
pub fn find(architecture: Architecture) -> Result<PathBuf, Missing> {
    let folder = folder();
    let path = place(&folder, architecture);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Missing { architecture: architecture.name(), folder })
    }
}

/// Key of the origin in the header of a file.
pub const ORIGIN: &str = "origin";
/// Key of the licence in the header of a file.
pub const LICENCE: &str = "licence";
/// Maximum length of a header, a limit of the format.
const LONGEST_HEADER: u64 = 100_000_000;

/// Returns the original file of a file in the folder, and its SHA-256, read from the header alone;
/// returns `unknown` if the header does not say.
///
/// # Errors
///
/// Returns an error if the file cannot be read or is not a safetensors file.
pub fn origin(path: &Path) -> Result<String, FileError> {
    let header = files::open(path).and_then(|mut file| {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes)?;
        let length = u64::from_le_bytes(bytes);
        if length > LONGEST_HEADER {
            return Err(io::Error::other("the header is longer than the format allows"));
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header)?;
        Ok(header)
    });
    let header = header.map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    // The crate's own reader also reads the tensors, to check that they are complete.
    let header: serde_json::Value = serde_json::from_slice(&header).map_err(|error| {
        FileError::Read { path: path.to_owned(), source: io::Error::other(error) }
    })?;
    Ok(header["__metadata__"][ORIGIN].as_str().unwrap_or("unknown").to_owned())
}

//! The folder of published weights on this machine, one file an architecture.
//!
//! An experiment's `weights = "imagenet"` reads it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::FileError;
use crate::zoo::Architecture;

/// Names the folder, where set.
pub const VARIABLE: &str = "ROENTGEN_WEIGHTS";

/// Published weights that are not on this machine.
#[derive(Debug, thiserror::Error)]
#[error(
    "there are no published weights of {architecture} in `{folder}`; `roentgen weights pull \
     {architecture}` downloads them, `roentgen weights import FILE --architecture {architecture}` takes \
     a file that is here"
)]
pub struct Missing {
    /// The architecture.
    pub architecture: &'static str,
    /// Where they were looked for.
    pub folder: PathBuf,
}

/// `$ROENTGEN_WEIGHTS`, or `roentgen/weights` in the user's cache folder.
pub fn folder() -> PathBuf {
    let named = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(folder) = named(VARIABLE) {
        return folder.into();
    }
    let cache = named("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || named("HOME").or_else(|| named("USERPROFILE")).map(PathBuf::from);
    let cache = cache.or_else(|| Some(home()?.join(".cache"))).unwrap_or_default();
    cache.join("roentgen").join("weights")
}

/// Where an architecture's weights stand in a folder.
pub fn place(folder: &Path, architecture: Architecture) -> PathBuf {
    folder.join(format!("{}.safetensors", architecture.name()))
}

/// An architecture's published weights.
///
/// # Errors
///
/// They are not here.
pub fn find(architecture: Architecture) -> Result<PathBuf, Missing> {
    let folder = folder();
    let path = place(&folder, architecture);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Missing { architecture: architecture.name(), folder })
    }
}

/// The key of the origin in a file's header.
pub const ORIGIN: &str = "origin";
/// The key of the licence in a file's header.
pub const LICENCE: &str = "licence";
/// The longest header that is read: the format's own limit.
const LONGEST_HEADER: u64 = 100_000_000;

/// The file that one in the folder was made from, and its SHA-256, read from the header alone;
/// `unknown` where that does not say.
///
/// # Errors
///
/// The file system's; no safetensors file.
pub fn origin(path: &Path) -> Result<String, FileError> {
    let header = File::open(path).and_then(|mut file| {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes)?;
        let length = u64::from_le_bytes(bytes);
        if length > LONGEST_HEADER {
            return Err(io::Error::other("its header would be longer than the format allows"));
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header)?;
        Ok(header)
    });
    let header = header.map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    // The crate's own reader wants the tensors too, to check that they are all there.
    let header: serde_json::Value = serde_json::from_slice(&header).map_err(|error| {
        FileError::Read { path: path.to_owned(), source: io::Error::other(error) }
    })?;
    Ok(header["__metadata__"][ORIGIN].as_str().unwrap_or("unknown").to_owned())
}

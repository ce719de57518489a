//! The folder of published weights on this machine, one file an architecture.
//!
//! An experiment's `weights = "imagenet"` reads it.

use std::path::{Path, PathBuf};

use crate::zoo::Architecture;

/// Names the folder, where set.
pub const VARIABLE: &str = "ROENTGEN_WEIGHTS";

/// Published weights that are not on this machine.
#[derive(Debug, thiserror::Error)]
#[error(
    "there are no published weights of {architecture} in `{folder}`; name their file instead, as in \
     `--set model.weights=FILE`"
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

//! Real films, label files, weights and reference predictions, which are not part of the project.

use std::path::{Path, PathBuf};

use crate::Missing;

/// Returns a file or folder of the shared data: below the folder that `ROENTGEN_SHARED_DATA` names,
/// or `../shared/data` beside the project.
///
/// # Errors
///
/// Returns that it is not there.
pub fn data(name: &str) -> Result<PathBuf, Missing> {
    let folder = std::env::var_os("ROENTGEN_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    Err(Missing(format!("there is no shared data `{name}`, see ROENTGEN_SHARED_DATA")))
}

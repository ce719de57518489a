//! The folder in which a program may keep what it can make again.

use std::env;
use std::path::PathBuf;

/// Returns `roentgen` in the user's cache folder: below `$XDG_CACHE_HOME`, or else below `.cache` in
/// the home folder. `None` if the environment names neither.
pub fn cache_folder() -> Option<PathBuf> {
    let named = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let home = || named("HOME").or_else(|| named("USERPROFILE")).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").map(PathBuf::from);
    Some(cache.or_else(|| Some(home()?.join(".cache")))?.join("roentgen"))
}

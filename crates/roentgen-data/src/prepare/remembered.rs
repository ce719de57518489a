//! `.verified`: which files of a prepared data set were compared with their hash on which machine,
//! and in which state they were then.
//!
//! The state is length, time of modification and of change, device and inode, so that a copy or an
//! edited file is compared again. The time of change cannot be set back, unlike that of
//! modification. A file that changed moments ago is not remembered: clocks of file systems are
//! coarse, and a second change within the same tick would have the same time.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::files;

/// Name of the file.
const FILE: &str = ".verified";
/// The number of machines that are remembered.
const MACHINES: usize = 64;
/// How long a file must have been left alone; FAT counts in steps of two seconds.
const QUIET: Duration = Duration::from_secs(3);

/// The state of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) bytes: u64,
    text: String,
    changed: SystemTime,
}

/// The content of `.verified`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    #[serde(default)]
    verified: Vec<Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    machine: String,
    file: String,
    sha256: String,
    state: String,
}

/// Returns the state of a file; `None` if it cannot be told.
pub(super) fn state(path: &Path) -> Option<State> {
    let about = fs::metadata(path).ok()?;
    let nanos = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
    let modified = about.modified().ok()?;
    let text = format!("{} bytes, modified {:?}", about.len(), nanos(modified)?);
    #[cfg(not(unix))]
    let changed = modified;
    #[cfg(unix)]
    let (text, changed) = {
        use std::os::unix::fs::MetadataExt;
        let seconds = Duration::new(
            u64::try_from(about.ctime()).ok()?,
            u32::try_from(about.ctime_nsec()).ok()?,
        );
        let (inode, device) = (about.ino(), about.dev());
        let text = format!("{text}, changed {seconds:?}, inode {inode} of {device}");
        (text, SystemTime::UNIX_EPOCH + seconds)
    };
    Some(State { bytes: about.len(), text, changed })
}

/// Whether this machine has found that the file has this hash, in its present state.
pub(super) fn is_verified(folder: &Path, path: &Path, sha256: &str) -> bool {
    state(path).is_some_and(|state| read(folder).verified.contains(&entry(path, sha256, &state)))
}

/// Remembers that the file was found to have this hash in `before`, its state when hashing began at
/// `start`. Where the folder cannot be written to, nothing is remembered.
pub(super) fn remember(
    folder: &Path,
    path: &Path,
    sha256: &str,
    before: Option<State>,
    start: SystemTime,
) {
    let Some(before) = before.filter(|before| state(path).as_ref() == Some(before)) else { return };
    if start.duration_since(before.changed).is_ok_and(|quiet| quiet >= QUIET) {
        let entry = entry(path, sha256, &before);
        let mut all = read(folder);
        all.verified.retain(|old| old.machine != entry.machine || old.file != entry.file);
        let surplus = (all.verified.len() + 1).saturating_sub(MACHINES);
        all.verified.drain(..surplus);
        all.verified.push(entry);
        if let Ok(text) = toml::to_string(&all) {
            // Verified is verified, whether or not it can be noted.
            let _ = files::write_whole(&folder.join(FILE), text.as_bytes());
        }
    }
}

fn entry(path: &Path, sha256: &str, state: &State) -> Entry {
    Entry {
        machine: machine(),
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: sha256.to_owned(),
        state: state.text.clone(),
    }
}

fn read(folder: &Path) -> Remembered {
    let bytes = files::read_at_most(&folder.join(FILE), 1 << 20).unwrap_or_default();
    String::from_utf8(bytes).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
}

/// Identifies this machine: inodes and times of a shared disk are the same on all of them, what they
/// have in their caches is not.
fn machine() -> String {
    let known = ["/etc/machine-id", "/proc/sys/kernel/hostname"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty());
    known.unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers the file as if hashing began this long after the last change.
    fn remember_after(folder: &Path, path: &Path, seconds: u64) {
        let before = state(path);
        let start = before.as_ref().unwrap().changed + Duration::from_secs(seconds);
        remember(folder, path, "abc", before, start);
    }

    #[test]
    fn a_file_is_verified_until_it_changes_is_replaced_or_has_another_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.safetensors");
        fs::write(&path, b"pixels").unwrap();
        assert!(!is_verified(folder.path(), &path, "abc"));

        remember_after(folder.path(), &path, 10);
        assert!(is_verified(folder.path(), &path, "abc"));
        assert!(!is_verified(folder.path(), &path, "abd"));

        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fs::copy(&path, folder.path().join("copy")).unwrap();
        fs::rename(folder.path().join("copy"), &path).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert!(!is_verified(folder.path(), &path, "abc"));
    }

    #[test]
    fn a_file_that_changed_moments_ago_or_meanwhile_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.safetensors");
        fs::write(&path, b"pixels").unwrap();

        remember_after(folder.path(), &path, 1);
        assert!(!is_verified(folder.path(), &path, "abc"));
        let before = state(&path);
        fs::write(&path, b"pixels, more").unwrap();
        remember(folder.path(), &path, "abc", before, SystemTime::now() + QUIET);
        assert!(!is_verified(folder.path(), &path, "abc"));
    }

    #[test]
    fn a_damaged_note_is_as_none_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.safetensors");
        fs::write(&path, b"pixels").unwrap();
        fs::write(folder.path().join(FILE), b"verified = [[[").unwrap();

        assert!(!is_verified(folder.path(), &path, "abc"));
        remember_after(folder.path(), &path, 10);
        assert!(is_verified(folder.path(), &path, "abc"));
    }
}

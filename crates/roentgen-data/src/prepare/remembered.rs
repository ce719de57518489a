//! `.verified`: which files of a prepared data set were compared with their hash on which machine,
//! and in which state they were then.
//!
//! The state is length, time of modification and of change, device and inode, so that a copy or an
//! edited file is compared again. The time of change cannot be set back, unlike that of
//! modification. A file that changed moments ago is not remembered: clocks of file systems are
//! coarse, and a second change within the same tick would have the same time.
//!
//! Where the folder is read-only, the note is in the user's cache folder instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::digest::hex;
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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    is_noted(&notes(folder), path, sha256)
}

fn is_noted(notes: &[PathBuf], path: &Path, sha256: &str) -> bool {
    let Some(state) = state(path) else { return false };
    let entry = entry(path, sha256, &state);
    notes.iter().any(|note| read(note).verified.contains(&entry))
}

/// Remembers that the file was found to have this hash in `before`, its state when hashing began at
/// `start`.
pub(super) fn remember(
    folder: &Path,
    path: &Path,
    sha256: &str,
    before: Option<State>,
    start: SystemTime,
) {
    note(&notes(folder), path, sha256, before, start);
}

fn note(notes: &[PathBuf], path: &Path, sha256: &str, before: Option<State>, start: SystemTime) {
    let Some(before) = before.filter(|before| state(path).as_ref() == Some(before)) else { return };
    if start.duration_since(before.changed).is_ok_and(|quiet| quiet >= QUIET) {
        let entry = entry(path, sha256, &before);
        // Verified is verified, whether or not it can be noted.
        let _ = notes.iter().any(|note| add(note, &entry));
    }
}

/// Adds an entry to a note; returns whether it could be written.
fn add(note: &Path, entry: &Entry) -> bool {
    let mut all = read(note);
    all.verified.retain(|old| old.machine != entry.machine || old.file != entry.file);
    let surplus = (all.verified.len() + 1).saturating_sub(MACHINES);
    all.verified.drain(..surplus);
    all.verified.push(entry.clone());
    let is_ready = files::create_folder_of(note).is_ok();
    let text = toml::to_string(&all).ok().filter(|_| is_ready);
    text.is_some_and(|text| files::write_whole(note, text.as_bytes()).is_ok())
}

/// Returns the places of the note of a folder: in it, and for one that is read-only, in the cache
/// folder under a hash of its path.
fn notes(folder: &Path) -> Vec<PathBuf> {
    let absolute = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = hex(&Sha256::digest(absolute.as_os_str().as_encoded_bytes()));
    let cached = files::cache_folder().map(|cache| cache.join("verified").join(&name[..32]));
    [Some(folder.join(FILE)), cached].into_iter().flatten().collect()
}

fn entry(path: &Path, sha256: &str, state: &State) -> Entry {
    Entry {
        machine: machine(),
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: sha256.to_owned(),
        state: state.text.clone(),
    }
}

fn read(note: &Path) -> Remembered {
    let bytes = files::read_at_most(note, 1 << 20).unwrap_or_default();
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
    fn a_folder_that_cannot_be_written_to_has_its_note_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.safetensors");
        fs::write(&path, b"pixels").unwrap();
        // A folder in the place of the note, which not even root can write as a file.
        fs::create_dir(folder.path().join(FILE)).unwrap();
        let elsewhere = folder.path().join("cache/verified/0123");
        let notes = [folder.path().join(FILE), elsewhere.clone()];

        let before = state(&path);
        let start = before.as_ref().unwrap().changed + 2 * QUIET;
        note(&notes, &path, "abc", before, start);

        assert!(elsewhere.is_file());
        assert!(is_noted(&notes, &path, "abc") && !is_noted(&notes[..1], &path, "abc"));
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

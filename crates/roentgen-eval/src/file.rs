//! Writes files under a temporary name and renames them, so that no reader sees an incomplete file.
//!
//! The temporary name is the whole name with `.tmp` appended: with `with_extension`, `a.svg` and
//! `a.html` would collide.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::Error;

/// Writes the file under a temporary name, syncs it and renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = PathBuf::from(aside);

    let written = File::create(&aside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&aside, path));
    written.map_err(|source| {
        // The temporary file is useless, and failing to remove it changes nothing.
        let _ = fs::remove_file(&aside);
        Error::Write { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");

        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();

        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write(Path::new("/nowhere/at/all.txt"), b"").unwrap_err();

        assert_eq!(error.to_string(), "could not write `/nowhere/at/all.txt`");
    }
}

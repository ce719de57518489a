//! DICOM files in ZIP archives, as hospitals export studies.
//!
//! A file in an archive has the path of the archive, followed by its own: `study.zip/DICOM/IM1`. It
//! is unpacked into a temporary file without a name each time it is read. Archives in archives are
//! not looked into.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;

use crate::files;
use crate::kind::{Kind, START, is_dicomdir, is_film, is_hidden};

/// The longest file that is unpacked, in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// Returns the DICOM files in the archive at `path`, in order; none if it is not an archive or cannot be
/// read, see [`damage`]. A file that cannot be unpacked, for example for lack of a password, counts by its name.
pub(crate) fn dicom_files(path: &Path) -> Vec<PathBuf> {
    if !is_archive(path) {
        return Vec::new();
    }
    let Ok(mut archive) = archive(path) else { return Vec::new() };
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let Some(name) = archive.name_for_index(index).and_then(plain_path) else { continue };
        let is_passed_over = name.iter().any(is_hidden) || is_dicomdir(&name);
        if is_passed_over {
            continue;
        }
        let is_dicom = match archive.by_index(index) {
            Ok(entry) if entry.is_file() => {
                let mut start = Vec::new();
                match entry.take(START as u64).read_to_end(&mut start) {
                    Ok(_) => Kind::is_dicom(&start),
                    Err(_) => is_film(&name),
                }
            }
            Ok(_) => false,
            Err(_) => is_film(&name),
        };
        if is_dicom {
            found.push(path.join(name));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Says why the archive at `path` cannot be opened; `None` if it can, or if it is not an archive.
pub(crate) fn damage(path: &Path) -> Option<String> {
    if !is_archive(path) || !path.is_file() {
        return None;
    }
    archive(path).err().map(|error| error.to_string())
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

/// Returns the file that a path leads to: itself, or the archive that contains it.
pub fn file_of(path: &Path) -> Option<&Path> {
    path.ancestors().find(|path| path.is_file())
}

/// Whether a path leads into an archive.
pub(crate) fn is_inside(path: &Path) -> bool {
    file_of(path).is_some_and(|file| file != path)
}

/// Unpacks a file in an archive.
///
/// # Errors
///
/// Returns an error if the path leads to no archive that contains it, or if the file cannot be
/// unpacked or is too long.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let outer = file_of(path).filter(|outer| *outer != path).ok_or_else(missing)?;
    let inner = path.strip_prefix(outer).map_err(|_| missing())?;
    let mut archive = archive(outer)?;
    let is_it = |index: &usize| {
        archive.name_for_index(*index).and_then(plain_path).is_some_and(|name| name == inner)
    };
    // Most names are written as they are looked up; others are found by looking at all of them.
    let direct = inner.to_str().and_then(|name| archive.index_for_name(name));
    let index = direct.or_else(|| (0..archive.len()).find(is_it)).ok_or_else(missing)?;
    let entry = archive.by_index(index).map_err(io::Error::other)?;
    let mut file = tempfile::tempfile()?;
    let copied = io::copy(&mut entry.take(MAX_BYTES + 1), &mut file)?;
    if copied > MAX_BYTES {
        let text = format!("it unpacks to more than {} MiB", MAX_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

fn archive(path: &Path) -> io::Result<ZipArchive<io::BufReader<File>>> {
    let file = io::BufReader::new(files::open(path)?);
    ZipArchive::new(file).map_err(io::Error::other)
}

/// Returns a name in an archive as a path below it; `None` if it leads elsewhere.
fn plain_path(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(name.replace('\\', "/"));
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(is_plain).then(|| path.components().collect())
}

/// Returns the length of the file that a path leads to; 0 if it does not exist.
pub(crate) fn length(path: &Path) -> u64 {
    file_of(path).and_then(|file| fs::metadata(file).ok()).map_or(0, |about| about.len())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    /// An archive with these files.
    fn zipped(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("study.ZIP");
        let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, bytes) in files {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    fn dicom(rest: &[u8]) -> Vec<u8> {
        [&[0; 128][..], b"DICM", rest].concat()
    }

    #[test]
    fn dicom_files_are_found_by_content_and_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let film = dicom(b"film");
        let path = zipped(
            folder.path(),
            &[
                ("DICOM/IM2", &film),
                ("DICOM/IM1", &dicom(b"")),
                ("DICOM/", b""),
                ("DICOMDIR", &dicom(b"list")),
                ("__MACOSX/DICOM/._IM1", &dicom(b"")),
                ("../outside.dcm", &dicom(b"")),
                ("README.txt", b"no film"),
            ],
        );

        let found = dicom_files(&path);

        assert_eq!(found, [path.join("DICOM/IM1"), path.join("DICOM/IM2")]);
        let mut bytes = Vec::new();
        open(&found[1]).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, film);
        assert_eq!(length(&found[1]), fs::metadata(&path).unwrap().len());
        assert_eq!(open(&path.join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(open(&folder.path().join("a/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_damaged_archive_has_no_files_and_a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = zipped(folder.path(), &[("a.dcm", &dicom(&[7; 5000]))]);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        // In the compressed bytes, after the local header.
        flipped[60] ^= 0xff;
        fs::write(&path, &flipped).unwrap();
        assert!(open(&path.join("a.dcm")).is_err());

        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(dicom_files(&path).is_empty());
        assert!(damage(&path).is_some());
        fs::write(&path, &whole).unwrap();
        assert_eq!(damage(&path), None);
        assert_eq!(damage(folder.path()), None);
    }
}

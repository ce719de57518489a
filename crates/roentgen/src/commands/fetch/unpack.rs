//! Unpacks films from a `.tar.gz` stream.
//!
//! The archive is not trusted: a name that leads out of the folder, a link or a device stops the
//! unpacking before that entry is written. Each film is written under a temporary name and renamed,
//! so a stream that ends early leaves no incomplete film under a film's name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use roentgen_data::files::{self, WriteError};
use roentgen_data::nih;
use tar::{Archive, Entry, EntryType};

/// Bytes read at once.
const BLOCK: usize = 128 * 1024;

/// Why an archive could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// It is cut off or damaged, or is not an archive.
    #[error("`{archive}` is not a complete archive of films (.tar.gz)")]
    Damaged { archive: String, source: io::Error },
    /// It would write elsewhere.
    #[error(
        "`{archive}` has the entry `{entry}`, {what}; NIH's archives have no such entry, so no \
         film of this one was kept"
    )]
    Unsafe { archive: String, entry: String, what: &'static str },
    /// It has no films.
    #[error("`{archive}` contains no films")]
    NoFilms { archive: String },
    /// A film could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Unpacks the films of `stream` into `folder` and reports their number so far to `told`.
///
/// The films may not be on the disk yet: [`sync`] waits for that.
pub(super) fn films(
    archive: &str,
    stream: impl Read,
    folder: &Path,
    told: &dyn Fn(usize),
) -> Result<Vec<PathBuf>, Error> {
    let damaged = |source| Error::Damaged { archive: archive.to_owned(), source };
    let mut tar = Archive::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, stream)));
    let mut films = Vec::new();
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let Some(name) = find_film_name(archive, &entry)? else { continue };
        let film = folder.join(name);
        write(archive, &mut entry, &film)?;
        films.push(film);
        told(films.len());
    }
    // The checksum of the compressed stream follows the last entry.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(damaged)?;
    if films.is_empty() {
        return Err(Error::NoFilms { archive: archive.to_owned() });
    }
    Ok(films)
}

/// Returns the name of an entry that is a film, `None` for folders and other files.
fn find_film_name<R: Read>(archive: &str, entry: &Entry<'_, R>) -> Result<Option<PathBuf>, Error> {
    let name = entry.path().map_err(|source| Error::Damaged { archive: archive.into(), source })?;
    let refused = |what| {
        let entry = name.display().to_string();
        Err(Error::Unsafe { archive: archive.to_owned(), entry, what })
    };
    let is_inside =
        name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_inside {
        return refused("which leads out of the folder");
    }
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            Ok(nih::is_film(&name).then(|| name.into_owned()))
        }
        EntryType::Directory | EntryType::XGlobalHeader => Ok(None),
        EntryType::Symlink | EntryType::Link => refused("which is a link"),
        _ => refused("which is neither a file nor a folder"),
    }
}

/// Writes one film under a temporary name and renames it.
fn write(archive: &str, entry: &mut impl Read, film: &Path) -> Result<(), Error> {
    let aside = files::temporary_path(film);
    let failed = |source| WriteError { path: film.to_owned(), source };
    if let Some(folder) = film.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create(&aside).map_err(failed)?;
    let mut block = vec![0; BLOCK];
    loop {
        let read = entry
            .read(&mut block)
            .map_err(|source| Error::Damaged { archive: archive.to_owned(), source })?;
        if read == 0 {
            break;
        }
        file.write_all(&block[..read]).map_err(failed)?;
    }
    Ok(fs::rename(&aside, film).map_err(failed)?)
}

/// Waits until films are on the disk.
///
/// One wait for all films costs little, because most of them are on the disk by then; a wait after
/// each film would take an hour for a hundred thousand films.
pub(super) fn sync(films: &[PathBuf]) -> Result<(), WriteError> {
    let mut folder = None;
    for film in films {
        let failed = |source| WriteError { path: film.clone(), source };
        OpenOptions::new()
            .write(true)
            .open(film)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        if folder != film.parent() {
            folder = film.parent();
            files::sync_folder(film).map_err(failed)?;
        }
    }
    films.last().map_or(Ok(()), |film| {
        files::sync_folder(film).map_err(|source| WriteError { path: film.clone(), source })
    })
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    /// Makes an archive of entries, each a name, a type and its content.
    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            // Bypasses the crate's own check of names, as an attacker would.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    const FILM: (&str, EntryType, &[u8]) = ("images/a.png", EntryType::Regular, b"film");

    #[test]
    fn films_come_out_and_other_files_stay_in() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = archive(&[
            ("images/", EntryType::Directory, b""),
            FILM,
            ("README.txt", EntryType::Regular, b"text"),
            ("./images/b.png", EntryType::Regular, &[7; 300_000]),
        ]);

        let films = films("a", bytes.as_slice(), folder.path(), &|_| {}).unwrap();

        sync(&films).unwrap();
        assert_eq!(films.len(), 2);
        assert_eq!(fs::read(folder.path().join("images/a.png")).unwrap(), b"film");
        assert_eq!(fs::read(folder.path().join("images/b.png")).unwrap(), [7; 300_000]);
        assert!(!folder.path().join("README.txt").exists());
    }

    #[test]
    fn names_that_lead_out_links_and_devices_are_refused() {
        for entry in [
            ("../out.png", EntryType::Regular, &b"film"[..]),
            ("/out.png", EntryType::Regular, b"film"),
            ("images/../../out.png", EntryType::Regular, b"film"),
            ("images/b.png", EntryType::Symlink, b""),
            ("images/b.png", EntryType::Link, b""),
            ("images/b.png", EntryType::Fifo, b""),
        ] {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("films");
            let bytes = archive(&[FILM, entry]);

            let error = films("a", bytes.as_slice(), &folder, &|_| {}).unwrap_err();

            assert!(matches!(error, Error::Unsafe { .. }), "{error}");
            assert!(!place.path().join("out.png").exists());
            assert!(!folder.join("images/b.png").exists());
        }
    }

    #[test]
    fn a_stream_that_ends_early_leaves_no_half_film() {
        let noise: Vec<u8> =
            (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let bytes = archive(&[FILM, ("images/b.png", EntryType::Regular, &noise)]);
        let folder = tempfile::tempdir().unwrap();

        let error = films("a", &bytes[..bytes.len() / 2], folder.path(), &|_| {}).unwrap_err();

        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(folder.path().join("images/a.png").exists());
        assert!(!folder.path().join("images/b.png").exists());
    }

    #[test]
    fn a_flipped_bit_and_an_archive_without_films_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut flipped = archive(&[FILM]);
        let last = flipped.len() - 6;
        flipped[last] ^= 1;
        let empty = archive(&[("README.txt", EntryType::Regular, b"text")]);
        let unpack = |bytes: &[u8]| films("a", bytes, folder.path(), &|_| {}).unwrap_err();

        assert!(matches!(unpack(&flipped), Error::Damaged { .. }));
        assert!(matches!(unpack(&empty), Error::NoFilms { .. }));
        assert!(matches!(unpack(b"<html>"), Error::Damaged { .. }));
    }
}

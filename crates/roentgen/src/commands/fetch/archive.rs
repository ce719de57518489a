//! One archive of films: downloaded, verified and unpacked at once, whole or not there.
//!
//! While the archive grows in `fetch.part/`, a second thread unpacks what is there of it into
//! `images_001.part/`. A gzip stream cannot be entered in its middle, so after a break the download
//! goes on where it stood and the unpacking reads again from the first byte on the disk. The folder
//! gets its name when the checksum is right, all films are on the disk and the journal says so: a
//! folder without a name is then finished by the next call, and one without a record is not ours.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context as _;
use roentgen_data::files;

use super::WORK;
use super::tail::{End, Growth, Tail};
use super::unpack::{self, Error};
use crate::download::{self, Download, Fetched, Progress, Shown};

/// Downloads `download.to` and unpacks it aside of `folder`: how many films that were. The archive is
/// left where it lies, and the folder gets its name by [`name`].
///
/// # Errors
///
/// The download's, an archive that is damaged or not to be trusted, a full disk. A damaged archive
/// does not stay, since going on with it would not heal it.
pub(super) fn fetch(
    download: &Download,
    folder: &Path,
    shown: &Shown,
) -> anyhow::Result<(Fetched, usize)> {
    let aside = files::aside(folder);
    let (fetched, films) = match download.kept()? {
        Some(kept) => {
            shown.unpacks(kept.bytes);
            let file = File::open(&download.to)
                .with_context(|| format!("could not read `{}`", download.to.display()))?;
            let films = anew(&aside)
                .and_then(|()| {
                    unpack::films(&shown.name, file, &aside, &|films| shown.films(films))
                })
                .inspect_err(|error| forget(download, &aside, error))?;
            (kept, films)
        }
        None => beside(download, &aside, shown)?,
    };
    unpack::sync(&films)?;
    Ok((fetched, films.len()))
}

/// Gives the folder of films its name.
pub(super) fn name(folder: &Path) -> anyhow::Result<()> {
    fs::rename(files::aside(folder), folder)
        .and_then(|()| files::sync_folder(folder))
        .with_context(|| format!("could not name the folder `{}`", folder.display()))
}

/// Downloads and unpacks side by side.
fn beside(
    download: &Download,
    aside: &Path,
    shown: &Shown,
) -> anyhow::Result<(Fetched, Vec<PathBuf>)> {
    let growth = Growth::default();
    let unpacked = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let name = shown.name.as_str();
    let (fetched, films) = std::thread::scope(|scope| {
        let unpacking = scope.spawn(|| {
            let films = follow(download, aside, name, &growth, &unpacked);
            has_failed.store(films.is_err(), Ordering::Relaxed);
            films
        });
        let last = RefCell::new(0);
        let fetched = download.fetch(&|progress| {
            match progress {
                Progress::At(bytes, of) => {
                    growth.at(bytes);
                    shown.at(bytes, of);
                }
                Progress::StartsOver => growth.starts_over(),
                Progress::Waits(error, wait) => shown.waits(error, wait),
            }
            let films = unpacked.load(Ordering::Relaxed);
            if last.replace(films) != films {
                shown.films(films);
            }
            let stops = has_failed.load(Ordering::Relaxed);
            if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        growth.ends(if fetched.is_ok() { End::Whole } else { End::Broken });
        if let Ok(fetched) = &fetched {
            shown.unpacks(fetched.bytes);
        }
        (fetched, unpacking.join())
    });
    let films = films.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (fetched, films) {
        (Ok(fetched), Ok(films)) => Ok((fetched, films)),
        // The download was stopped because of it, or ended before it.
        (Ok(_) | Err(download::Error::Stopped { .. }), Err(error)) => {
            forget(download, aside, &error);
            Err(error.into())
        }
        (Err(error), _) => {
            let _ = fs::remove_dir_all(aside);
            Err(error.into())
        }
    }
}

/// Unpacks a growing archive, from the beginning again when the download starts over.
fn follow(
    download: &Download,
    aside: &Path,
    name: &str,
    growth: &Growth,
    unpacked: &AtomicUsize,
) -> Result<Vec<PathBuf>, Error> {
    loop {
        anew(aside)?;
        let beginning = growth.beginnings();
        let films = unpack::films(name, Tail::new(growth, &download.to), aside, &|films| {
            unpacked.store(films, Ordering::Relaxed);
        });
        // What was unpacked is worth something when the download has ended, too.
        if films.is_ok() {
            growth.wait(beginning);
        }
        if growth.beginnings() == beginning {
            return films;
        }
    }
}

/// An empty folder to unpack into.
fn anew(aside: &Path) -> Result<(), Error> {
    let cleared = match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(aside),
    };
    Ok(cleared.map_err(|source| files::WriteError { path: aside.to_owned(), source })?)
}

/// Takes away what cannot be gone on with.
fn forget(download: &Download, aside: &Path, error: &Error) {
    match error {
        // Room can be made; the download goes on.
        Error::Write(_) => {}
        Error::Damaged { .. } | Error::Unsafe { .. } | Error::NoFilms { .. } => {
            download::discard(&download.to);
            let is_ours = download.to.parent().is_some_and(|folder| folder.ends_with(WORK));
            if is_ours {
                let _ = fs::remove_file(&download.to);
            }
        }
    }
    let _ = fs::remove_dir_all(aside);
}

//! Downloads, verifies and unpacks one archive of films at the same time.
//!
//! While the archive grows in `fetch.part/`, a second thread unpacks it into `images_001.part/`. A
//! gzip stream cannot be read from the middle, so after an interruption the download resumes, but
//! the unpacking starts over from the first byte on the disk. The folder gets its name when the
//! checksum is right, all films are on the disk and the journal has a record of it. The next call
//! finishes a recorded folder that has no name yet; a named folder without a record is not ours.

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
use crate::download::{self, Download, DownloadDisplay, DownloadProgress, Fetched};

/// Downloads `download.to`, unpacks it next to `folder` and returns the number of films. The
/// archive stays where it is, and [`name`] gives the folder its name.
///
/// # Errors
///
/// Returns an error if the download fails, if the archive is damaged or not safe to unpack, or if a
/// file cannot be written. A damaged archive is deleted, because resuming it would not repair it.
pub(super) fn fetch(
    download: &Download,
    folder: &Path,
    shown: &DownloadDisplay,
) -> anyhow::Result<(Fetched, usize)> {
    let aside = files::temporary_path(folder);
    let (fetched, films) = match download.find_complete()? {
        Some(kept) => {
            shown.unpacks(kept.bytes);
            let file = File::open(&download.to)
                .with_context(|| format!("could not read `{}`", download.to.display()))?;
            let films = recreate_folder(&aside)
                .and_then(|()| {
                    unpack::films(&shown.name, file, &aside, &|films| shown.films(films))
                })
                .inspect_err(|error| forget(download, &aside, error))?;
            (kept, films)
        }
        None => download_and_unpack(download, &aside, shown)?,
    };
    unpack::sync(&films)?;
    Ok((fetched, films.len()))
}

/// Gives the folder of films its name.
pub(super) fn name(folder: &Path) -> anyhow::Result<()> {
    fs::rename(files::temporary_path(folder), folder)
        .and_then(|()| files::sync_folder(folder))
        .with_context(|| format!("could not rename the folder `{}`", folder.display()))
}

/// Downloads and unpacks in parallel.
fn download_and_unpack(
    download: &Download,
    aside: &Path,
    shown: &DownloadDisplay,
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
                DownloadProgress::At(bytes, of) => {
                    growth.report(bytes);
                    shown.report(bytes, of);
                }
                DownloadProgress::StartsOver => growth.start_over(),
                DownloadProgress::Waits(error, wait) => shown.report_wait(error, wait),
            }
            let films = unpacked.load(Ordering::Relaxed);
            if last.replace(films) != films {
                shown.films(films);
            }
            let stops = has_failed.load(Ordering::Relaxed);
            if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        growth.end(if fetched.is_ok() { End::Whole } else { End::Broken });
        if let Ok(fetched) = &fetched {
            shown.unpacks(fetched.bytes);
        }
        (fetched, unpacking.join())
    });
    let films = films.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    match (fetched, films) {
        (Ok(fetched), Ok(films)) => Ok((fetched, films)),
        // The failure stopped the download, or came after the download ended.
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

/// Unpacks a growing archive, and starts over when the download does.
fn follow(
    download: &Download,
    aside: &Path,
    name: &str,
    growth: &Growth,
    unpacked: &AtomicUsize,
) -> Result<Vec<PathBuf>, Error> {
    loop {
        recreate_folder(aside)?;
        let beginning = growth.beginnings();
        let films = unpack::films(name, Tail::new(growth, &download.to), aside, &|films| {
            unpacked.store(films, Ordering::Relaxed);
        });
        // The films are only valid once the download has ended, too.
        if films.is_ok() {
            growth.wait(beginning);
        }
        if growth.beginnings() == beginning {
            return films;
        }
    }
}

/// Makes an empty folder to unpack into.
fn recreate_folder(aside: &Path) -> Result<(), Error> {
    let cleared = match fs::remove_dir_all(aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(aside),
    };
    Ok(cleared.map_err(|source| files::WriteError { path: aside.to_owned(), source })?)
}

/// Deletes the files that cannot be resumed.
fn forget(download: &Download, aside: &Path, error: &Error) {
    match error {
        // The user can free disk space; the download can be resumed.
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

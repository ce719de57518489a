//! Writes files completely or not at all, and opens only files that are files.
//!
//! ```
//! let path = std::env::temp_dir().join(format!("roentgen-files-{}.txt", std::process::id()));
//!
//! roentgen_files::write_whole(&path, b"all or nothing")?;
//!
//! assert_eq!(roentgen_files::read_at_most(&path, 100)?, b"all or nothing");
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A file is written under a temporary name, synced, then renamed. The trap is the rename alone:
//! without the sync before it, a power cut can leave the new name with the old content or none. The
//! other trap is what the name already is: a link is followed, and a device, FIFO or socket is
//! written to, because a rename would replace it (`/dev/null` as an ordinary file breaks a machine).

mod cache;
mod standard;

use std::fs::{self, File, FileType};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

pub use cache::cache_folder;
pub use standard::is_standard_output;

/// The number of links from one name to another that is followed, as in the Linux kernel.
const MAX_LINKS: usize = 40;

/// A file could not be written; no incomplete file is left under its name.
#[derive(Debug, thiserror::Error)]
#[error("could not write `{path}`")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The cause: no space left, no permission, ...
    pub source: io::Error,
}

/// A folder could not be created.
#[derive(Debug, thiserror::Error)]
#[error("could not create the folder `{path}`")]
pub struct FolderError {
    /// The folder.
    pub path: PathBuf,
    /// The cause.
    pub source: io::Error,
}

/// Creates a folder and those above it, unless they exist.
///
/// # Errors
///
/// Returns an error if it cannot be created.
pub fn create_folder(path: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(path).map_err(|source| FolderError { path: path.to_owned(), source })
}

/// Creates the folder of a file, unless it exists.
///
/// # Errors
///
/// Returns an error if it cannot be created.
pub fn create_folder_of(file: &Path) -> Result<(), FolderError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => create_folder(folder),
        _ => Ok(()),
    }
}

/// Writes `bytes` to `path` completely or not at all.
///
/// A link is followed. A device, FIFO or socket is written to.
///
/// # Errors
///
/// Returns an error if the file cannot be written; the temporary file is removed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes the output of `fill` to `path` completely or not at all.
///
/// A link is followed. A device, FIFO or socket is written to; `fill` cannot seek there.
///
/// # Errors
///
/// Returns an error if the file cannot be written or if `fill` fails; the temporary file is
/// removed.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), WriteError> {
    let failed = |source| WriteError { path: path.to_owned(), source };
    match destination(path).map_err(failed)? {
        Destination::Stream(mut stream) => fill(&mut stream).map_err(failed),
        Destination::File(file) => replace(&file, fill).map_err(failed),
    }
}

/// Fills a file next to `path` and renames it.
fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let aside = temporary_path(path);
    // Locked until it is renamed: another process that writes the same file waits.
    let mut file = claim(&aside)?;
    let written = fill(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| sync_folder(path));
    if written.is_err() {
        // The first error is the one to report; a leftover file does no harm.
        let _ = fs::remove_file(&aside);
    }
    written
}

/// Creates the temporary file, or takes over a leftover, and locks it.
fn claim(aside: &Path) -> io::Result<File> {
    loop {
        // A leftover may be a link to some other file, which must not be written.
        if fs::symlink_metadata(aside).is_ok_and(|about| !about.is_file()) {
            fs::remove_file(aside)?;
        }
        let file = File::options().create(true).write(true).truncate(false).open(aside)?;
        file.lock()?;
        // The process that held the lock has renamed its file meanwhile: that one is not ours.
        if is_at(&file, aside)? {
            file.set_len(0)?;
            return Ok(file);
        }
    }
}

/// Returns whether an open file is still the one of this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

/// What the name of an output leads to.
enum Destination {
    /// A file, or nothing yet: this name is replaced.
    File(PathBuf),
    /// Something that is open for writing and is not replaced.
    Stream(File),
}

fn destination(path: &Path) -> io::Result<Destination> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        if let Some(stream) = descriptor(&target) {
            return stream.map(Destination::Stream);
        }
        let about = match fs::symlink_metadata(&target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Destination::File(target));
            }
            about => about?,
        };
        if about.is_symlink() {
            let next = fs::read_link(&target)?;
            target = target.parent().unwrap_or(Path::new("")).join(next);
        } else if about.is_file() {
            return Ok(Destination::File(target));
        } else if about.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "there is a folder of this name",
            ));
        } else {
            return open_special(&target, about.file_type()).map(Destination::Stream);
        }
    }
    Err(io::Error::other(format!("the name leads over more than {MAX_LINKS} links")))
}

/// Opens what `/dev/stdout`, `/dev/fd/3` and the like lead to. `None` for any other name.
///
/// The link in `/proc` names the file that the shell opened; replacing that file would leave the
/// shell with the old one.
fn descriptor(path: &Path) -> Option<io::Result<File>> {
    let number = descriptor_number(path)?;
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let owned = match number {
            1 => io::stdout().as_fd().try_clone_to_owned(),
            2 => io::stderr().as_fd().try_clone_to_owned(),
            _ => return Some(File::options().append(true).open(path)),
        };
        Some(owned.map(File::from))
    }
    #[cfg(not(unix))]
    {
        let _ = number;
        None
    }
}

/// Returns the number in `/dev/fd/3` and the like.
fn descriptor_number(path: &Path) -> Option<u32> {
    let text = path.to_str()?;
    let number = text.strip_prefix("/proc/self/fd/").or_else(|| text.strip_prefix("/dev/fd/"));
    match text {
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => number?.parse().ok(),
    }
}

#[cfg(unix)]
fn open_special(path: &Path, kind: FileType) -> io::Result<File> {
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::FileTypeExt;
    if kind.is_socket() {
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        return Ok(File::from(OwnedFd::from(stream)));
    }
    File::options().write(true).open(path)
}

#[cfg(not(unix))]
fn open_special(path: &Path, _kind: FileType) -> io::Result<File> {
    File::options().write(true).open(path)
}

/// Opens a file for reading; a folder, device, FIFO or socket is refused at once.
///
/// Opening a FIFO would wait for a writer, and a device such as `/dev/zero` never ends.
///
/// # Errors
///
/// Returns an error if the file cannot be opened or is not a file.
pub fn open(path: &Path) -> io::Result<File> {
    let about = fs::metadata(path)?;
    if about.is_file() {
        return File::open(path);
    }
    let what = kind_name(about.file_type());
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
///
/// Returns an error if the file cannot be read, is longer, or is a folder, device, FIFO or socket.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_at_most(path, limit)?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file in UTF-8 of at most `limit` bytes; a byte order mark at its start is left out.
///
/// # Errors
///
/// Returns an error as [`read_at_most`] does, and if the file is not UTF-8.
pub fn read_text_at_most(path: &Path, limit: u64) -> io::Result<String> {
    text(read_at_most(path, limit)?)
}

/// Makes text of the bytes of a file in UTF-8; a byte order mark at its start is left out.
///
/// # Errors
///
/// Returns an error if the bytes are not UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let text = "it is in UTF-16; save it as UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let text = format!("it is not UTF-8 ({}); save it as UTF-8", error.utf8_error());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Opens a file of at most `limit` bytes.
///
/// # Errors
///
/// Returns an error if the file cannot be opened, is longer, or is a folder, device, FIFO or
/// socket.
pub fn open_at_most(path: &Path, limit: u64) -> io::Result<File> {
    let file = open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has {} MiB; at most {} MiB are read", bytes >> 20, limit >> 20),
        ));
    }
    Ok(file)
}

fn kind_name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

/// Returns the temporary name of an incomplete file: `path` with `.part` appended.
pub fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Makes a rename within the folder of `path` survive a power cut.
///
/// # Errors
///
/// Returns an error if the folder cannot be opened or synced.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests;

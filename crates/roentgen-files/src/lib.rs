//! Writes files completely or not at all, and opens only files that are files.
//!
//! A file is written under a temporary name, synced, then renamed. The trap is the rename alone:
//! without the sync before it, a power cut can leave the new name with the old content or none. The
//! other trap is what the name already is: a link is followed, and a device, FIFO or socket is
//! written to, because a rename would replace it (`/dev/null` as an ordinary file breaks a machine).

use std::fs::{self, File, FileType};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

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
    let aside = aside(path);
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
    let text = path.to_str()?;
    let number = text
        .strip_prefix("/proc/self/fd/")
        .or_else(|| text.strip_prefix("/dev/fd/"))
        .map(|number| number.parse::<u32>().ok());
    let number = match text {
        "/dev/stdout" => 1,
        "/dev/stderr" => 2,
        _ => number??,
    };
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
pub fn aside(path: &Path) -> PathBuf {
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
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        write_whole(&path, b"old").unwrap();

        let error = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no space left"))
        });

        assert_eq!(error.unwrap_err().path, path);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, b"three").unwrap();

        assert_eq!(read_at_most(&path, 5).unwrap(), b"three");
        assert_eq!(read_at_most(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(open(folder.path()).unwrap_err().to_string().contains("a folder"));
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{FileTypeExt, symlink};
        use std::process::Command;
        use std::time::{Duration, Instant};

        use super::*;

        #[test]
        fn a_link_is_followed_also_over_a_second_link_and_to_a_file_that_is_not_there_yet() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("deep")).unwrap();
            fs::write(at("deep/there.csv"), b"old").unwrap();
            symlink("deep/there.csv", at("second")).unwrap();
            symlink("second", at("first")).unwrap();
            symlink("deep/not-yet.csv", at("dangling")).unwrap();

            write_whole(&at("first"), b"new").unwrap();
            write_whole(&at("dangling"), b"made").unwrap();

            assert_eq!(fs::read(at("deep/there.csv")).unwrap(), b"new");
            assert_eq!(fs::read(at("deep/not-yet.csv")).unwrap(), b"made");
            assert!(fs::symlink_metadata(at("first")).unwrap().is_symlink());
            assert!(fs::symlink_metadata(at("dangling")).unwrap().is_symlink());
        }

        #[test]
        fn links_in_a_circle_and_folders_are_refused() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            symlink("b", at("a")).unwrap();
            symlink("a", at("b")).unwrap();

            assert!(write_whole(&at("a"), b"x").is_err());
            assert!(write_whole(folder.path(), b"x").is_err());
        }

        #[test]
        fn devices_are_written_to_and_stay_devices() {
            let folder = tempfile::tempdir().unwrap();
            let link = folder.path().join("out.csv");
            symlink("/dev/null", &link).unwrap();

            write_whole(&link, b"a,b\n").unwrap();

            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        }

        #[test]
        fn a_pipe_and_a_socket_are_written_to_and_stay() {
            let folder = tempfile::tempdir().unwrap();
            let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
            let from_pipe = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read(pipe).unwrap()
            });
            let from_socket = std::thread::spawn(move || {
                let mut bytes = Vec::new();
                listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
                bytes
            });

            write_whole(&pipe, b"to the pipe").unwrap();
            write_whole(&socket, b"to the socket").unwrap();

            assert_eq!(from_pipe.join().unwrap(), b"to the pipe");
            assert_eq!(from_socket.join().unwrap(), b"to the socket");
            assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
            assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
        }

        #[test]
        fn a_leftover_link_under_the_temporary_name_is_not_written_through() {
            let folder = tempfile::tempdir().unwrap();
            let at = |name: &str| folder.path().join(name);
            fs::write(at("precious"), b"kept").unwrap();
            symlink("precious", at("a.csv.part")).unwrap();

            write_whole(&at("a.csv"), b"new").unwrap();

            assert_eq!(fs::read(at("precious")).unwrap(), b"kept");
            assert_eq!(fs::read(at("a.csv")).unwrap(), b"new");
        }

        #[test]
        fn writers_of_one_file_wait_for_each_other_and_none_leaves_a_mixture() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.csv");
            let texts: Vec<Vec<u8>> = (b'a'..b'i').map(|letter| vec![letter; 50_000]).collect();
            std::thread::scope(|scope| {
                for text in &texts {
                    let path = &path;
                    scope.spawn(move || {
                        for _ in 0..20 {
                            let halves = text.split_at(text.len() / 2);
                            write_with(path, |file| {
                                file.write_all(halves.0)?;
                                file.write_all(halves.1)
                            })
                            .unwrap();
                            let read = fs::read(path).unwrap();
                            assert!(read.len() == 50_000 && read.iter().all(|b| *b == read[0]));
                        }
                    });
                }
            });

            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }

        #[test]
        fn special_files_are_not_opened_for_reading() {
            let folder = tempfile::tempdir().unwrap();
            let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            symlink("/dev/zero", &link).unwrap();
            let start = Instant::now();

            let what = |path: &Path| open(path).unwrap_err().to_string();
            assert!(what(&pipe).contains("a named pipe"), "{}", what(&pipe));
            assert!(what(&link).contains("a device"), "{}", what(&link));
            assert!(start.elapsed() < Duration::from_secs(2));
        }
    }
}

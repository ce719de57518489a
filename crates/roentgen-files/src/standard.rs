//! Whether the name of an output leads to standard output.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::{MAX_LINKS, descriptor_number};

/// Returns whether `path` leads to standard output, by whatever name: `/dev/stdout`, `/dev/fd/1`, a
/// link to one of them, or the file to which it was redirected.
pub fn is_standard_output(path: &Path) -> bool {
    let mut target: PathBuf = path.to_owned();
    for _ in 0..MAX_LINKS {
        if descriptor_number(&target) == Some(1) {
            return true;
        }
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => break,
        }
    }
    is_open_as_stdout(path)
}

/// Whether standard output is the file, pipe or terminal of this name. Two outputs
/// cannot mix in a device other than a terminal, such as `/dev/null`, so such a device is not meant.
#[cfg(unix)]
fn is_open_as_stdout(path: &Path) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let stdout = io::stdout();
    let Ok(owned) = stdout.as_fd().try_clone_to_owned() else { return false };
    let (Ok(open), Ok(named)) = (fs::File::from(owned).metadata(), fs::metadata(path)) else {
        return false;
    };
    let is_place = !open.file_type().is_char_device() || stdout.is_terminal();
    is_place && (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_open_as_stdout(_path: &Path) -> bool {
    let _ = io::stdout().is_terminal();
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn standard_output_is_known_by_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("/dev/stdout", at("link")).unwrap();
        std::os::unix::fs::symlink("link", at("another")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        std::os::unix::fs::symlink("circle", at("circle")).unwrap();
        fs::write(at("file"), b"").unwrap();

        for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert!(is_standard_output(Path::new(name)), "{name}");
        }
        assert!(is_standard_output(&at("link")) && is_standard_output(&at("another")));
        for name in ["file", "none", "dangling", "circle", ""] {
            assert!(!is_standard_output(&at(name)), "{name}");
        }
        assert!(!is_standard_output(Path::new("/dev/null")));
    }
}

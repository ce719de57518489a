//! Tests of writing and opening.

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

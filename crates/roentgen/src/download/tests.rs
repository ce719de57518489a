//! Downloads from a server on this machine that misbehaves.

use std::cell::RefCell;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use super::{Checksum, Download, DownloadProgress, Error, Fetched, Origin};

#[path = "../../tests/common/server.rs"]
mod server;

use server::{Server, Way};

/// Returns a file of 5,000 bytes, and its MD5.
fn file() -> (Vec<u8>, Checksum) {
    let bytes: Vec<u8> = (0..5000_u32).map(|i| (i * i / 7 % 251) as u8).collect();
    let mut sum = super::Sum::for_published(Some(&Checksum::Md5(String::new())));
    sum.add(&bytes);
    let checksum = sum.checksum();
    (bytes, checksum)
}

fn download(server: &Server, to: &Path, tries: u32) -> Download {
    let (_, checksum) = file();
    Download {
        url: server.url("films.tar.gz"),
        to: to.join("films.tar.gz"),
        checksum: Some(checksum),
        tries,
    }
}

fn fetch(download: &Download) -> Result<Fetched, Error> {
    download.fetch(&|_| ControlFlow::Continue(()))
}

fn from(server: &Server) -> Vec<Option<usize>> {
    server.asked().into_iter().map(|(_, from)| from).collect()
}

/// Lists the names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_connection_that_breaks_off_is_taken_up_where_it_broke() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::BreaksOff(1200), Way::BreaksOff(800)]);
    let seen = RefCell::new(Vec::new());

    let fetched = download(&server, folder.path(), 2)
        .fetch(&|progress| {
            if let DownloadProgress::At(bytes, of) = progress {
                seen.borrow_mut().push((bytes, of));
            }
            ControlFlow::Continue(())
        })
        .unwrap();

    assert_eq!(from(&server), [None, Some(1200), Some(2000)]);
    assert_eq!((fetched.bytes, fetched.origin), (5000, Origin::Downloaded));
    assert_eq!(fs::read(folder.path().join("films.tar.gz")).unwrap(), file().0);
    assert_eq!(names(folder.path()), ["films.tar.gz"]);
    assert!(seen.borrow().is_sorted() && seen.borrow().last() == Some(&(5000, Some(5000))));
}

#[test]
fn a_later_call_goes_on_and_the_one_after_asks_nothing() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::BreaksOff(3000)]);
    let download = download(&server, folder.path(), 1);

    let error = fetch(&download).unwrap_err();
    assert!(matches!(error, Error::BrokeOff { bytes: 3000, of: Some(5000), .. }), "{error}");
    assert!(!download.to.exists());
    assert_eq!(fetch(&download).unwrap().origin, Origin::Downloaded);
    assert_eq!(from(&server), [None, Some(3000)]);
    assert_eq!(fetch(&download).unwrap().origin, Origin::Kept);
    assert!(server.asked().is_empty());
}

#[test]
fn a_server_without_ranges_begins_again_and_ends_in_the_same_bytes() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    let ways = [Way::BreaksOff(1200), Way::IgnoresRangeAndBreaksOff(900), Way::IgnoresRange];
    server.serve("films.tar.gz", file().0, &ways);
    let starts = RefCell::new(0);

    let fetched = download(&server, folder.path(), 3).fetch(&|progress| {
        *starts.borrow_mut() += u32::from(matches!(progress, DownloadProgress::StartsOver));
        ControlFlow::Continue(())
    });

    assert_eq!(fetched.unwrap().checksum, file().1);
    assert_eq!(*starts.borrow(), 2);
}

#[test]
fn a_file_that_changed_between_two_tries_is_never_glued_together() {
    for ways in [vec![], vec![Way::IgnoresIfRange]] {
        let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
        let old: Vec<u8> = vec![9; 5000];
        server.serve("films.tar.gz", old, &[Way::BreaksOff(3000)]);
        fetch(&download(&server, folder.path(), 1)).unwrap_err();

        server.serve("films.tar.gz", file().0, &ways);
        fetch(&download(&server, folder.path(), 2)).unwrap();

        assert_eq!(fs::read(folder.path().join("films.tar.gz")).unwrap(), file().0);
    }
}

#[test]
fn a_part_of_another_address_is_not_gone_on_with() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::BreaksOff(3000)]);
    fetch(&download(&server, folder.path(), 1)).unwrap_err();
    server.serve("mirror.tar.gz", file().0, &[]);
    let url = server.url("mirror.tar.gz");

    fetch(&Download { url, ..download(&server, folder.path(), 1) }).unwrap();

    assert_eq!(from(&server), [None, None]);
}

#[test]
fn a_wrong_file_is_refused_with_both_sums_and_leaves_nothing() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", "something else", &[]);

    let error = fetch(&download(&server, folder.path(), 3)).unwrap_err().to_string();

    assert!(error.contains(&server.url("films.tar.gz")), "{error}");
    assert!(error.contains(&file().1.to_string()), "{error}");
    assert!(error.contains("MD5 6c7ba9c5a141421e1c03cb9807c97c74"), "{error}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_server_that_lies_about_the_length_is_given_up() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::ClaimsMore(10), Way::ClaimsMore(10)]);

    let error = fetch(&download(&server, folder.path(), 2)).unwrap_err();

    assert!(matches!(error, Error::Changed { .. } | Error::BrokeOff { .. }), "{error}");
    assert!(!folder.path().join("films.tar.gz").exists());
}

#[test]
fn a_file_in_pieces_without_a_length_is_whole_when_it_ends() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::InPieces]);

    assert_eq!(fetch(&download(&server, folder.path(), 1)).unwrap().bytes, 5000);
}

#[test]
fn a_busy_server_is_asked_again_and_a_missing_file_is_not() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::Status(503), Way::Status(404)]);

    let error = fetch(&download(&server, folder.path(), 5)).unwrap_err();

    assert!(matches!(error, Error::Status { status: 404, .. }), "{error}");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn a_login_page_is_no_file() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[Way::WebPage]);

    let error = fetch(&download(&server, folder.path(), 5)).unwrap_err();

    assert!(matches!(error, Error::WebPage { .. }), "{error}");
}

#[test]
fn another_file_in_the_place_is_named_and_left_alone() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[]);
    fs::write(folder.path().join("films.tar.gz"), "mine").unwrap();

    let error = fetch(&download(&server, folder.path(), 1)).unwrap_err();

    assert!(matches!(error, Error::Other { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join("films.tar.gz")).unwrap(), b"mine");
    assert!(server.asked().is_empty());
}

#[test]
fn a_download_that_is_stopped_keeps_what_it_has() {
    let (server, folder) = (Server::new(), tempfile::tempdir().unwrap());
    server.serve("films.tar.gz", file().0, &[]);
    let download = download(&server, folder.path(), 3);

    let error = download.fetch(&|progress| match progress {
        DownloadProgress::At(bytes, _) if bytes > 0 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });

    assert!(matches!(error, Err(Error::Stopped { .. })));
    fetch(&download).unwrap();
    assert!(server.asked()[1].1.is_some_and(|from| from > 0));
}

#[test]
fn no_server_is_an_error_that_names_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let url = "http://127.0.0.1:1/films.tar.gz".to_owned();
    let to = folder.path().join("films.tar.gz");

    let error = fetch(&Download { url, to, checksum: None, tries: 1 }).unwrap_err();

    assert!(error.to_string().contains("http://127.0.0.1:1/films.tar.gz"), "{error}");
    assert!(error.is_of_the_address());
}

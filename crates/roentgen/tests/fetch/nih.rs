//! The archives and tables of ChestX-ray14, with three small films per archive.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::common::{HEADER, Place, label_row, png};
use crate::server::{Server, Way};
use crate::{fails, ok};

/// Returns the film names of archive `number`: three films of two patients.
fn films(number: u32) -> Vec<String> {
    let [a, b] = [number * 2, number * 2 + 1];
    vec![format!("{a:08}_000.png"), format!("{a:08}_001.png"), format!("{b:08}_000.png")]
}

/// Makes an archive like NIH's, but not compressed, so that half of it contains half of its films.
fn archive(names: &[String]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    for name in names {
        let film = png([48, 40]);
        let mut header = tar::Header::new_gnu();
        header.set_size(film.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, format!("images/{name}"), film.as_slice()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Serves the tables and `archives` archives; every fourth patient is on the test list.
fn serve(server: &Server, archives: u32) {
    let mut labels = HEADER.replace("Patient Gender", "Patient Sex");
    let mut lists = [String::new(), String::new()];
    for number in 1..=archives {
        for film in films(number) {
            let patient: u32 = film[..8].parse().unwrap();
            labels.push_str(&label_row(&film, "Mass", patient));
            lists[usize::from(patient.is_multiple_of(4))].push_str(&format!("{film}\n"));
        }
        server.serve(&format!("images_{number:03}.tar.gz"), archive(&films(number)), &[]);
    }
    server.serve("Data_Entry_2017_v2020.csv", labels, &[]);
    let [train_val, test] = lists;
    server.serve("train_val_list.txt", train_val, &[]);
    server.serve("test_list.txt", test, &[]);
    let boxes = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000002_000.png,Mass,1,2,3,4\n";
    server.serve("BBox_List_2017.csv", boxes, &[]);
}

const TABLES: &str = "labels,lists,boxes";

#[test]
fn all_of_nih_comes_and_prepare_takes_it() {
    let (place, server) = (Place::new(), Server::new());
    serve(&server, 12);

    let text = ok(&place, &server, "nih --no-verify --out nih");
    assert!(text.contains("36 films of 12 archives, 4 tables"), "{text}");
    assert!(text.contains("next: roentgen prepare nih --out nih-224"), "{text}");
    assert!(text.contains("https://nihcc.app.box.com/v/ChestXray-NIHCC"), "{text}");
    assert!(text.contains("Wang et al."), "{text}");
    assert!(!place.at("nih/fetch.part").exists());
    assert!(!place.at("nih/images_001.tar.gz").exists());

    let prepared = place.json("prepare nih --out prepared --size 32");
    assert_eq!(prepared["prepared"]["films"], 36);
    assert_eq!(prepared["prepared"]["dataset"], "NIH ChestX-ray14");
    assert_eq!(prepared["prepared"]["boxes"], 1);
    assert_eq!(prepared["lists_only"], 0);
    assert_eq!(prepared["bad"].as_array().unwrap().len(), 0);
}

#[test]
fn a_second_call_asks_for_nothing() {
    let (place, server) = (Place::new(), Server::new());
    serve(&server, 2);
    let line = format!("nih --no-verify --only {TABLES},images_001,images_002 --out nih --json");
    let first: serde_json::Value = serde_json::from_str(&ok(&place, &server, &line)).unwrap();
    assert_eq!(server.asked().len(), 6);

    let second: serde_json::Value = serde_json::from_str(&ok(&place, &server, &line)).unwrap();

    assert!(server.asked().is_empty());
    assert_eq!(first, second);
    assert_eq!((&first["films"], &first["files"][4]["films"]), (&6.into(), &3.into()));
    assert_eq!(first["files"][4]["verified"], false);
}

#[test]
fn a_broken_connection_is_taken_up_while_films_are_unpacked() {
    let (place, server) = (Place::new(), Server::new());
    let bytes = archive(&films(1));
    let ways = [Way::BreaksOff(bytes.len() / 3), Way::BreaksOff(bytes.len() / 3)];
    server.serve("images_001.tar.gz", bytes.clone(), &ways);

    ok(&place, &server, "nih --no-verify --only images_001 --out nih");

    let from: Vec<_> = server.asked().into_iter().map(|(_, from)| from).collect();
    assert_eq!(from, [None, Some(bytes.len() / 3), Some(bytes.len() / 3 * 2)]);
    for film in films(1) {
        assert_eq!(place.read(&format!("nih/images_001/images/{film}")), png([48, 40]));
    }
}

#[test]
fn a_call_that_failed_leaves_no_half_film_and_the_next_goes_on() {
    let (place, server) = (Place::new(), Server::new());
    let bytes = archive(&films(1));
    let half = bytes.len() / 2;
    let gone = [Way::BreaksOff(half), Way::Status(503), Way::Status(503), Way::Status(503)];
    server.serve("images_001.tar.gz", bytes, &gone);
    let line = "nih --no-verify --only images_001 --out nih";

    let error = fails(&place, &server, line);
    assert!(error.contains("images_001.tar.gz") && error.contains("503"), "{error}");
    assert!(!place.at("nih/images_001").exists() && !place.at("nih/images_001.part").exists());
    server.asked();
    ok(&place, &server, line);

    let asked = server.asked();
    assert_eq!(asked.last().unwrap().1, Some(half));
    assert_eq!(fs::read_dir(place.at("nih/images_001/images")).unwrap().count(), 3);
}

#[test]
fn an_archive_that_changed_on_the_server_leaves_no_film_of_the_old_one() {
    let (place, server) = (Place::new(), Server::new());
    let old = archive(&films(7));
    let cut = old.len() - 40;
    let ways = [Way::BreaksOff(cut), Way::Status(503), Way::Status(503), Way::Status(503)];
    server.serve("images_001.tar.gz", old, &ways);
    let line = "nih --no-verify --only images_001 --out nih";
    fails(&place, &server, line);

    server.serve("images_001.tar.gz", archive(&films(1)), &[Way::IgnoresIfRange]);
    ok(&place, &server, line);

    let mut names: Vec<_> = fs::read_dir(place.at("nih/images_001/images"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, films(1));
}

#[test]
fn a_server_without_ranges_and_one_without_lengths_are_coped_with() {
    let (place, server) = (Place::new(), Server::new());
    let bytes = archive(&films(1));
    let half = bytes.len() / 2;
    server.serve("images_001.tar.gz", bytes, &[Way::BreaksOff(half), Way::IgnoresRange]);
    server.serve("images_002.tar.gz", archive(&films(2)), &[Way::InPieces]);

    ok(&place, &server, "nih --no-verify --only images_001,images_002 --out nih");

    assert_eq!(fs::read_dir(place.at("nih/images_001/images")).unwrap().count(), 3);
    assert_eq!(fs::read_dir(place.at("nih/images_002/images")).unwrap().count(), 3);
}

#[test]
fn another_archive_than_the_published_one_is_refused_and_not_kept() {
    let (place, server) = (Place::new(), Server::new());
    serve(&server, 1);

    let error = fails(&place, &server, "nih --only images_001 --out nih");

    assert!(error.contains(&server.url("images_001.tar.gz")), "{error}");
    assert!(error.contains("MD5 fe8ed0a6961412fddcbb3603c11b3698"), "{error}");
    for left in ["images_001", "images_001.part", "fetch.part/images_001.tar.gz"] {
        assert!(!place.at(&format!("nih/{left}")).exists(), "{left}");
    }
    let error = fails(&place, &server, "nih --only labels --out nih");
    assert!(error.contains("c69a6daca3549af707"), "{error}");
}

#[test]
fn an_archive_that_is_cut_off_or_writes_elsewhere_is_refused_and_not_kept() {
    let (place, server) = (Place::new(), Server::new());
    let whole = archive(&films(1));
    let half = whole[..whole.len() / 2].to_vec();
    let out = archive(&["x/y.png".into()]);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..10].copy_from_slice(b"../out.png");
    header.set_size(0);
    header.set_cksum();
    tar.append(&header, &b""[..]).unwrap();
    let evil = tar.into_inner().unwrap().finish().unwrap();
    let line = "nih --no-verify --only images_001 --out nih";

    for (bytes, what) in [(half, "not a complete archive"), (evil, "leads out of the folder")] {
        server.serve("images_001.tar.gz", bytes, &[]);
        let error = fails(&place, &server, line);
        assert!(error.contains(what), "{error}");
        assert!(!place.at("nih/images_001").exists() && !place.at("nih/out.png").exists());
    }
    // A refused archive does not block the correct one.
    server.serve("images_001.tar.gz", out, &[]);
    ok(&place, &server, line);
}

#[test]
fn a_call_that_was_killed_before_the_folder_had_its_name_is_finished() {
    let (place, server) = (Place::new(), Server::new());
    serve(&server, 1);
    let line = "nih --no-verify --only images_001 --out nih";
    ok(&place, &server, line);
    fs::rename(place.at("nih/images_001"), place.at("nih/images_001.part")).unwrap();
    server.asked();

    ok(&place, &server, line);
    assert!(server.asked().is_empty());
    assert!(place.at("nih/images_001").is_dir());

    fs::remove_dir_all(place.at("nih/images_001")).unwrap();
    ok(&place, &server, line);
    assert_eq!(fs::read_dir(place.at("nih/images_001/images")).unwrap().count(), 3);
}

#[test]
fn archives_are_kept_on_request_and_one_put_beside_is_used() {
    let (place, server) = (Place::new(), Server::new());
    serve(&server, 1);
    let line = "nih --no-verify --only images_001 --out nih --keep-archives";
    ok(&place, &server, line);
    assert_eq!(place.read("nih/images_001.tar.gz"), archive(&films(1)));
    fs::remove_dir_all(place.at("nih/images_001")).unwrap();
    server.asked();

    ok(&place, &server, "nih --no-verify --only images_001 --out nih");

    assert!(server.asked().is_empty());
    assert!(place.at("nih/images_001.tar.gz").exists());
    assert_eq!(fs::read_dir(place.at("nih/images_001/images")).unwrap().count(), 3);
}

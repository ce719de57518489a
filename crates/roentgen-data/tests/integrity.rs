//! A prepared data set whose files are not those that `prepare` wrote is refused.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use common::DataSet;
use roentgen_data::Dataset;
use roentgen_data::prepare::{Check, Error, FileState, Prepared, verify};
use sha2::{Digest, Sha256};

/// Six films of three patients, with two boxes, prepared.
fn prepared(root: &Path) -> std::path::PathBuf {
    let data = DataSet::six(root.join("data"), 1);
    data.table(
        "BBox_List_2017.csv",
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Mass,1,2,3,4\n\
         00000002_001.png,Infiltrate,5,6,7,8\n",
    );
    let out = root.join("out");
    data.prepare(&out).unwrap();
    out
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(path, changed).unwrap();
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Cuts the seal off.
fn without_seal(text: String) -> String {
    text[..text.rfind("seal = ").unwrap()].to_owned()
}

/// Takes the hashes out of `prepare.toml`, as an earlier version would have written it.
fn make_old(out: &Path) {
    edit(&out.join("prepare.toml"), |text| {
        let keep = |line: &&str| !line.contains("_sha256") && !line.starts_with("seal");
        text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
    });
}

#[test]
fn an_unchanged_folder_opens_with_every_file_matched() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());

    let opened = Prepared::open(&out).unwrap();

    assert!(opened.checks.all_match());
    assert_eq!((opened.rows.len(), opened.store.len()), (6, 6));
    assert_eq!(opened.boxes().unwrap().len(), 2);
    assert!(verify(&out, &|_, _| ()).unwrap().is_sound());
}

#[test]
fn one_changed_bit_in_any_file_is_refused_and_the_file_is_named() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 10] = [
        ("images.safetensors", |path| flip(path, 4096)),
        ("images.safetensors", |path| flip(path, 4096 + 6 * 256 - 1)),
        ("manifest.csv", |path| edit(path, |text| text.replacen("Effusion|Mass", "Mass", 1))),
        ("manifest.csv", |path| edit(path, |text| text.replacen(",1,0,", ",7,0,", 1))),
        ("manifest.csv", |path| edit(path, |text| format!("{text}\n"))),
        ("boxes.csv", |path| edit(path, |text| text.replace("Infiltration", "Nodule"))),
        ("bad-films.csv", |path| edit(path, |text| format!("{text}a.png,broken\n"))),
        ("duplicates.csv", |path| edit(path, |text| text.replace("likeness", "alike"))),
        ("prepare.toml", |path| edit(path, |text| text.replace("NIH ChestX-ray14", "others"))),
        ("prepare.toml", |path| edit(path, without_seal)),
    ];
    for (name, change) in changes {
        let root = tempfile::tempdir().unwrap();
        let out = prepared(root.path());
        change(&out.join(name));

        let error = Prepared::open(&out).unwrap_err();
        let found = verify(&out, &|_, _| ()).unwrap();

        assert!(matches!(&error, Error::Changed { path } if path.ends_with(name)), "{error}");
        assert!(error.to_string().contains("into a new folder"), "{error}");
        assert!(!found.is_sound());
        let changed: Vec<_> =
            found.files.iter().filter(|file| file.state == FileState::Changed).collect();
        assert!(matches!(changed[..], [file] if file.name == name), "{changed:?}");
    }
}

#[test]
fn a_file_that_is_missing_or_was_added_is_found() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    fs::remove_file(out.join("boxes.csv")).unwrap();

    assert!(matches!(Prepared::open(&out), Err(Error::Changed { .. })));
    let found = verify(&out, &|_, _| ()).unwrap();
    assert!(found.files.iter().any(|f| f.name == "boxes.csv" && f.state == FileState::Missing));

    let data = DataSet::six(root.path().join("no boxes"), 1);
    let out = root.path().join("out without boxes");
    data.prepare(&out).unwrap();
    fs::write(out.join("boxes.csv"), "image,finding,x,y,width,height\n").unwrap();

    assert!(matches!(Prepared::open(&out), Err(Error::Changed { .. })));
    let found = verify(&out, &|_, _| ()).unwrap();
    assert!(found.files.iter().any(|f| f.name == "boxes.csv" && f.state == FileState::Unexpected));
}

#[test]
fn a_folder_of_an_earlier_version_opens_and_says_what_is_unknown() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    make_old(&out);

    let opened = Prepared::open(&out).unwrap();

    assert!(!opened.checks.all_match());
    assert_eq!(opened.checks.films, Check::Matches);
    assert_eq!(opened.checks.boxes, Check::Unknown);
    assert_eq!(opened.checks.description, Check::Unknown);
    let found = verify(&out, &|_, _| ()).unwrap();
    assert!(found.is_sound());
    assert!(found.files.iter().any(|file| file.state == FileState::Unknown));
}

#[test]
fn one_hash_that_is_left_without_a_seal_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    edit(&out.join("prepare.toml"), |text| {
        let text = without_seal(text).replace("NIH ChestX-ray14", "others");
        let keep = |line: &&str| !line.contains("_sha256") || line.starts_with("duplicates");
        text.lines().filter(keep).map(|line| format!("{line}\n")).collect()
    });

    assert!(matches!(Prepared::open(&out), Err(Error::Changed { .. })));
}

#[test]
fn a_folder_of_the_version_before_the_hashes_of_the_lists_opens() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    edit(&out.join("prepare.toml"), |text| {
        let keep = |line: &&str| {
            !["bad_films_sha256", "duplicates_sha256", "seal"]
                .iter()
                .any(|key| line.starts_with(key))
        };
        let body: String = text.lines().filter(keep).map(|line| format!("{line}\n")).collect();
        let hash = Sha256::digest(&body);
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{body}seal = \"{digits}\"\n")
    });

    let opened = Prepared::open(&out).unwrap();

    assert_eq!(opened.checks.description, Check::Matches);
    assert_eq!(opened.checks.boxes, Check::Matches);
    assert_eq!([opened.checks.bad_films, opened.checks.duplicates], [Check::Unknown; 2]);
    assert!(verify(&out, &|_, _| ()).unwrap().is_sound());
}

#[test]
fn a_changed_folder_of_an_earlier_version_is_refused_by_its_fingerprint() {
    for name in ["images.safetensors", "manifest.csv"] {
        let root = tempfile::tempdir().unwrap();
        let out = prepared(root.path());
        make_old(&out);
        if name == "manifest.csv" {
            edit(&out.join(name), |text| text.replacen("Effusion|Mass", "Mass", 1));
        } else {
            flip(&out.join(name), 5000);
        }

        let error = Prepared::open(&out).unwrap_err();

        assert!(matches!(error, Error::ChangedOneOf { .. }), "{error}");
        assert!(!verify(&out, &|_, _| ()).unwrap().is_sound());
    }
}

#[test]
fn rows_that_contradict_the_description_are_refused_whatever_the_hashes() {
    let doubled = |text: String| {
        let second = text.lines().nth(2).unwrap().to_owned();
        text.replacen(&second, text.lines().nth(1).unwrap(), 1)
    };
    let fewer = |text: String| text.lines().take(6).map(|line| format!("{line}\n")).collect();
    let own_patients = |text: String| {
        let mut number = 10;
        let rows = text.lines().skip(1).map(|row| {
            number += 1;
            let mut cells: Vec<_> = row.split(',').map(str::to_owned).collect();
            cells[1] = number.to_string();
            cells.join(",") + "\n"
        });
        let rows: String = rows.collect();
        format!("{}\n{rows}", text.lines().next().unwrap())
    };
    let changes: [(&str, &dyn Fn(String) -> String); 3] =
        [("twice", &doubled), ("5 films", &fewer), ("6 patients", &own_patients)];
    for (what, change) in changes {
        let root = tempfile::tempdir().unwrap();
        let out = prepared(root.path());
        make_old(&out);
        edit(&out.join("manifest.csv"), change);

        let error = Prepared::open(&out).unwrap_err();

        assert!(matches!(error, Error::Inconsistent { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_film_less_in_the_store_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    let other = DataSet::new(root.path().join("one"));
    let mut other = other;
    other.add("00000001_000.png", "Mass", 1, &common::film(1, 1, 0));
    other.prepare(&root.path().join("out of one")).unwrap();
    fs::copy(root.path().join("out of one/images.safetensors"), out.join("images.safetensors"))
        .unwrap();

    assert!(matches!(Prepared::open(&out), Err(Error::Inconsistent { .. })));
}

#[test]
fn the_pixels_are_hashed_until_the_folder_was_left_alone_and_again_after_a_change() {
    let root = tempfile::tempdir().unwrap();
    let out = prepared(root.path());
    let hashed = || {
        let bytes = Cell::new(0);
        Prepared::open_with(&out, &|done, all| {
            assert!(done <= all);
            bytes.set(done);
        })
        .map(|_| bytes.get())
    };
    let length = fs::metadata(out.join("images.safetensors")).unwrap().len();

    assert_eq!(hashed().unwrap(), length);
    std::thread::sleep(Duration::from_millis(3200));
    assert_eq!(hashed().unwrap(), length);
    assert_eq!(hashed().unwrap(), 0);
    assert!(out.join(".verified").is_file());

    // The time of modification is put back, the length is the same.
    let path = out.join("images.safetensors");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    flip(&path, 4100);
    fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(matches!(hashed(), Err(Error::Changed { .. })));
}

#[test]
fn a_folder_without_a_description_says_what_to_run() {
    let root = tempfile::tempdir().unwrap();

    let error = Prepared::open(root.path()).unwrap_err().to_string();

    assert!(error.contains("run `roentgen prepare"), "{error}");
}

#[test]
fn a_stray_film_or_marker_does_not_rename_the_data_set() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    fs::write(data.root.join("images/._00000001_000.png"), b"\0\x05\x16\x07").unwrap();
    fs::write(data.root.join("images/scan.png"), common::film(9, 9, 9)).unwrap();
    data.table("elsewhere/PHANTOM.txt", "seed: 7\n");

    let outcome = data.prepare(&root.path().join("out")).unwrap();

    assert_eq!(outcome.description.dataset, Dataset::Nih);
    assert_eq!((outcome.unlisted, outcome.bad.len()), (1, 0));
}

#[test]
fn listed_films_and_a_marker_above_them_name_the_data_set() {
    let root = tempfile::tempdir().unwrap();
    let mut data = DataSet::six(root.path().join("data"), 1);
    data.table("images/PHANTOM.txt", "films: 6\nseed: 7\n");
    let drawn = data.prepare(&root.path().join("drawn")).unwrap();
    fs::remove_file(data.root.join("images/PHANTOM.txt")).unwrap();
    // It is listed and missing: another hospital's name all the same.
    data.row("scan.png", "No Finding", 9);
    let other = data.prepare(&root.path().join("other")).unwrap();

    assert_eq!(drawn.description.dataset, Dataset::Phantom { seed: Some(7) });
    assert_eq!(other.description.dataset, Dataset::NihLayout);
}

#[test]
fn a_box_list_of_an_interrupted_run_does_not_stay() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    let out = root.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("boxes.csv"), "image,finding,x,y,width,height\nz.png,Mass,1,2,3,4\n")
        .unwrap();

    data.prepare(&out).unwrap();

    assert!(!out.join("boxes.csv").exists());
    assert!(Prepared::open(&out).unwrap().checks.all_match());
}

#[test]
fn a_damaged_folder_is_not_called_finished() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    let whole = root.path().join("whole");
    data.prepare(&whole).unwrap();
    for (file, says) in [
        ("images.safetensors", "cut off"),
        ("manifest.csv", "was changed, replaced or damaged"),
        ("bad-films.csv", "was changed, replaced or damaged"),
    ] {
        let path = whole.join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        for error in [data.prepare(&whole).unwrap_err(), Prepared::open(&whole).unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains(says), "{file}: {text}");
            assert!(text.contains("`roentgen prepare` again into a new folder"), "{file}: {text}");
        }
        fs::remove_file(&path).unwrap();
        assert!(data.prepare(&whole).is_err(), "{file}");
        fs::write(&path, bytes).unwrap();
    }
    data.prepare(&whole).unwrap();
}

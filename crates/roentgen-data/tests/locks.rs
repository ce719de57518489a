//! One `prepare` at a time writes into a folder.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use std::sync::Barrier;

use common::{DataSet, SETTINGS};
use roentgen_data::lock::FolderLock;
use roentgen_data::prepare::{Error, Prepared, PreparedInfo, prepare};

#[test]
fn of_two_at_once_one_is_refused_and_the_other_is_whole() {
    for _ in 0..5 {
        let root = tempfile::tempdir().unwrap();
        let sets = [1, 2].map(|seed| DataSet::six(root.path().join(seed.to_string()), seed));
        let out = root.path().join("out");
        let start = Barrier::new(2);
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads = sets.each_ref().map(|data| {
                let (start, out) = (&start, &out);
                scope.spawn(move || {
                    start.wait();
                    data.prepare(out)
                })
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });

        let done: Vec<_> = results.iter().flatten().collect();
        let [outcome] = done[..] else { panic!("{results:?}") };
        let opened = Prepared::open(&out).unwrap();
        assert_eq!(opened.description, outcome.description);
        let error = results.iter().find_map(|result| result.as_ref().err()).unwrap();
        assert!(matches!(error, Error::Lock(_) | Error::Mixed { .. }), "{error}");
    }
}

#[test]
fn a_locked_folder_is_refused_and_a_finished_one_needs_no_lock() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    let other = DataSet::six(root.path().join("other"), 2);
    let out = root.path().join("out");
    let lock = FolderLock::take(&out).unwrap();
    let error = data.prepare(&out).unwrap_err();
    assert!(error.to_string().contains("another `roentgen` is writing"), "{error}");
    assert!(!Prepared::is_prepared(&out));
    drop(lock);
    data.prepare(&out).unwrap();

    let _lock = FolderLock::take(&out).unwrap();

    assert!(data.prepare(&out).is_ok());
    assert!(matches!(other.prepare(&out), Err(Error::Mixed { .. })));
}

#[test]
fn the_second_looks_again_once_it_has_the_lock() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    let other = DataSet::six(root.path().join("other"), 2);
    let out = root.path().join("out");
    // The first finishes while the second is decoding for another folder; the second then finds it.
    data.prepare(&out).unwrap();
    let before = PreparedInfo::read(&out).unwrap();

    let error = prepare(&other.root, &out, &SETTINGS, &|_| ()).unwrap_err();

    assert!(matches!(error, Error::Mixed { .. }), "{error}");
    assert_eq!(PreparedInfo::read(&out).unwrap(), before);
}

//! Official lists that do not fit the label file or each other are refused.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

mod common;

use common::{DataSet, name};
use roentgen_data::manifest::List;
use roentgen_data::nih;
use roentgen_data::prepare::{Error, Prepared};

fn lines(patients: &[u32]) -> String {
    patients.iter().flat_map(|&patient| [0, 1].map(|visit| name(patient, visit) + "\n")).collect()
}

#[test]
fn lists_with_a_byte_order_mark_and_paths_are_those_without() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    data.table("train_val_list.txt", &format!("\u{feff}{}", lines(&[1, 3])));
    data.table("test_list.txt", &lines(&[2, 50]).replace("00000", "images/00000"));

    let outcome = data.prepare(&root.path().join("out")).unwrap();
    let prepared = Prepared::open(&root.path().join("out")).unwrap();

    let lists: Vec<_> = prepared.rows.iter().map(|row| row.list.unwrap()).collect();
    let (train_val, test) = (List::TrainVal, List::Test);
    assert_eq!(lists, [train_val, train_val, test, test, train_val, train_val]);
    // A film that is not here is not an error of the list.
    assert_eq!(outcome.lists_only, 2);
}

#[test]
fn a_list_of_other_films_is_refused_and_an_empty_one_is_not() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    data.table("train_val_list.txt", "");
    assert!(data.prepare(&root.path().join("empty")).is_ok());

    data.table("test_list.txt", &lines(&[8, 7, 9]));
    let error = data.prepare(&root.path().join("out")).unwrap_err();

    let Error::Layout(nih::Error::ListMatchesNothing { names, first, path }) = &error else {
        panic!("{error}")
    };
    assert_eq!((*names, first.as_str()), (6, "00000007_000.png"));
    assert!(path.ends_with("test_list.txt"));
}

#[test]
fn a_list_with_labels_after_the_names_is_refused_with_its_line() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    data.table("test_list.txt", &lines(&[1]).replace('\n', " 0 1 0 0 0 0 0 0 0 0 0 0 0 0\n"));

    let error = data.prepare(&root.path().join("out")).unwrap_err();

    assert!(matches!(&error, Error::Layout(nih::Error::ListLine { line: 1, .. })), "{error}");
}

#[test]
fn a_film_on_both_lists_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let data = DataSet::six(root.path().join("data"), 1);
    data.table("train_val_list.txt", &lines(&[1, 2]));
    data.table("test_list.txt", &lines(&[3, 2]));

    let error = data.prepare(&root.path().join("out")).unwrap_err().to_string();

    assert!(error.contains("`00000002_000.png` is on both lists"), "{error}");
    assert!(error.contains("1 other film"), "{error}");
}

//! The official lists beside a label file, as `describe` reads them without preparing the films.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::{HEADER, Place, label_row};

#[test]
fn lists_that_contradict_each_other_or_the_label_file_are_refused() {
    let place = Place::new();
    let rows: String =
        (1..=6).map(|patient| label_row(&format!("{patient}.png"), "Mass", patient)).collect();
    place.write("Data_Entry_2017.csv", format!("{HEADER}{rows}"));
    place.write("train_val_list.txt", "1.png\n2.png\n3.png\n");
    place.write("test_list.txt", "4.png\n5.png\n");
    let line = "describe Data_Entry_2017.csv";
    place.ok(line);

    place.write("test_list.txt", "3.png\n4.png\n");
    assert!(place.fails(line).contains("`3.png` is on both lists"));
    place.write("test_list.txt", "40.png\n50.png\n");
    assert!(place.fails(line).contains("is in the label file"));
    place.write("test_list.txt", "4.png\n5.png\n");
    place.write("test_list_old.txt", "6.png\n");
    let error = place.fails(line);
    assert!(error.contains("two lists for one purpose"), "{error}");
    assert!(error.contains("test_list_old.txt"), "{error}");
}

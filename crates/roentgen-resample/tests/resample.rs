//! Sizes, refusals and the values of the plainest filter. `roentgen-data` compares the filters with
//! Pillow's.

use roentgen_resample::{Filter, resample};

#[test]
fn a_box_takes_the_mean_of_what_it_covers_by_rows_and_columns() {
    let picture = [0, 2, 10, 20, 4, 6, 30, 40];

    assert_eq!(resample(&picture, [2, 4], [1, 2], Filter::Box).unwrap(), [3, 25]);
    assert_eq!(resample(&picture, [4, 2], [2, 1], Filter::Box).unwrap(), [8, 20]);
}

#[test]
fn a_picture_without_pixels_or_of_another_length_is_refused() {
    let refused = |pixels: &[u8], from, to| resample(pixels, from, to, Filter::Box).is_err();

    assert!(refused(&[], [0, 4], [1, 1]));
    assert!(refused(&[1, 2], [1, 2], [0, 1]));
    assert!(refused(&[1, 2, 3], [2, 2], [1, 1]));
    assert!(!refused(&[1, 2, 3, 4], [2, 2], [1, 1]));
}

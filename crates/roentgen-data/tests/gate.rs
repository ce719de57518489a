//! The input gate on real films and DICOM files.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use roentgen_data::gate::{Objection, check_header, check_picture};
use roentgen_data::nih;
use roentgen_data::pixels::{self, FilmFile, Filter, Plane};
use roentgen_test_support::{Outcome, shared, test_file};

test_file![
    headers_of_other_subjects_are_refused,
    films_pass_and_turned_films_are_found,
    a_film_labelled_inverted_is_found_by_its_pixels
];

/// The size of the pictures: what a network is likely to take.
const SIZE: u32 = 128;

fn headers_of_other_subjects_are_refused() -> Outcome {
    let folder = shared::data("dicom")?;
    let said = |name: &str| {
        let mut file = FilmFile::open(&folder.join(name)).unwrap();
        let said = check_header(&mut file)
            .map_or_else(|objection| objection.to_string(), |()| String::new());
        assert!(file.read().is_ok(), "{name} can be decoded after its header was read");
        said
    };

    for name in ["udacity_test1.dcm", "udacity_test2.dcm", "RG1_J2KI.dcm"] {
        assert_eq!(said(name), "");
    }
    assert!(said("udacity_test4.dcm").contains("body part RIBCAGE"));
    assert!(said("udacity_test5.dcm").contains("modality CT"));
    assert!(said("udacity_test6.dcm").contains("view XX"));
    Ok(())
}

fn films_pass_and_turned_films_are_found() -> Outcome {
    let folder = shared::data("nih-2512")?;
    let files: Vec<_> = nih::walk(&folder).unwrap();
    // Of the list whose films the gate was not fitted on.
    let lists = std::fs::read_to_string(folder.join("test_list.txt")).unwrap();
    let listed: std::collections::HashSet<&str> = lists.lines().collect();
    let films: Vec<Plane> = files
        .iter()
        .filter(|file| file.file_name().is_some_and(|name| listed.contains(name.to_str().unwrap())))
        .map(|file| pixels::read_resized(file, SIZE, Filter::Lanczos3).unwrap())
        .collect();
    assert_eq!(films.len(), 207);

    let is_turned = |plane: &Plane| matches!(check_picture(plane), Err(Objection::Position(_)));
    let refused = films.iter().filter(|film| check_picture(film).is_err()).count();
    assert!(refused <= 2, "{refused} of 207 upright films are refused");
    let inverted = |film: &Plane| Plane {
        pixels: film.pixels.iter().map(|pixel| 255 - pixel).collect(),
        ..film.clone()
    };
    let upside_down = |film: &Plane| Plane {
        pixels: film.pixels.iter().rev().copied().collect(),
        ..film.clone()
    };
    for change in [&inverted as &dyn Fn(&Plane) -> Plane, &upside_down] {
        let found = films.iter().filter(|film| is_turned(&change(film))).count();
        assert!(found >= 201, "{found} of 207 films are found"); // 97 %
    }
    Ok(())
}

fn a_film_labelled_inverted_is_found_by_its_pixels() -> Outcome {
    let folder = shared::data("dicom")?;
    let check = |name: &str| {
        let plane = pixels::read_resized(&folder.join(name), SIZE, Filter::Lanczos3).unwrap();
        check_picture(&plane)
    };

    assert_eq!(check("rsna_850819_jpegbaseline_mono2.dcm"), Ok(()));
    let Err(Objection::Position(position)) = check("rsna_850819_fake_mono1.dcm") else {
        panic!("the film is not found");
    };
    assert!(position.is_inverted);
    assert_eq!(position.quarter_turns, 0);
    Ok(())
}

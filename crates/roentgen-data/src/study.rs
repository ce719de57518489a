//! Names and patients of films that lie in folders by patient and study.
//!
//! CheXpert (`patient00001/study1/view1_frontal.jpg`) and MIMIC-CXR (`p10/p10000032/s50414267/...`)
//! say in the folder whose film it is, so that file names alone repeat. Where they do, a film is
//! called by its path below the folder that was given.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Placeholders used as Patient IDs, in capitals.
const PLACEHOLDERS: [&str; 13] = [
    "ANON",
    "ANONYM",
    "ANONYMISED",
    "ANONYMIZED",
    "ANONYMOUS",
    "DEIDENTIFIED",
    "N/A",
    "NA",
    "NONE",
    "NULL",
    "PATIENT",
    "REMOVED",
    "UNKNOWN",
];

/// A film, and what its path says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFilm {
    /// The file.
    pub path: PathBuf,
    /// Its file name, or its path below the folder with `/` if several films have this file name.
    pub name: String,
    /// The folder that is called like a patient of CheXpert (`patient` and digits) or of MIMIC-CXR
    /// (`p` and eight digits); `None` if there is none.
    pub patient: Option<String>,
}

/// Names the films at `paths`, which are below `root`. Names are unique if the paths are.
pub fn name_films(root: &Path, paths: Vec<PathBuf>) -> Vec<NamedFilm> {
    let mut counts: HashMap<Option<&OsStr>, usize> = HashMap::new();
    paths.iter().for_each(|path| *counts.entry(path.file_name()).or_default() += 1);
    let are_unique = counts.values().all(|&count| count == 1);
    paths
        .into_iter()
        .map(|path| {
            let name = match path.file_name() {
                Some(name) if are_unique || path == root => name.to_string_lossy().into_owned(),
                _ => path_below(root, &path),
            };
            NamedFilm { patient: patient_of(root, &path), path, name }
        })
        .collect()
}

/// Returns the path of a file below the folder `root`, with `/`.
pub fn path_below(root: &Path, path: &Path) -> String {
    parts(root, path).join("/")
}

/// Returns the folder below `root` that is called like a patient, see [`NamedFilm::patient`].
pub fn patient_of(root: &Path, path: &Path) -> Option<String> {
    parts(root, path).into_iter().find(|part| is_patient(part)).map(Cow::into_owned)
}

/// Whether a Patient ID names a person. Programs that remove identities leave placeholders, which
/// films of different people share.
pub fn is_known_patient(id: &str) -> bool {
    let id = id.trim().to_ascii_uppercase();
    let has_more_than_zeros = id.chars().any(|letter| letter.is_alphanumeric() && letter != '0');
    has_more_than_zeros && !PLACEHOLDERS.contains(&id.as_str())
}

fn parts<'a>(root: &Path, path: &'a Path) -> Vec<Cow<'a, str>> {
    path.strip_prefix(root).unwrap_or(path).iter().map(OsStr::to_string_lossy).collect()
}

/// Whether a folder is called like a patient of CheXpert or MIMIC-CXR.
fn is_patient(part: &str) -> bool {
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match part.strip_prefix("patient") {
        Some(number) => are_digits(number),
        None => {
            part.strip_prefix('p').is_some_and(|number| number.len() == 8 && are_digits(number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> Vec<(String, Option<String>)> {
        let root = Path::new("data/valid");
        let films = name_films(root, paths.iter().map(|path| root.join(path)).collect());
        films.into_iter().map(|film| (film.name, film.patient)).collect()
    }

    #[test]
    fn films_of_one_name_are_told_apart_by_their_path_and_patient() {
        let films = named(&[
            "patient00001/study1/view1_frontal.jpg",
            "patient00001/study2/view1_frontal.jpg",
            "patient00002/study1/view1_frontal.jpg",
        ]);

        assert_eq!(films[1].0, "patient00001/study2/view1_frontal.jpg");
        let patients: Vec<_> = films.iter().map(|film| film.1.as_deref()).collect();
        assert_eq!(patients, [Some("patient00001"), Some("patient00001"), Some("patient00002")]);
    }

    #[test]
    fn films_of_mimic_have_the_patient_of_eight_digits() {
        let films = named(&["files/p10/p10000032/s50414267/02aa804e-bde0afdd.jpg"]);

        assert_eq!(films, [("02aa804e-bde0afdd.jpg".to_owned(), Some("p10000032".to_owned()))]);
    }

    #[test]
    fn films_of_different_names_keep_them_and_have_no_patient() {
        let films = named(&["a/00000001_000.png", "b/patients/pneumonia.png"]);

        let expected = ["00000001_000.png", "pneumonia.png"].map(|name| (name.to_owned(), None));
        assert_eq!(films, expected);
    }

    #[test]
    fn a_placeholder_is_no_patient() {
        for id in ["", " ", "0", "000000", "-", "?", "Anonymous", " unknown ", "N/A", "none"] {
            assert!(!is_known_patient(id), "{id}");
        }
        for id in ["1", "10", "0012", "PID-4711", "anonymous-17", "Ж"] {
            assert!(is_known_patient(id), "{id}");
        }
    }

    #[test]
    fn a_file_that_was_given_itself_has_its_own_name() {
        let path = Path::new("view1_frontal.png");

        let films = name_films(path, vec![path.to_owned()]);

        assert_eq!(films[0].name, "view1_frontal.png");
    }
}

//! Mutated headers: objects or an error, never a panic, and never a name that was to be removed.

#![allow(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::meta::FileMetaTableBuilder;
use dicom_object::{InMemDicomObject, mem::InMemElement};
use roentgen_data::Finding;
use roentgen_data::pixels::FilmFile;
use roentgen_dicom::{
    Algorithm, DeIdentification, Error, FilmMap, FindingResult, Moment, Picture, Pseudonyms,
    Results, Source, Whose, capture, presentation, report,
};
use roentgen_test_support::mutation::{self, Mutator};

/// Mutations of each file.
const TURNS: u64 = 400;
/// The longest that one may take.
const LIMIT: Duration = Duration::from_secs(5);
const SIZE: [u32; 2] = [3, 5];

fn text(tag: Tag, vr: VR, text: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(text))
}

fn short(tag: Tag, value: u16) -> InMemElement {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

fn lut(explanation: &str) -> InMemElement {
    let numbers = |tag, numbers: &[u16]| {
        DataElement::new(tag, VR::US, PrimitiveValue::U16(C::from_slice(numbers)))
    };
    let item = InMemDicomObject::from_element_iter([
        numbers(tags::LUT_DESCRIPTOR, &[4, 0, 8]),
        text(tags::LUT_EXPLANATION, VR::LO, explanation),
        numbers(tags::LUT_DATA, &[0, 50, 150, 255]),
    ]);
    DataElement::new(tags::VOILUT_SEQUENCE, VR::SQ, DataSetSequence::from(vec![item]))
}

/// A film of a patient, with a lookup table or a window.
fn film(syntax: &str, voi: Vec<InMemElement>) -> Vec<u8> {
    let elements = [
        text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        text(tags::SOP_CLASS_UID, VR::UI, uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, "1.2.3.4"),
        text(tags::STUDY_DATE, VR::DA, "20190203"),
        text(tags::ACCESSION_NUMBER, VR::SH, "ACC-77"),
        text(tags::MODALITY, VR::CS, "CR"),
        text(tags::PATIENT_NAME, VR::PN, "Müller^Änne"),
        text(tags::PATIENT_ID, VR::LO, "P-4711"),
        text(tags::PATIENT_AGE, VR::AS, "058Y"),
        text(tags::PATIENT_SEX, VR::CS, "F"),
        text(tags::VIEW_POSITION, VR::CS, "PA"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.1"),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1"),
        text(tags::PIXEL_SPACING, VR::DS, "0.143\\0.143"),
        text(tags::RESCALE_INTERCEPT, VR::DS, "-5"),
        text(tags::RESCALE_SLOPE, VR::DS, "2"),
        short(tags::ROWS, SIZE[0] as u16),
        short(tags::COLUMNS, SIZE[1] as u16),
    ];
    let object = InMemDicomObject::from_element_iter(elements.into_iter().chain(voi));
    let mut bytes = Vec::new();
    let meta = FileMetaTableBuilder::new().transfer_syntax(syntax);
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// What replaces the patient.
const HIDDEN: &str = "patient-0123456789ab";

fn algorithm() -> Algorithm {
    Algorithm {
        name: "roentgen mobilenet".to_owned(),
        version: "0.1.0".to_owned(),
        model: "0123456789ab".to_owned(),
        parameters: vec!["operating point youden".to_owned()],
        fitted: String::new(),
    }
}

/// Makes all objects of a film in a file.
fn objects(path: &Path, names: Option<&Pseudonyms>) -> Result<Vec<Vec<u8>>, Error> {
    let Ok(Some(header)) = FilmFile::open(path).and_then(|mut file| file.header()) else {
        return Ok(Vec::new());
    };
    let _ = Whose::read(&header);
    let hiding = names.map(|pseudonyms| DeIdentification { pseudonyms, patient: HIDDEN });
    let source = Source::read(&header, hiding)?;
    let findings = Finding::ALL.map(|finding| FindingResult {
        finding,
        probability: 0.25,
        calibrated: Some(0.5),
        threshold: None,
        is_called: Some(finding == Finding::Mass),
    });
    let written = Moment { date: "20261128".to_owned(), time: "093000".to_owned() };
    let results = Results { algorithm: &algorithm(), findings: &findings, written: &written };
    let map = FilmMap {
        name: "MASS",
        what: "grad-cam for Mass",
        size: [2, 2],
        values: &[0.0, 0.2, 0.9, 0.1],
        ends: [0.0, 0.9],
    };
    let picture = Picture { size: SIZE, pixels: &[7; 45], what: "grad-cam for Mass", number: 1 };
    let mut objects = vec![report(&source, &results)?];
    objects.extend(presentation(&source, &results, &[map])?);
    objects.extend(capture(&source, &results, &picture).ok());
    Ok(objects)
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn window() -> Vec<InMemElement> {
    vec![text(tags::WINDOW_CENTER, VR::DS, "40\\50"), text(tags::WINDOW_WIDTH, VR::DS, "80\\90")]
}

#[test]
fn objects_name_the_patient_unless_they_are_de_identified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    fs::write(&path, film(uids::EXPLICIT_VR_LITTLE_ENDIAN, window())).unwrap();
    let names = Pseudonyms::new(&[3; 16]).unwrap();

    let named = objects(&path, None).unwrap();
    let hidden = objects(&path, Some(&names)).unwrap();

    assert_eq!((named.len(), hidden.len()), (3, 3));
    for object in &named {
        for text in ["Müller^Änne", "P-4711", "ACC-77", "20190203", "1.2.3.4", "20261128"] {
            assert!(has(object, text), "{text}");
        }
    }
    for object in &hidden {
        for text in ["ller", "4711", "ACC-77", "20190203", "1.2.3.4", "058Y", "20261128"] {
            assert!(!has(object, text), "{text}");
        }
        assert!(has(object, HIDDEN) && has(object, "113100"));
        assert!(has(object, &names.uid("1.2.3")) && has(object, &names.uid("1.2.3.4")));
    }
    assert_eq!(hidden, objects(&path, Some(&names)).unwrap());
}

#[test]
fn a_film_without_a_study_or_with_text_in_its_picture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    let names = Pseudonyms::new(&[3; 16]).unwrap();
    let burned = text(tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
    fs::write(&path, film(uids::EXPLICIT_VR_LITTLE_ENDIAN, vec![burned])).unwrap();

    assert!(matches!(objects(&path, Some(&names)), Err(Error::BurnedIn)));
    assert!(objects(&path, None).is_ok());

    let no_uid = text(tags::STUDY_INSTANCE_UID, VR::UI, "");
    fs::write(&path, film(uids::EXPLICIT_VR_LITTLE_ENDIAN, vec![no_uid])).unwrap();
    let error = objects(&path, None).unwrap_err().to_string();
    assert!(error.contains("no Study Instance UID"), "{error}");
}

#[test]
fn free_text_of_a_header_is_not_copied_if_it_is_de_identified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    let names = Pseudonyms::new(&[3; 16]).unwrap();
    let elements = vec![
        text(tags::BURNED_IN_ANNOTATION, VR::CS, "BY DOE1"),
        text(tags::PATIENT_ORIENTATION, VR::CS, "DOE2\\F"),
        text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01"),
        text(tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, "DOE3"),
        text(tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, "DOE4"),
        text(tags::RESCALE_TYPE, VR::LO, "DOE5"),
        text(tags::DEIDENTIFICATION_METHOD, VR::LO, "by DOE6"),
        lut("for DOE7"),
    ];
    fs::write(&path, film(uids::EXPLICIT_VR_LITTLE_ENDIAN, elements)).unwrap();

    let named = objects(&path, None).unwrap();
    let hidden = objects(&path, Some(&names)).unwrap();

    for number in 1..=7 {
        let text = format!("DOE{number}");
        assert!(named.iter().any(|object| has(object, &text)), "{text}");
    }
    assert_eq!(hidden.len(), 3);
    assert!(!hidden.iter().any(|object| has(object, "DOE")));
}

#[test]
fn objects_say_what_shape_pixels_have() {
    fn said(object: &InMemDicomObject, tag: Tag) -> Option<String> {
        object.get(tag).map(|element| element.to_str().unwrap().trim().to_owned())
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    let shapes = |elements: Vec<InMemElement>| {
        fs::write(&path, film(uids::EXPLICIT_VR_LITTLE_ENDIAN, elements)).unwrap();
        let objects = objects(&path, None).unwrap();
        let read = |number: usize| dicom_object::from_reader(objects[number].as_slice()).unwrap();
        let (state, picture) = (read(1), read(2));
        let areas = state.element(tags::DISPLAYED_AREA_SELECTION_SEQUENCE).unwrap();
        let area = &areas.items().unwrap()[0];
        [
            said(area, tags::PRESENTATION_PIXEL_SPACING),
            said(area, tags::PRESENTATION_PIXEL_ASPECT_RATIO),
            said(&picture, tags::PIXEL_ASPECT_RATIO),
        ]
    };
    let spacing = |spacing: &str| text(tags::PIXEL_SPACING, VR::DS, spacing);
    let aspect = text(tags::PIXEL_ASPECT_RATIO, VR::IS, "4\\3");

    let [square, spaced, uneven] =
        [vec![], vec![spacing("0.1\\0.2")], vec![spacing(""), aspect]].map(shapes);

    let expected = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned));
    assert_eq!(square, expected([Some("0.143\\0.143"), None, None]));
    assert_eq!(spaced, expected([Some("0.1\\0.2"), None, Some("100000\\200000")]));
    assert_eq!(uneven, expected([None, Some("4\\3"), Some("4\\3")]));
}

#[test]
fn mutated_headers_give_objects_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.dcm");
    let names = Pseudonyms::new(&[3; 16]).unwrap();
    let mut counts = [0_u64; 2];
    #[expect(deprecated, reason = "archives still have files in big endian")]
    let syntaxes = [
        (1, uids::EXPLICIT_VR_LITTLE_ENDIAN),
        (2, uids::IMPLICIT_VR_LITTLE_ENDIAN),
        (3, uids::EXPLICIT_VR_BIG_ENDIAN),
    ];
    for (seed, syntax) in syntaxes {
        let whole = film(syntax, vec![lut("")]);
        let mut mutator = Mutator::new(seed);
        for turn in 0..mutation::turns(TURNS) {
            fs::write(&path, mutator.mutate(&whole)).unwrap();
            let start = Instant::now();
            for names in [None, Some(&names)] {
                let made = objects(&path, names).is_ok_and(|objects| !objects.is_empty());
                counts[usize::from(made)] += 1;
            }
            let took = start.elapsed();
            assert!(took < LIMIT, "{syntax}, turn {turn}: {took:?}");
        }
    }
    // Both kinds occur, so the mutations reach behind the first check.
    assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
}

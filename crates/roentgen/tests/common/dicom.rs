//! DICOM files of phantom films, and what they become.

#![allow(dead_code, reason = "each test file uses what it needs of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::meta::FileMetaTableBuilder;
use dicom_object::{InMemDicomObject, OpenFileOptions, mem::InMemElement};

/// What the headers of these films have that must not get out.
pub(crate) const SECRETS: [&str; 6] =
    ["Doe^Jane", "PID-4711", "ACC-0815", "19620304", "1.2.826.0.1.99", "Dr^Who"];

fn text(tag: Tag, vr: VR, text: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(text))
}

/// Makes a CR image of a picture, with a patient.
pub(crate) fn film(picture: &Path) -> Vec<u8> {
    let gray = image::open(picture).unwrap().into_luma8();
    let short = |tag, value: u32| DataElement::new(tag, VR::US, PrimitiveValue::from(value as u16));
    let uid = |number: u32| format!("1.2.826.0.1.99.{number}");
    let object = InMemDicomObject::from_element_iter([
        text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100"),
        text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY"),
        text(tags::SOP_CLASS_UID, VR::UI, uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, &uid(3)),
        text(tags::STUDY_DATE, VR::DA, "20190506"),
        text(tags::STUDY_TIME, VR::TM, "101112"),
        text(tags::ACCESSION_NUMBER, VR::SH, "ACC-0815"),
        text(tags::MODALITY, VR::CS, "CR"),
        text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "Dr^Who"),
        text(tags::PATIENT_NAME, VR::PN, "Doe^Jane"),
        text(tags::PATIENT_ID, VR::LO, "PID-4711"),
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "19620304"),
        text(tags::PATIENT_SEX, VR::CS, "F"),
        text(tags::PATIENT_AGE, VR::AS, "057Y"),
        text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST"),
        text(tags::VIEW_POSITION, VR::CS, "PA"),
        text(tags::STUDY_INSTANCE_UID, VR::UI, &uid(1)),
        text(tags::SERIES_INSTANCE_UID, VR::UI, &uid(2)),
        text(tags::STUDY_ID, VR::SH, "S1"),
        text(tags::SERIES_NUMBER, VR::IS, "1"),
        text(tags::INSTANCE_NUMBER, VR::IS, "1"),
        text(tags::PATIENT_ORIENTATION, VR::CS, "L\\F"),
        text(tags::PIXEL_SPACING, VR::DS, "0.143\\0.143"),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        text(tags::WINDOW_CENTER, VR::DS, "128"),
        text(tags::WINDOW_WIDTH, VR::DS, "256"),
        short(tags::SAMPLES_PER_PIXEL, 1),
        short(tags::ROWS, gray.height()),
        short(tags::COLUMNS, gray.width()),
        short(tags::BITS_ALLOCATED, 8),
        short(tags::BITS_STORED, 8),
        short(tags::HIGH_BIT, 7),
        short(tags::PIXEL_REPRESENTATION, 0),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(gray.into_raw())),
    ]);
    let mut bytes = Vec::new();
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// Reads an element of a file as text.
pub(crate) fn element(file: &Path, tag: Tag) -> String {
    let object = OpenFileOptions::new().read_until(tags::PIXEL_DATA).open_file(file).unwrap();
    object.get(tag).map(|element| element.to_str().unwrap().into_owned()).unwrap_or_default()
}

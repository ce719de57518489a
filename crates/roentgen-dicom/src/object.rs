//! What all objects have in common: patient, study, a new series, equipment, identity.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::meta::FileMetaTableBuilder;

use crate::codes::BASIC_PROFILE;
use crate::content::codes;
use crate::element::{empty, string};
use crate::error::Error;
use crate::results::{Algorithm, Moment};
use crate::source::Source;
use crate::uid::derived;

/// The program among those that write DICOM files: a UUID below 2.25, drawn once.
const IMPLEMENTATION: &str = "2.25.214137596268413019305163905377149266423";
const IMPLEMENTATION_NAME: &str = "ROENTGEN";
/// The program's name as manufacturer and model.
pub(crate) const NAME: &str = "roentgen";
/// What every object says.
pub(crate) const NOT_FOR_DIAGNOSIS: &str = "not for diagnostic use";

/// What distinguishes an object from the others of its film.
pub(crate) struct Head<'a> {
    /// The SOP class.
    pub(crate) class: &'static str,
    pub(crate) modality: &'static str,
    /// The kind of object; there is a series for each.
    pub(crate) kind: &'static str,
    pub(crate) series_number: u32,
    /// At most 64 letters.
    pub(crate) description: &'a str,
    /// Its number in the series, from 1.
    pub(crate) number: u32,
    /// Distinguishes the objects of a series.
    pub(crate) detail: &'a str,
}

/// Begins an object of a film.
pub(crate) fn start(
    source: &Source,
    algorithm: &Algorithm,
    written: &Moment,
    head: &Head<'_>,
) -> InMemDicomObject {
    let identity = |of: &[&str]| {
        let mut texts = vec![head.kind, source.image.instance.as_str()];
        texts.extend(algorithm.texts());
        texts.extend(of);
        derived(&texts)
    };
    let mut object = source.copied.clone();
    for (tag, vr, text) in [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192"),
        (tags::SOP_CLASS_UID, VR::UI, head.class),
        (tags::SOP_INSTANCE_UID, VR::UI, &identity(&["instance", head.detail])),
        (tags::STUDY_INSTANCE_UID, VR::UI, &source.study),
        (tags::SERIES_INSTANCE_UID, VR::UI, &identity(&["series"])),
        (tags::MODALITY, VR::CS, head.modality),
        (tags::SERIES_NUMBER, VR::IS, &head.series_number.to_string()),
        (tags::INSTANCE_NUMBER, VR::IS, &head.number.to_string()),
        (tags::SERIES_DESCRIPTION, VR::LO, head.description),
        (tags::MANUFACTURER, VR::LO, NAME),
        (tags::MANUFACTURER_MODEL_NAME, VR::LO, NAME),
        (tags::SOFTWARE_VERSIONS, VR::LO, &algorithm.version),
        (tags::INSTANCE_CREATION_DATE, VR::DA, &written.date),
        (tags::INSTANCE_CREATION_TIME, VR::TM, &written.time),
    ] {
        object.put(string(tag, vr, text));
    }
    if source.is_de_identified {
        for (tag, vr, text) in [
            (tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES"),
            (tags::DEIDENTIFICATION_METHOD, VR::LO, "PS3.15 Annex E, Basic Profile, by roentgen"),
            (tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED, VR::CS, "REMOVED"),
        ] {
            object.put(string(tag, vr, text));
        }
        object.put(codes(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE, BASIC_PROFILE));
        // They would tell when the film was taken, where films are predicted as they arrive.
        object.remove_element(tags::INSTANCE_CREATION_DATE);
        object.remove_element(tags::INSTANCE_CREATION_TIME);
    }
    // Pictures and states have to have it, even if it is unknown (type 2C); documents have none.
    if head.modality != "SR" {
        object.put(empty(tags::LATERALITY, VR::CS));
    }
    object
}

/// Returns when an object says that it was written.
pub(crate) fn moment(source: &Source, written: &Moment) -> Moment {
    if source.is_de_identified { Moment::removed() } else { written.clone() }
}

/// Adds the elements of a derived picture that say how it came about.
pub(crate) fn put_derivation(object: &mut InMemDicomObject, source: &Source) {
    let [is_lossy, ratio, method] = &source.shown.lossy;
    if is_lossy.as_deref() == Some("01") {
        object.put(string(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01"));
        let ratio =
            ratio.as_ref().map(|ratio| (tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, ratio));
        let method =
            method.as_ref().map(|name| (tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, name));
        for (tag, vr, text) in ratio.into_iter().chain(method) {
            object.put(string(tag, vr, text.as_str()));
        }
    }
    match &source.shown.orientation {
        Some(orientation) => {
            object.put(string(tags::PATIENT_ORIENTATION, VR::CS, orientation.as_str()))
        }
        None => object.put(empty(tags::PATIENT_ORIENTATION, VR::CS)),
    };
}

/// Encodes an object as a file.
pub(crate) fn encode(object: InMemDicomObject) -> Result<Vec<u8>, Error> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_class_uid(IMPLEMENTATION)
        .implementation_version_name(IMPLEMENTATION_NAME);
    let file = object.with_meta(meta).map_err(|error| Error::Encode(error.into()))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|error| Error::Encode(error.into()))?;
    Ok(bytes)
}

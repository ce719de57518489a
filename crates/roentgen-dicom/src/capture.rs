//! Secondary capture: a film under a heat map, as a picture that every viewer shows.

use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;

use crate::codes::SOURCE_IMAGE;
use crate::content::codes;
use crate::element::{sequence, shorts, string};
use crate::error::Error;
use crate::object::{self, Head, NOT_FOR_DIAGNOSIS, encode};
use crate::results::Results;
use crate::source::Source;

/// A film under a heat map.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// `[rows, columns]`, those of the film.
    pub size: [u32; 2],
    /// `rows * columns` pixels of red, green and blue.
    pub pixels: &'a [u8],
    /// What the map is and of what, such as `grad-cam for Mass`.
    pub what: &'a str,
    /// Its number among the pictures of the film, from 1.
    pub number: u32,
}

/// Makes a secondary capture image of a picture, as a file.
///
/// # Errors
///
/// Returns an error if the picture and the film differ in size, or if it cannot be encoded.
pub fn capture(
    source: &Source,
    results: &Results<'_>,
    picture: &Picture<'_>,
) -> Result<Vec<u8>, Error> {
    let [rows, columns] = picture.size;
    let is_whole = picture.pixels.len() as u64 == 3 * u64::from(rows) * u64::from(columns);
    if source.shown.size != picture.size || !is_whole {
        return Err(Error::Size { expected: source.shown.size, found: picture.size });
    }
    let description = format!("AI heat maps, {NOT_FOR_DIAGNOSIS}");
    let head = Head {
        class: uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
        modality: "OT",
        kind: "overlay",
        series_number: 9102,
        description: &description,
        number: picture.number,
        detail: picture.what,
    };
    let mut object = object::start(source, results.algorithm, results.written, &head);
    let written = object::moment(source, results.written);
    let what =
        format!("{} of model {}, {NOT_FOR_DIAGNOSIS}", picture.what, results.algorithm.model);
    for (tag, vr, text) in [
        (tags::CONTENT_DATE, VR::DA, written.date.as_str()),
        (tags::CONTENT_TIME, VR::TM, written.time.as_str()),
        (tags::CONVERSION_TYPE, VR::CS, "WSD"),
        (tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY"),
        (tags::DERIVATION_DESCRIPTION, VR::ST, what.as_str()),
    ] {
        object.put(string(tag, vr, text));
    }
    let mut origin = source.image.item();
    origin.put(codes(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, SOURCE_IMAGE));
    object.put(sequence(tags::SOURCE_IMAGE_SEQUENCE, vec![origin]));
    // Our own text names no patient, so it is true of the picture what is true of the film.
    if let Some(burned_in) = &source.shown.burned_in {
        object.put(string(tags::BURNED_IN_ANNOTATION, VR::CS, burned_in.as_str()));
    }
    object::put_derivation(&mut object, source);
    if let Some(ratio) = source.shown.aspect_ratio() {
        object.put(string(tags::PIXEL_ASPECT_RATIO, VR::IS, ratio));
    }
    put_pixels(&mut object, picture.size, picture.pixels);
    encode(object)
}

/// Adds pixels of 8 bits: one channel or three, as many as there are.
pub(crate) fn put_pixels(object: &mut InMemDicomObject, [rows, columns]: [u32; 2], pixels: &[u8]) {
    let samples = if pixels.len() as u64 > u64::from(rows) * u64::from(columns) { 3 } else { 1 };
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, samples),
        (tags::ROWS, rows as u16),
        (tags::COLUMNS, columns as u16),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(shorts(tag, [value]));
    }
    let photometric = if samples == 3 { "RGB" } else { "MONOCHROME2" };
    object.put(string(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric));
    if samples == 3 {
        object.put(shorts(tags::PLANAR_CONFIGURATION, [0]));
    }
    // The writer pads an odd number of bytes.
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(pixels)));
}

//! A DICOM film before its window: stored values, and what else a viewer needs.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::file::Object;
use super::header::{self, Color, Header};
use crate::pixels::deep::{AboutFilm, DeepFilm, MeasuredAt, Spacing};
use crate::pixels::lut::{Voi, Window};
use crate::study::is_known_patient;

/// Returns the bit to change so that the order of the samples is that of the stored values.
pub(super) fn sign(header: &Header) -> u16 {
    if header.is_signed { 1 << (header.bits_stored - 1) } else { 0 }
}

/// Describes the samples of a film.
pub(super) fn film(header: &Header, object: &Object, samples: Vec<u16>) -> DeepFilm {
    let text = |tag| Some(header::text(object, tag)).filter(|text| !text.is_empty());
    let about = AboutFilm {
        spacing: spacing(object),
        patient: text(tags::PATIENT_ID).filter(|id| is_known_patient(id)),
        study_date: text(tags::STUDY_DATE),
        is_dicom: true,
        ..match header.color {
            Color::Gray => values(header),
            // Colours have neither values nor windows.
            Color::Rgb | Color::Luma => AboutFilm::of_bits(8),
        }
    };
    DeepFilm { width: header.columns, height: header.rows, samples, about }
}

fn values(header: &Header) -> AboutFilm {
    let [low, high] = header.modality.range(header.stored_range());
    let voi = match &header.voi {
        Voi::None => Voi::Window {
            window: Window::LinearExact,
            center: f64::midpoint(low, high),
            width: high - low,
        },
        voi => voi.clone(),
    };
    AboutFilm {
        bits: header.bits_stored,
        lowest: header.stored_range()[0],
        modality: header.modality.clone(),
        voi,
        is_inverted: header.is_inverted,
        padding: header.padding,
        ..AboutFilm::of_bits(header.bits_stored)
    }
}

/// Reads the distance of pixels. Pixel Spacing is calibrated if it differs from Imager Pixel Spacing,
/// or if the file says how it was calibrated (PS3.3 10.7.1.3).
fn spacing(object: &Object) -> Option<Spacing> {
    let pixel = distances(object, tags::PIXEL_SPACING);
    let imager = distances(object, tags::IMAGER_PIXEL_SPACING);
    let is_calibrated = object.get(tags::PIXEL_SPACING_CALIBRATION_TYPE).is_some();
    let (millimeters, measured_at) = match (pixel, imager) {
        (Some(pixel), Some(imager)) if pixel == imager && !is_calibrated => {
            (pixel, MeasuredAt::Detector)
        }
        (Some(pixel), Some(_)) => (pixel, MeasuredAt::Patient),
        (Some(pixel), None) if is_calibrated => (pixel, MeasuredAt::Patient),
        (Some(pixel), None) => (pixel, MeasuredAt::Unknown),
        (None, Some(imager)) => (imager, MeasuredAt::Detector),
        // A film that was scanned lay on the detector.
        (None, None) => {
            (distances(object, tags::NOMINAL_SCANNED_PIXEL_SPACING)?, MeasuredAt::Detector)
        }
    };
    Some(Spacing { millimeters, measured_at })
}

fn distances(object: &InMemDicomObject, tag: Tag) -> Option<[f64; 2]> {
    let numbers = object.get(tag)?.to_multi_float64().ok()?;
    let &[rows, columns] = numbers.as_slice() else { return None };
    [rows, columns].iter().all(|&one| one.is_finite() && one > 0.0).then_some([rows, columns])
}

//! A film that is not in a DICOM file, as an image of a study of its own, so that reports can refer to
//! it.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use roentgen_data::pixels::Plane;

use crate::capture::put_pixels;
use crate::element::{empty, shorts, string};
use crate::error::Error;
use crate::object::{self, encode};
use crate::results::{Algorithm, Moment};
use crate::source::Source;
use crate::uid::derived;

/// A study that was made for a film.
pub struct NewStudy {
    /// The film in it.
    pub source: Source,
    /// The film as a secondary capture image, as a file.
    pub film: Vec<u8>,
}

impl NewStudy {
    /// Makes a study of one film. Its UIDs are derived from patient and pixels: the same film of the
    /// same patient gives the same study again.
    ///
    /// # Errors
    ///
    /// Returns an error if the film is larger than an image can be, cannot be encoded, or if the name
    /// of the patient cannot be a Patient ID (LO, PS3.5 6.2).
    pub fn of(
        film: &Plane,
        patient: &str,
        is_de_identified: bool,
        written: &Moment,
    ) -> Result<Self, Error> {
        let is_id = patient.chars().count() <= 64
            && !patient.contains(|letter: char| letter == '\\' || letter.is_control());
        if !is_id {
            let what = "it has more than 64 letters, a backslash or a control character";
            return Err(Error::Damaged { tag: tags::PATIENT_ID, what });
        }
        let pixels: String = film.pixels.iter().map(|&gray| char::from(gray)).collect();
        let size = format!("{} x {}", film.height, film.width);
        let uid = |kind| derived(&["film", kind, patient, &size, &pixels]);
        let mut header = InMemDicomObject::new_empty();
        for (tag, vr, text) in [
            (tags::PATIENT_ID, VR::LO, patient),
            (tags::STUDY_INSTANCE_UID, VR::UI, &uid("study")),
            (tags::SERIES_INSTANCE_UID, VR::UI, &uid("series")),
            (tags::SOP_INSTANCE_UID, VR::UI, &uid("image")),
            (tags::SOP_CLASS_UID, VR::UI, uids::SECONDARY_CAPTURE_IMAGE_STORAGE),
            (tags::MODALITY, VR::CS, "OT"),
            (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        ] {
            header.put(string(tag, vr, text));
        }
        let edge = |pixels: u32| u16::try_from(pixels).unwrap_or(0);
        header.put(shorts(tags::ROWS, [edge(film.height)]));
        header.put(shorts(tags::COLUMNS, [edge(film.width)]));
        let mut source = Source::read(&header, None)?;
        source.is_de_identified = is_de_identified;
        let film = encode(image(&source, film, written))?;
        Ok(Self { source, film })
    }
}

/// Makes the image.
fn image(source: &Source, film: &Plane, written: &Moment) -> InMemDicomObject {
    let nothing = Algorithm {
        name: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: String::new(),
        parameters: Vec::new(),
        fitted: String::new(),
    };
    let head = object::Head {
        class: uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
        modality: "OT",
        kind: "film",
        series_number: 1,
        description: "film",
        number: 1,
        detail: "",
    };
    let mut image = object::start(source, &nothing, written, &head);
    for (tag, vr, text) in [
        (tags::SERIES_INSTANCE_UID, VR::UI, source.series.as_str()),
        (tags::SOP_INSTANCE_UID, VR::UI, source.image.instance.as_str()),
        (tags::CONVERSION_TYPE, VR::CS, "WSD"),
    ] {
        image.put(string(tag, vr, text));
    }
    image.put(empty(tags::PATIENT_ORIENTATION, VR::CS));
    put_pixels(&mut image, [film.height, film.width], &film.pixels);
    image
}

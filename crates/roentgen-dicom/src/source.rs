//! The film that an object is made of: what is copied from its header, and what refers to it.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::element::{empty, sequence, string, text};
use crate::error::Error;
use crate::pseudonyms::Pseudonyms;
use crate::uid::is_uid;

/// What de-identification does with a copied attribute (PS3.15, table E.1-1, Basic Profile).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It says nothing of a person, and stays.
    Keep,
    /// A pseudonym replaces it (action Z with a dummy value).
    Pseudonym,
    /// It becomes empty (action Z).
    Empty,
    /// It is left out (action X).
    Remove,
}

/// Whether an object must have an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Present, and empty if unknown (type 2).
    Present,
    /// Present if known (type 3).
    Optional,
}

/// The attributes of patient and study that objects have from the film, and no others.
const COPIED: [(Tag, VR, Need, Action); 14] = [
    (tags::PATIENT_NAME, VR::PN, Need::Present, Action::Pseudonym),
    (tags::PATIENT_ID, VR::LO, Need::Present, Action::Pseudonym),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO, Need::Optional, Action::Remove),
    (tags::PATIENT_BIRTH_DATE, VR::DA, Need::Present, Action::Empty),
    (tags::PATIENT_SEX, VR::CS, Need::Present, Action::Empty),
    (tags::PATIENT_AGE, VR::AS, Need::Optional, Action::Remove),
    (tags::STUDY_DATE, VR::DA, Need::Present, Action::Empty),
    (tags::STUDY_TIME, VR::TM, Need::Present, Action::Empty),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, Need::Present, Action::Empty),
    (tags::STUDY_ID, VR::SH, Need::Present, Action::Empty),
    (tags::ACCESSION_NUMBER, VR::SH, Need::Present, Action::Empty),
    (tags::STUDY_DESCRIPTION, VR::LO, Need::Optional, Action::Remove),
    (tags::PATIENT_IDENTITY_REMOVED, VR::CS, Need::Optional, Action::Keep),
    (tags::DEIDENTIFICATION_METHOD, VR::LO, Need::Optional, Action::Keep),
];

/// A film in a DICOM file, as objects refer to it.
#[derive(Clone, Debug)]
pub struct Source {
    /// Patient and study.
    pub(crate) copied: InMemDicomObject,
    pub(crate) is_de_identified: bool,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) image: Reference,
    /// Such as `DX`; empty if unknown.
    pub(crate) modality: String,
    pub(crate) shown: Shown,
}

/// An image or another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) class: String,
    pub(crate) instance: String,
}

/// How the film's pixels are shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// `[rows, columns]`.
    pub(crate) size: [u32; 2],
    /// Whether it has one channel; a gray presentation state cannot show colours.
    pub(crate) is_gray: bool,
    /// Whether the lowest value is white.
    pub(crate) is_inverted: bool,
    /// Modality LUT or rescale.
    pub(crate) modality: InMemDicomObject,
    /// The first VOI LUT or the first window; empty if there is none.
    pub(crate) voi: InMemDicomObject,
    /// Distance of rows and of columns in mm.
    pub(crate) spacing: Option<String>,
    /// Burned In Annotation, if the header says it.
    pub(crate) burned_in: Option<String>,
    /// Directions of the rows and of the columns, such as `L\F`.
    pub(crate) orientation: Option<String>,
    /// Loss by compression: whether, ratio, method.
    pub(crate) lossy: [Option<String>; 3],
}

/// Whose film it is, for score tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// Patient ID; `None` if the header has none.
    pub patient: Option<String>,
    /// View Position, or Patient Position where some files have it.
    pub view: Option<String>,
    /// Patient's Age in whole years.
    pub age: Option<u32>,
    /// `M` or `F`.
    pub sex: Option<String>,
}

impl Whose {
    /// Reads whose film it is.
    ///
    /// # Errors
    ///
    /// Returns an error if an element is not text.
    pub fn read(header: &InMemDicomObject) -> Result<Self, Error> {
        let of = |tag| text(header, tag);
        let views = [of(tags::VIEW_POSITION)?, of(tags::PATIENT_POSITION)?];
        let is_known = |view: &String| ["PA", "AP"].contains(&view.as_str());
        Ok(Self {
            patient: of(tags::PATIENT_ID)?,
            view: views.into_iter().flatten().find(is_known),
            age: of(tags::PATIENT_AGE)?.as_deref().and_then(years),
            sex: of(tags::PATIENT_SEX)?.filter(|sex| ["M", "F"].contains(&sex.as_str())),
        })
    }
}

/// Returns an age as the standard writes it; some files have years as `58`. `None` if it is neither.
fn age(text: String) -> Option<String> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() <= 3 && is_digits(&text) {
        return Some(format!("{text:0>3}Y"));
    }
    let is_age = text.len() == 4 && text.strip_suffix(['Y', 'M', 'W', 'D']).is_some_and(is_digits);
    is_age.then_some(text)
}

/// Reads an age such as `058Y`, `011M` or, as some files have it, `58`.
fn years(text: &str) -> Option<u32> {
    let units = [('Y', 1), ('M', 12), ('W', 52), ('D', 365)];
    let unit =
        units.iter().find_map(|&(unit, in_a_year)| Some((text.strip_suffix(unit)?, in_a_year)));
    let (digits, in_a_year) = unit.unwrap_or((text, 1));
    let age: u32 = digits.trim().parse().ok()?;
    Some(age / in_a_year)
}

/// Returns whether the header says that the picture has text in it, which may name the patient
/// (Burned In Annotation, PS3.3 C.7.6.1).
pub fn has_burned_in_text(header: &InMemDicomObject) -> bool {
    text(header, tags::BURNED_IN_ANNOTATION).ok().flatten().as_deref() == Some("YES")
}

impl Source {
    /// Reads what objects need of the elements before the pixels. With pseudonyms nothing of the
    /// patient remains in the result, and its UIDs are other ones.
    ///
    /// # Errors
    ///
    /// Returns an error if study, series or image have no valid UID, if an element is damaged, or if
    /// the film has text in its picture that would have to be removed.
    pub fn read(header: &InMemDicomObject, privacy: Option<&Pseudonyms>) -> Result<Self, Error> {
        let uid = |tag, name| {
            let uid = text(header, tag)?.ok_or(Error::Missing { tag, name })?;
            if !is_uid(&uid) {
                return Err(Error::Damaged { tag, what: "it is not a UID" });
            }
            Ok(uid)
        };
        let hidden = |uid: String| privacy.map_or_else(|| uid.clone(), |names| names.uid(&uid));
        let shown = Shown::read(header)?;
        if privacy.is_some() && has_burned_in_text(header) {
            return Err(Error::BurnedIn);
        }
        Ok(Self {
            copied: copied(header, privacy)?,
            is_de_identified: privacy.is_some(),
            study: hidden(uid(tags::STUDY_INSTANCE_UID, "Study Instance UID")?),
            series: hidden(uid(tags::SERIES_INSTANCE_UID, "Series Instance UID")?),
            image: Reference {
                class: uid(tags::SOP_CLASS_UID, "SOP Class UID")?,
                instance: hidden(uid(tags::SOP_INSTANCE_UID, "SOP Instance UID")?),
            },
            modality: text(header, tags::MODALITY)?.unwrap_or_default(),
            shown,
        })
    }

    /// Returns the size of the film, `[rows, columns]`.
    pub fn size(&self) -> [u32; 2] {
        self.shown.size
    }

    /// Returns whether a gray presentation state can show the film.
    pub fn is_gray(&self) -> bool {
        self.shown.is_gray
    }
}

/// Copies patient and study, or their pseudonyms.
fn copied(
    header: &InMemDicomObject,
    privacy: Option<&Pseudonyms>,
) -> Result<InMemDicomObject, Error> {
    let patient = match text(header, tags::PATIENT_ID)? {
        Some(number) => Some(number),
        None => text(header, tags::PATIENT_NAME)?,
    };
    let mut copied = InMemDicomObject::new_empty();
    for (tag, vr, need, action) in COPIED {
        let original = text(header, tag)?;
        let original = if tag == tags::PATIENT_AGE { original.and_then(age) } else { original };
        let value = match (privacy, action) {
            (None, _) | (Some(_), Action::Keep) => original,
            (Some(names), Action::Pseudonym) => {
                patient.as_ref().map(|patient| names.name("patient", patient))
            }
            (Some(_), Action::Empty | Action::Remove) => None,
        };
        match value {
            Some(value) => copied.put(string(tag, vr, value)),
            None if need == Need::Present => copied.put(empty(tag, vr)),
            None => None,
        };
    }
    let method = tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE;
    let codes = header.get(method).and_then(|codes| codes.items());
    if let Some(codes) = codes.filter(|_| privacy.is_none()) {
        let parts = [tags::CODE_VALUE, tags::CODING_SCHEME_DESIGNATOR, tags::CODE_MEANING];
        let code = |item: &InMemDicomObject| only(item, &parts);
        copied.put(sequence(method, codes.iter().map(code).collect()));
    }
    Ok(copied)
}

impl Shown {
    fn read(header: &InMemDicomObject) -> Result<Self, Error> {
        let of = |tag| text(header, tag);
        let number = |tag, name| {
            let element = header.get(tag).ok_or(Error::Missing { tag, name })?;
            let number = element.value().to_int::<u16>().ok().filter(|number| *number > 0);
            let what = "it is not a number from 1 to 65,535";
            number.map(u32::from).ok_or(Error::Damaged { tag, what })
        };
        let photometric = of(tags::PHOTOMETRIC_INTERPRETATION)?.unwrap_or_default();
        let spacings = [of(tags::PIXEL_SPACING)?, of(tags::IMAGER_PIXEL_SPACING)?];
        Ok(Self {
            size: [number(tags::ROWS, "Rows")?, number(tags::COLUMNS, "Columns")?],
            is_gray: photometric.starts_with("MONOCHROME"),
            is_inverted: photometric == "MONOCHROME1"
                || of(tags::PRESENTATION_LUT_SHAPE)?.as_deref() == Some("INVERSE"),
            modality: modality(header),
            voi: voi(header)?,
            spacing: spacings.into_iter().flatten().find(|spacing| is_spacing(spacing)),
            burned_in: of(tags::BURNED_IN_ANNOTATION)?,
            orientation: of(tags::PATIENT_ORIENTATION)?,
            lossy: [
                of(tags::LOSSY_IMAGE_COMPRESSION)?,
                of(tags::LOSSY_IMAGE_COMPRESSION_RATIO)?,
                of(tags::LOSSY_IMAGE_COMPRESSION_METHOD)?,
            ],
        })
    }
}

/// Returns the first modality LUT, or the rescale.
fn modality(header: &InMemDicomObject) -> InMemDicomObject {
    if let Some(lut) = first_item(header, tags::MODALITY_LUT_SEQUENCE) {
        let parts =
            [tags::LUT_DESCRIPTOR, tags::LUT_EXPLANATION, tags::MODALITY_LUT_TYPE, tags::LUT_DATA];
        let lut = sequence(tags::MODALITY_LUT_SEQUENCE, vec![only(lut, &parts)]);
        return InMemDicomObject::from_element_iter([lut]);
    }
    let parts = [tags::RESCALE_INTERCEPT, tags::RESCALE_SLOPE, tags::RESCALE_TYPE];
    let mut rescale = only(header, &parts);
    let is_whole = parts[..2].iter().all(|&tag| rescale.get(tag).is_some());
    if !is_whole {
        return InMemDicomObject::new_empty();
    }
    if rescale.get(tags::RESCALE_TYPE).is_none() {
        // Unspecified.
        rescale.put(string(tags::RESCALE_TYPE, VR::LO, "US"));
    }
    rescale
}

/// Returns the first VOI LUT, or the first window with its function.
fn voi(header: &InMemDicomObject) -> Result<InMemDicomObject, Error> {
    if let Some(lut) = first_item(header, tags::VOILUT_SEQUENCE) {
        let parts = [tags::LUT_DESCRIPTOR, tags::LUT_EXPLANATION, tags::LUT_DATA];
        let lut = sequence(tags::VOILUT_SEQUENCE, vec![only(lut, &parts)]);
        return Ok(InMemDicomObject::from_element_iter([lut]));
    }
    let first = |tag| {
        let values = text(header, tag)?;
        Ok(values.and_then(|values| values.split('\\').next().map(str::to_owned)))
    };
    let (Some(center), Some(width)) = (first(tags::WINDOW_CENTER)?, first(tags::WINDOW_WIDTH)?)
    else {
        return Ok(InMemDicomObject::new_empty());
    };
    let function = text(header, tags::VOILUT_FUNCTION)?;
    let window =
        [string(tags::WINDOW_CENTER, VR::DS, center), string(tags::WINDOW_WIDTH, VR::DS, width)];
    let function = function.map(|function| string(tags::VOILUT_FUNCTION, VR::CS, function));
    Ok(InMemDicomObject::from_element_iter(window.into_iter().chain(function)))
}

/// Whether a text has two distances above zero.
fn is_spacing(text: &str) -> bool {
    let is_distance = |part: &str| part.trim().parse::<f64>().is_ok_and(|mm| mm > 0.0);
    text.split('\\').count() == 2 && text.split('\\').all(is_distance)
}

fn first_item(header: &InMemDicomObject, tag: Tag) -> Option<&InMemDicomObject> {
    header.get(tag)?.items()?.first()
}

/// Copies some elements that are not sequences.
fn only(item: &InMemDicomObject, tags: &[Tag]) -> InMemDicomObject {
    let elements = tags.iter().filter_map(|&tag| item.get(tag));
    let plain = elements.filter(|element| element.value().primitive().is_some());
    InMemDicomObject::from_element_iter(plain.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_the_standard_has_them_and_read_as_years() {
        let written = |text: &str| age(text.to_owned());

        assert_eq!(written("62").as_deref(), Some("062Y"));
        assert_eq!(written("011M").as_deref(), Some("011M"));
        assert_eq!(written("old"), None);
        assert_eq!(
            [years("058Y"), years("62"), years("030M"), years("x")],
            [Some(58), Some(62), Some(2), None]
        );
    }

    #[test]
    fn a_spacing_is_two_distances_above_zero() {
        assert!(is_spacing("0.143\\0.143") && is_spacing("0.1 \\0.2"));
        assert!(!is_spacing("0.000\\0.000") && !is_spacing("0.1") && !is_spacing("a\\b"));
    }
}

//! The film that an object is made of: what is copied from its header, and what refers to it.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::element::{empty, only, sequence, string, text};
use crate::error::Error;
use crate::pseudonyms::Pseudonyms;
use crate::shown::Shown;
use crate::uid::is_uid;

/// What de-identification does with a copied attribute (PS3.15, table E.1-1, Basic Profile).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
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
    (tags::PATIENT_IDENTITY_REMOVED, VR::CS, Need::Optional, Action::Remove),
    (tags::DEIDENTIFICATION_METHOD, VR::LO, Need::Optional, Action::Remove),
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

/// How an object is de-identified.
#[derive(Clone, Copy, Debug)]
pub struct DeIdentification<'a> {
    /// What replaces UIDs.
    pub pseudonyms: &'a Pseudonyms,
    /// What replaces the patient, as in the score table.
    pub patient: &'a str,
}

/// An image or another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) class: String,
    pub(crate) instance: String,
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

/// Returns whether the header says that the picture has text in it, which may name the patient
/// (Burned In Annotation, PS3.3 C.7.6.1).
pub fn has_burned_in_text(header: &InMemDicomObject) -> bool {
    text(header, tags::BURNED_IN_ANNOTATION).ok().flatten().as_deref() == Some("YES")
}

impl Source {
    /// Reads what objects need of the elements before the pixels. If it is de-identified, nothing of
    /// the patient remains in the result, and its UIDs are other ones.
    ///
    /// # Errors
    ///
    /// Returns an error if study, series or image have no valid UID, if an element is damaged, or if
    /// the film has text in its picture that would have to be removed.
    pub fn read(
        header: &InMemDicomObject,
        privacy: Option<DeIdentification<'_>>,
    ) -> Result<Self, Error> {
        let uid = |tag, name| {
            let uid = text(header, tag)?.ok_or(Error::Missing { tag, name })?;
            if !is_uid(&uid) {
                return Err(Error::Damaged { tag, what: "it is not a UID" });
            }
            Ok(uid)
        };
        let hidden = |uid: String| match privacy {
            Some(hiding) => hiding.pseudonyms.uid(&uid),
            None => uid,
        };
        let shown = match (Shown::read(header)?, privacy) {
            (shown, Some(_)) => shown.de_identified(),
            (shown, None) => shown,
        };
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
    privacy: Option<DeIdentification<'_>>,
) -> Result<InMemDicomObject, Error> {
    let mut copied = InMemDicomObject::new_empty();
    for (tag, vr, need, action) in COPIED {
        let original = text(header, tag)?;
        let original = if tag == tags::PATIENT_AGE { original.and_then(age) } else { original };
        let value = match (privacy, action) {
            (None, _) => original,
            (Some(hiding), Action::Pseudonym) => Some(hiding.patient.to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_the_standard_has_them() {
        let written = |text: &str| age(text.to_owned());

        assert_eq!(written("62").as_deref(), Some("062Y"));
        assert_eq!(written("011M").as_deref(), Some("011M"));
        assert_eq!(written("old"), None);
    }
}

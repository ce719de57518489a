//! What the header of a DICOM file says.

use std::io::{BufRead, Seek};

use super::Objection;
use crate::pixels::{FilmFile, Subject};

/// Modalities of films: computed and digital radiography, and what secondary captures say.
const FILMS: [&str; 6] = ["CR", "DX", "RG", "OT", "SC", "XC"];
/// Words of body parts that a frontal chest film may name (PS3.16, CID 4 and its older terms).
const CHESTS: [&str; 4] = ["CHEST", "THORAX", "LUNG", "CHESTABDPELVIS"];
/// Words of view positions from the front or the back.
const FRONTAL: [&str; 3] = ["PA", "AP", "FRONTAL"];

/// Checks modality, body part and view position of a DICOM file; what a header does not say is
/// not a reason to refuse it. Files of other types have no header and pass.
///
/// # Errors
///
/// Returns the objection if the header says that the file is something else than a frontal chest
/// film, or says it in words that are unknown. A file whose header cannot be read passes, because
/// reading its pixels gives the better reason.
pub fn check_header<R: BufRead + Seek>(file: &mut FilmFile<R>) -> Result<(), Objection> {
    match file.subject() {
        Ok(Some(subject)) => check(&subject),
        Ok(None) | Err(_) => Ok(()),
    }
}

pub(super) fn check(subject: &Subject) -> Result<(), Objection> {
    let object = |what: String| Err(Objection::Header(what));
    let Subject { modality, body_part, view } = subject;
    if !modality.is_empty() && !FILMS.contains(&modality.as_str()) {
        return object(format!("its header says modality {modality}, which is not radiography"));
    }
    if !body_part.is_empty() && !words(body_part).any(|word| CHESTS.contains(&word)) {
        return object(format!("its header says body part {body_part}, which is not the chest"));
    }
    let is_frontal = words(view).any(|word| FRONTAL.contains(&word))
        && !words(view).any(|word| word.starts_with("LAT"));
    if !view.is_empty() && !is_frontal {
        return object(format!("its header says view {view}, and the model knows PA and AP films"));
    }
    Ok(())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}

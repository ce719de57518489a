//! What the header of a DICOM file says.

use std::path::Path;

use super::Objection;
use crate::pixels::{self, Subject};

/// Modalities of films: computed and digital radiography, and what secondary captures say.
const FILMS: [&str; 6] = ["CR", "DX", "RG", "OT", "SC", "XC"];
/// Body parts that a frontal chest film may name (PS3.16, CID 4 and its older terms).
const CHESTS: [&str; 5] = ["CHEST", "THORAX", "LUNG", "CHESTABDPELVIS", "PORT CHEST"];
/// View positions from the side.
const LATERAL: [&str; 4] = ["LL", "RL", "LATERAL", "LAT"];

/// Checks modality, body part and view position of a DICOM file; what a header does not say is
/// not held against it. Files of other types have no header and pass.
///
/// # Errors
///
/// Returns the objection if the header says that the file is not a frontal chest film. A file that
/// cannot be read passes, because reading its pixels gives the better reason.
pub fn check_header(path: &Path) -> Result<(), Objection> {
    match pixels::subject(path) {
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
    if !body_part.is_empty() && !CHESTS.iter().any(|known| body_part.contains(known)) {
        return object(format!("its header says body part {body_part}, which is not the chest"));
    }
    if LATERAL.contains(&view.as_str()) {
        return object(format!("its header says view {view}, and the model knows frontal films"));
    }
    Ok(())
}

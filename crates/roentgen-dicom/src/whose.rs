//! Whose film it is, as the header of its DICOM file says.

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use roentgen_data::study::is_known_patient;

use crate::element::text;

/// Whose film it is, for score tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// Patient ID; `None` if the header has none, or a placeholder.
    pub patient: Option<String>,
    /// Study Instance UID; a study is of one patient.
    pub study: Option<String>,
    /// View Position, or Patient Position where some files have it.
    pub view: Option<String>,
    /// Patient's Age in whole years.
    pub age: Option<u32>,
    /// `M` or `F`.
    pub sex: Option<String>,
}

impl Whose {
    /// Reads whose film it is. What is damaged counts as unknown, and hides nothing else.
    pub fn read(header: &InMemDicomObject) -> Self {
        let of = |tag| text(header, tag).ok().flatten();
        let views = [of(tags::VIEW_POSITION), of(tags::PATIENT_POSITION)];
        let is_known = |view: &String| ["PA", "AP"].contains(&view.as_str());
        Self {
            patient: of(tags::PATIENT_ID).filter(|id| is_known_patient(id)),
            study: of(tags::STUDY_INSTANCE_UID),
            view: views.into_iter().flatten().find(is_known),
            age: of(tags::PATIENT_AGE).as_deref().and_then(years),
            sex: of(tags::PATIENT_SEX).filter(|sex| ["M", "F"].contains(&sex.as_str())),
        }
    }
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

#[cfg(test)]
mod tests {
    use dicom_core::VR;

    use super::*;
    use crate::element::{data_set, sequence, string};

    #[test]
    fn ages_are_read_as_years() {
        assert_eq!(
            [years("058Y"), years("62"), years("030M"), years("x")],
            [Some(58), Some(62), Some(2), None]
        );
    }

    #[test]
    fn a_damaged_element_hides_nothing_else_and_a_placeholder_is_no_patient() {
        let header = |patient: &str| {
            data_set([
                string(tags::PATIENT_ID, VR::LO, patient),
                sequence(tags::VIEW_POSITION, Vec::new()),
                string(tags::PATIENT_AGE, VR::AS, "058Y"),
            ])
        };

        let whose = Whose::read(&header("  P-4711 "));

        assert_eq!(
            (whose.patient.as_deref(), whose.view, whose.age),
            (Some("P-4711"), None, Some(58))
        );
        assert_eq!(Whose::read(&header("ANONYMOUS")).patient, None);
    }
}

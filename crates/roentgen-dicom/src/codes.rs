//! The codes of the objects: SNOMED CT, DICOM's own, units, and ours where none of them fits.

use roentgen_data::Finding;

use crate::element::{data_set, string};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

/// A concept of a coding scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) value: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) meaning: &'static str,
}

/// A coding scheme.
pub(crate) struct Scheme {
    /// Its designator.
    pub(crate) name: &'static str,
    /// Its UID, if it is registered.
    pub(crate) uid: Option<&'static str>,
    pub(crate) title: &'static str,
    pub(crate) organization: &'static str,
}

const DCM: &str = "DCM";
const SCT: &str = "SCT";
const UCUM: &str = "UCUM";
/// Designators that begin with 99 are private (PS3.3, 8.2).
const OWN: &str = "99ROENTGEN";

/// The schemes of the codes below.
pub(crate) const SCHEMES: [Scheme; 4] = [
    Scheme {
        name: DCM,
        uid: Some("1.2.840.10008.2.16.4"),
        title: "DICOM Controlled Terminology",
        organization: "DICOM Standards Committee",
    },
    Scheme {
        name: SCT,
        uid: Some("2.16.840.1.113883.6.96"),
        title: "SNOMED CT",
        organization: "SNOMED International",
    },
    Scheme {
        name: UCUM,
        uid: Some("2.16.840.1.113883.6.8"),
        title: "Unified Code for Units of Measure",
        organization: "Regenstrief Institute",
    },
    Scheme {
        name: OWN,
        uid: None,
        title: "Codes of the program roentgen, listed in its docs/dicom.md",
        organization: "roentgen",
    },
];

const fn code(value: &'static str, scheme: &'static str, meaning: &'static str) -> Code {
    Code { value, scheme, meaning }
}

pub(crate) const REPORT: Code = code("126000", DCM, "Imaging Measurement Report");
pub(crate) const LANGUAGE: Code = code("121049", DCM, "Language of Content Item and Descendants");
pub(crate) const ENGLISH: Code = code("en", "RFC5646", "English");
pub(crate) const OBSERVER_TYPE: Code = code("121005", DCM, "Observer Type");
pub(crate) const DEVICE: Code = code("121007", DCM, "Device");
pub(crate) const DEVICE_UID: Code = code("121012", DCM, "Device Observer UID");
pub(crate) const DEVICE_NAME: Code = code("121013", DCM, "Device Observer Name");
pub(crate) const DEVICE_MANUFACTURER: Code = code("121014", DCM, "Device Observer Manufacturer");
pub(crate) const DEVICE_MODEL: Code = code("121015", DCM, "Device Observer Model Name");
pub(crate) const PROCEDURE: Code = code("121058", DCM, "Procedure reported");
pub(crate) const CHEST_FILM: Code = code("399208008", SCT, "Plain chest X-ray");
pub(crate) const LIBRARY: Code = code("111028", DCM, "Image Library");
pub(crate) const LIBRARY_GROUP: Code = code("126200", DCM, "Image Library Group");
pub(crate) const MODALITY: Code = code("121139", DCM, "Modality");
pub(crate) const MEASUREMENTS: Code = code("126010", DCM, "Imaging Measurements");
pub(crate) const GROUP: Code = code("125007", DCM, "Measurement Group");
pub(crate) const TRACKING: Code = code("112039", DCM, "Tracking Identifier");
pub(crate) const TRACKING_UID: Code = code("112040", DCM, "Tracking Unique Identifier");
pub(crate) const FINDING: Code = code("121071", DCM, "Finding");
pub(crate) const SITE: Code = code("363698007", SCT, "Finding Site");
pub(crate) const ALGORITHM_NAME: Code = code("111001", DCM, "Algorithm Name");
pub(crate) const ALGORITHM_VERSION: Code = code("111003", DCM, "Algorithm Version");
pub(crate) const ALGORITHM_PARAMETERS: Code = code("111002", DCM, "Algorithm Parameters");
pub(crate) const IMAGE: Code = code("121112", DCM, "Source of Measurement");
pub(crate) const COMMENT: Code = code("121106", DCM, "Comment");
pub(crate) const POSITIVE: Code = code("10828004", SCT, "Positive");
pub(crate) const NEGATIVE: Code = code("260385009", SCT, "Negative");
pub(crate) const ONE: Code = code("1", UCUM, "no units");

/// A sigmoid output of the network.
pub(crate) const PROBABILITY: Code = code("probability", OWN, "Probability by the model");
/// The same after calibration on validation films.
pub(crate) const CALIBRATED: Code = code("calibrated", OWN, "Calibrated probability");
/// What the probability by the model is compared with.
pub(crate) const THRESHOLD: Code = code("threshold", OWN, "Threshold of the call");
/// The outcome of the comparison.
pub(crate) const CALL: Code = code("call", OWN, "Call at the threshold");

/// Why an image is referred to.
pub(crate) const SOURCE_IMAGE: Code =
    code("121322", DCM, "Source image for image processing operation");
/// The profile of PS3.15 Annex E that `--de-identify` follows.
pub(crate) const BASIC_PROFILE: Code =
    code("113100", DCM, "Basic Application Confidentiality Profile");

const LUNG: Code = code("39607008", SCT, "Lung");
const HEART: Code = code("80891009", SCT, "Heart");
const PLEURA: Code = code("3120008", SCT, "Pleural structure");
const DIAPHRAGM: Code = code("5798000", SCT, "Diaphragm");

/// Returns the code of a finding, and where in the body it is.
///
/// Codes in context groups of PS3.16: Effusion (CID 645), Edema (3700), Mass, Nodule (6104),
/// Pneumothorax (6105). The others are SNOMED CT concepts by their names. Hernia of ChestX-ray14 is
/// nearly always a hiatal hernia; the concept that certainly covers it is the wider one. For pleural
/// thickening no concept could be confirmed, so its code is private.
pub(crate) fn finding(finding: Finding) -> [Code; 2] {
    match finding {
        Finding::Atelectasis => [code("46621007", SCT, "Atelectasis"), LUNG],
        Finding::Cardiomegaly => [code("8186001", SCT, "Cardiomegaly"), HEART],
        Finding::Consolidation => [code("95436008", SCT, "Lung consolidation"), LUNG],
        Finding::Edema => [code("19242006", SCT, "Pulmonary edema"), LUNG],
        Finding::Effusion => [code("60046008", SCT, "Pleural effusion"), PLEURA],
        Finding::Emphysema => [code("87433001", SCT, "Pulmonary emphysema"), LUNG],
        Finding::Fibrosis => [code("51615001", SCT, "Fibrosis of lung"), LUNG],
        Finding::Hernia => [code("39839004", SCT, "Diaphragmatic hernia"), DIAPHRAGM],
        Finding::Infiltration => [code("409609008", SCT, "Radiologic infiltrate of lung"), LUNG],
        Finding::Mass => [code("4147007", SCT, "Mass"), LUNG],
        Finding::Nodule => [code("27925004", SCT, "Nodule"), LUNG],
        Finding::PleuralThickening => [code("pleural-thick", OWN, "Pleural thickening"), PLEURA],
        Finding::Pneumonia => [code("233604007", SCT, "Pneumonia"), LUNG],
        Finding::Pneumothorax => [code("36118008", SCT, "Pneumothorax"), PLEURA],
    }
}

/// Returns the code of a modality (PS3.16, CID 33).
pub(crate) fn modality(name: &str) -> Code {
    match name {
        "CR" => code("CR", DCM, "Computed Radiography"),
        "DX" => code("DX", DCM, "Digital Radiography"),
        "RG" => code("RG", DCM, "Radiographic imaging"),
        _ => code("OT", DCM, "Other"),
    }
}

impl Code {
    /// Makes the item of a code sequence.
    pub(crate) fn item(self) -> InMemDicomObject {
        data_set([
            string(tags::CODE_VALUE, VR::SH, self.value),
            string(tags::CODING_SCHEME_DESIGNATOR, VR::SH, self.scheme),
            string(tags::CODE_MEANING, VR::LO, self.meaning),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_finding_has_a_code_of_its_own_that_fits_its_element() {
        let codes: Vec<Code> =
            Finding::ALL.iter().map(|&of| finding(of)[0]).chain([PROBABILITY, CALL]).collect();
        let values: HashSet<&str> = codes.iter().map(|code| code.value).collect();

        assert_eq!(values.len(), codes.len());
        for code in codes {
            // SH has at most 16 letters, LO 64; longer values need another element.
            assert!(code.value.len() <= 16 && code.meaning.len() <= 64, "{code:?}");
            assert!(SCHEMES.iter().any(|scheme| scheme.name == code.scheme), "{code:?}");
        }
    }
}

//! The patient that the name of a film says.

use roentgen_data::nih;

/// Returns the patient of a film. NIH's file names begin with the patient's number; of any other
/// name the whole stem identifies the patient.
pub(super) fn patient_of(image: &str) -> String {
    let stem = nih::stem(image);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    match name.split_once('_') {
        Some((number, _)) if number.len() == 8 => {
            number.parse::<u32>().map_or_else(|_| stem.to_owned(), |number| number.to_string())
        }
        _ => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_is_read_from_nihs_names_and_no_others() {
        assert_eq!(patient_of("00000012_003.png"), "12");
        assert_eq!(patient_of("images_001/00000012_003.png"), "12");
        assert_eq!(patient_of("scan_1.png"), "scan_1");
        assert_eq!(patient_of("a/scan_1.png"), "a/scan_1");
        assert_eq!(patient_of("chest"), "chest");
        // Films without an extension are often named by their UID.
        assert_eq!(patient_of("1.2.840.7.1"), "1.2.840.7.1");
    }
}

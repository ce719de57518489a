//! The names and cells of a score table, as other programs write them.

use super::RESERVED;

/// Returns the name of a column without spaces around it, in the spelling that is looked for.
pub(super) fn column_name(name: &str) -> String {
    let name = name.trim();
    let known = RESERVED.into_iter().find(|known| known.eq_ignore_ascii_case(name));
    known.unwrap_or(name).to_owned()
}

/// Returns the name of a patient. In some columns of whole numbers pandas writes 12 as `12.0`, and in
/// another table it is the same patient.
pub(super) fn patient(cell: &str) -> String {
    let cell = cell.trim();
    match cell.split_once('.') {
        Some((number, zeros))
            if !number.is_empty()
                && !zeros.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && zeros.bytes().all(|byte| byte == b'0') =>
        {
            number.to_owned()
        }
        _ => cell.to_owned(),
    }
}

/// What to do about a missing column.
pub(super) fn hint(header: &[String]) -> &'static str {
    match header {
        [only] if only.contains(';') => {
            "the columns are separated by semicolons: save the file with commas"
        }
        [only] if only.contains('\t') => {
            "the columns are separated by tabs: save the file with commas"
        }
        _ => "a score table starts with `image,patient,...`",
    }
}

/// Parses a cell that says yes, no or nothing; returns `None` if it is not 0, 1 or empty. In a
/// column with empty cells pandas writes 0 and 1 as `0.0` and `1.0`.
pub(crate) fn parse_flag(text: &str) -> Option<Option<bool>> {
    match text.trim() {
        "" => Some(None),
        "0" | "0.0" => Some(Some(false)),
        "1" | "1.0" => Some(Some(true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_the_same_with_and_without_a_fraction() {
        let cells = ["12.0", " 12", "12.00", "12.5", "a.0", ".0", "12.", "1.2.0"];
        let expected = ["12", "12", "12", "12.5", "a.0", ".0", "12.", "1.2.0"];

        assert_eq!(cells.map(patient), expected);
    }
}

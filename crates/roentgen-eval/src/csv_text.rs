//! Tables of figures as CSV.

use crate::Error;

/// Formats a figure with all digits; an undefined one is an empty cell.
pub(crate) fn cell(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Joins rows, of which the first is the header; `name` is the file in errors.
pub(crate) fn csv<const N: usize>(
    name: &'static str,
    rows: Vec<[String; N]>,
) -> Result<String, Error> {
    let failure = |source: csv::Error| Error::Csv { path: name.into(), source };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).map_err(failure)?;
    }
    let bytes = writer.into_inner().map_err(|error| failure(error.into_error().into()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

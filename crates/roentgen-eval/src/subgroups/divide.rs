//! Which films are in which group.
//!
//! Ages above 120, which occur in the NIH label file, are ignored.

use std::collections::BTreeMap;

use crate::Scores;

/// The columns that films are divided by.
pub(super) const COLUMNS: [&str; 5] = ["age", "sex", "source", "number_of_findings", "view"];

/// The highest age that is not regarded as a typing error.
const OLDEST: f64 = 120.0;

/// The number of sources from which on they are not groups but, for example, files.
const SOURCES: usize = 12;

/// Returns the rows of each group of a column; a film without a value is in no group.
pub(super) fn divide(scores: &Scores, by: &str) -> BTreeMap<String, Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let cells = scores.column(by);
    for row in 0..scores.len() {
        let cell = cells.map_or("", |cells| cells[row].trim());
        let group = match by {
            "age" => band(cell),
            "number_of_findings" => number_of_findings(scores, row),
            _ => Some(cell),
        };
        if let Some(group) = group.filter(|group| !group.is_empty()) {
            groups.entry(group.to_owned()).or_default().push(row);
        }
    }
    if by == "source" && !(2..=SOURCES).contains(&groups.len()) {
        groups.clear();
    }
    groups
}

/// Returns how many of the findings a film shows, if all of its labels are known.
fn number_of_findings(scores: &Scores, row: usize) -> Option<&'static str> {
    let labels = scores.findings().iter().map(|finding| finding.labels[row]);
    let labels: Option<Vec<bool>> = labels.collect();
    Some(match labels?.into_iter().filter(|&label| label).count() {
        0 => "0",
        1 => "1",
        2 => "2",
        _ => "3+",
    })
}

/// Returns the age band of an age in years, or in the form `058Y` of the first NIH label file.
fn band(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let years: f64 = match text.strip_suffix(['M', 'W', 'D']) {
        // Months, weeks and days are used for infants only.
        Some(number) => number.parse().map(|_: f64| 0.0).ok()?,
        None => text.strip_suffix('Y').unwrap_or(text).parse().ok()?,
    };
    match years {
        0.0..18.0 => Some("0-17"),
        18.0..40.0 => Some("18-39"),
        40.0..65.0 => Some("40-64"),
        65.0..=OLDEST => Some("65+"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::band;

    #[test]
    fn every_spelling_of_an_age_has_its_band() {
        let bands = ["0", "17.9", "18", "039Y", "011M", "65", "120", "121", "411", "-1", "x", ""];

        let found = bands.map(|text| band(text).unwrap_or("none"));
        let young = ["0-17", "0-17", "18-39", "18-39", "0-17"];
        assert_eq!(found[..5], young);
        assert_eq!(found[5..], ["65+", "65+", "none", "none", "none", "none", "none"]);
    }
}

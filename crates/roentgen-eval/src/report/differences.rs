//! Models compared with a first one, finding by finding, as a table.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::tables::{MACRO, high, low};
use crate::csv_text::{cell, csv};
use crate::{BootstrapOptions, Difference, Error, Scores, file, paired_difference};

/// A table that was compared with another one: its AUROC minus that of the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Name of the table, such as its path.
    pub scores: String,
    /// Name of the other table.
    pub against: String,
    /// The differences of the findings, in the order of the other table.
    #[serde(serialize_with = "by_name")]
    pub findings: Vec<(String, Difference)>,
    /// The difference of the means.
    pub mean: Difference,
}

impl Compared {
    /// Compares a table with another, each given with its name.
    ///
    /// # Errors
    ///
    /// Returns an error if the tables do not have the same films, findings and labels.
    pub fn of(
        (scores, table): (&str, &Scores),
        (against, other): (&str, &Scores),
        options: &BootstrapOptions,
    ) -> Result<Self, Error> {
        let (findings, mean) = paired_difference(other, table, options)?;
        let names = other.findings().iter().map(|finding| finding.name.clone());
        Ok(Self {
            scores: scores.to_owned(),
            against: against.to_owned(),
            findings: names.zip(findings).collect(),
            mean,
        })
    }
}

fn by_name<S: Serializer>(
    findings: &[(String, Difference)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(findings.iter().map(|(name, difference)| (name, difference)))
}

/// Writes `differences.csv` under a temporary name first: the AUROC of each table minus that of the
/// other, with the interval by patient, DeLong's p-value and Holm's correction of it.
///
/// # Errors
///
/// Returns an error if the file cannot be written.
pub fn write_differences(path: impl AsRef<Path>, compared: &[Compared]) -> Result<(), Error> {
    let header = ["scores", "against", "finding", "auroc", "low", "high", "p_delong", "p_holm"];
    let mut rows = vec![header.map(str::to_owned)];
    for Compared { scores, against, findings, mean } in compared {
        let named = findings.iter().map(|(name, difference)| (name.as_str(), difference));
        rows.extend(named.chain([(MACRO, mean)]).map(|(finding, of)| {
            [
                scores.clone(),
                against.clone(),
                finding.to_owned(),
                cell(of.value),
                low(of.interval),
                high(of.interval),
                cell(of.p),
                cell(of.p_holm),
            ]
        }));
    }
    file::write(path.as_ref(), csv("differences.csv", rows)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScoredFinding;

    #[test]
    fn each_finding_has_a_row_and_the_mean_no_p_value() {
        let table = |step: u32| {
            let finding = |name: &str, every: u32| ScoredFinding {
                name: name.into(),
                probabilities: (0..60_u32).map(|i| f64::from(i * step % 61) / 61.0).collect(),
                labels: (0..60_u32).map(|i| Some(i * 7 % 11 < every)).collect(),
            };
            let names: Vec<String> = (0..60).map(|i| i.to_string()).collect();
            Scores::new(names.clone(), names, vec![finding("A", 4), finding("B", 6)]).unwrap()
        };
        let (first, second) = (table(29), table(37));
        let options = BootstrapOptions { resamples: 20, seed: 1 };
        let compared = Compared::of(("b.csv", &second), ("a.csv", &first), &options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("differences.csv");
        write_differences(&path, std::slice::from_ref(&compared)).unwrap();

        let mut reader = csv::Reader::from_path(&path).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!([&rows[0][0], &rows[0][1], &rows[0][2]], ["b.csv", "a.csv", "A"]);
        assert_eq!(rows[0][3].parse::<f64>().ok(), compared.findings[0].1.value);
        let [p, holm] = [6, 7].map(|column| rows[0][column].parse::<f64>().unwrap());
        assert!(0.0 < p && p <= holm && holm <= 1.0, "{p} {holm}");
        assert_eq!([&rows[2][2], &rows[2][6], &rows[2][7]], ["macro mean", "", ""]);
    }
}

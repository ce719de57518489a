//! Models compared with a first one, finding by finding, as a table.

use std::path::Path;

use crate::{Difference, Error, Scores, file};

/// A table that was compared with the first one, by
/// [`paired_difference`](crate::paired_difference()).
#[derive(Clone, Debug)]
pub struct Compared {
    /// Name of the table, such as its path.
    pub name: String,
    /// The differences of its findings, in the order of the first table.
    pub findings: Vec<Difference>,
    /// The difference of the means.
    pub mean: Difference,
}

/// Writes `differences.csv` under a temporary name first: the AUROC of each table minus that of the
/// first, with the interval by patient, DeLong's p-value and Holm's correction of it.
///
/// # Errors
///
/// Returns an error if the file cannot be written.
pub fn write_differences(
    path: impl AsRef<Path>,
    first: &Scores,
    against: &str,
    compared: &[Compared],
) -> Result<(), Error> {
    let header = ["scores", "against", "finding", "auroc", "low", "high", "p_delong", "p_holm"];
    let mut rows = vec![header.map(str::to_owned)];
    for Compared { name, findings, mean } in compared {
        let names = first.findings().iter().map(|finding| finding.name.as_str());
        let all = names.zip(findings).chain([("macro mean", mean)]);
        rows.extend(all.map(|(finding, of)| {
            [
                name.clone(),
                against.to_owned(),
                finding.to_owned(),
                super::tables::cell(of.value),
                super::tables::low(of.interval),
                super::tables::high(of.interval),
                super::tables::cell(of.p),
                super::tables::cell(of.p_holm),
            ]
        }));
    }
    let text = super::tables::csv("differences.csv", rows)?;
    file::write(path.as_ref(), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BootstrapOptions, ScoredFinding, paired_difference};

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
        let (findings, mean) = paired_difference(&first, &second, &options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("differences.csv");
        let compared = Compared { name: "b.csv".into(), findings: findings.clone(), mean };
        write_differences(&path, &first, "a.csv", &[compared]).unwrap();

        let mut reader = csv::Reader::from_path(&path).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!([&rows[0][0], &rows[0][1], &rows[0][2]], ["b.csv", "a.csv", "A"]);
        assert_eq!(rows[0][3].parse::<f64>().ok(), findings[0].value);
        let [p, holm] = [6, 7].map(|column| rows[0][column].parse::<f64>().unwrap());
        assert!(0.0 < p && p <= holm && holm <= 1.0, "{p} {holm}");
        assert_eq!([&rows[2][2], &rows[2][6], &rows[2][7]], ["macro mean", "", ""]);
    }
}

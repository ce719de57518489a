//! Checks that apply to every score table, whether read or built.
//!
//! They are the same for both: a table that can be built can be written, and a written table can be
//! read.

use std::collections::HashSet;

use super::{NIH_FINDINGS, RESERVED, Scores, TRUTH};
use crate::Error;

impl Scores {
    /// Refuses tables that are not valid; `line` gives the line of a row in its file.
    pub(super) fn check(&self, line: impl Fn(usize) -> u64) -> Result<(), Error> {
        let header = |problem: String| Error::Header { path: self.origin.clone(), problem };
        let row = |row: usize, problem: String| Error::Row {
            path: self.origin.clone(),
            line: line(row),
            problem,
        };

        if self.images.is_empty() {
            return Err(header("it has no rows".into()));
        }
        if self.findings.is_empty() {
            return Err(header(
                "it has no finding\na finding `F` needs two columns, `F` and `F.truth`".into(),
            ));
        }
        self.check_columns().map_err(header)?;

        let mut seen = HashSet::new();
        for (index, (image, patient)) in self.images.iter().zip(&self.patients).enumerate() {
            if image.is_empty() {
                return Err(row(index, "the image has no name".into()));
            }
            if patient.is_empty() {
                let hint = "intervals are computed by patient, so every film needs one";
                return Err(row(index, format!("`{image}` has no patient\n{hint}")));
            }
            if !seen.insert(image) {
                let hint = "a table must have one row per film";
                return Err(row(index, format!("image `{image}` occurs twice\n{hint}")));
            }
            for finding in &self.findings {
                check_probability(finding.probabilities[index])
                    .map_err(|problem| row(index, format!("`{}` is {problem}", finding.name)))?;
            }
        }
        Ok(())
    }

    /// Checks that names are unique and columns as long as the table.
    fn check_columns(&self) -> Result<(), String> {
        let films = self.images.len();
        let mut names = HashSet::from(["image".to_owned(), "patient".to_owned()]);
        let mut column = |name: &str, lengths: &[usize]| {
            if !names.insert(name.to_owned()) {
                return Err(format!("it has two columns `{name}`\nrename or remove one"));
            }
            match lengths.iter().find(|&&length| length != films) {
                Some(length) => Err(format!("`{name}` has {length} values for {films} images")),
                None => Ok(()),
            }
        };

        if self.patients.len() != films {
            return Err(format!("it has {} patients for {films} images", self.patients.len()));
        }
        for finding in &self.findings {
            let name = &finding.name;
            if name.is_empty() || name.ends_with(TRUTH) || RESERVED.contains(&name.as_str()) {
                return Err(format!("`{name}` cannot be the name of a finding"));
            }
            column(name, &[finding.probabilities.len(), finding.labels.len()])?;
            column(&format!("{name}{TRUTH}"), &[])?;
        }
        self.columns.iter().try_for_each(|extra| {
            let name = &extra.name;
            if name.ends_with(TRUTH) || NIH_FINDINGS.contains(&name.as_str()) {
                return Err(format!("`{name}` would be read as a finding, not as a column"));
            }
            column(name, &[extra.values.len()])
        })
    }
}

/// Describes the problem with a probability, if any.
fn check_probability(p: f64) -> Result<(), String> {
    if !p.is_finite() {
        return Err(format!(
            "{p}\na probability must be a number in 0..1: did the training diverge?"
        ));
    }
    if !(0.0..=1.0).contains(&p) {
        return Err(format!("{p}\na probability must be in 0..1: was this a logit?"));
    }
    Ok(())
}

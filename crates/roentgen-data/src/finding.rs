//! The fourteen findings of ChestX-ray14, and the set of findings on one film.
//!
//! A list of findings has the order of a network's outputs and of every table's columns. Names are
//! compared whole: `Pneumonia` is not found in `Pneumothorax`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What `BBox_List_2017.csv` calls Infiltration.
const INFILTRATION_IN_BOXES: &str = "Infiltrate";

/// A finding of ChestX-ray14, spelled as in the column `Finding Labels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the field's own terms")]
#[serde(rename_all = "PascalCase")]
pub enum Finding {
    Atelectasis,
    Cardiomegaly,
    Consolidation,
    Edema,
    Effusion,
    Emphysema,
    Fibrosis,
    Hernia,
    Infiltration,
    Mass,
    Nodule,
    #[serde(rename = "Pleural_Thickening")]
    PleuralThickening,
    Pneumonia,
    Pneumothorax,
}

impl Finding {
    /// All findings, in the order of their names.
    pub const ALL: [Finding; 14] = [
        Finding::Atelectasis,
        Finding::Cardiomegaly,
        Finding::Consolidation,
        Finding::Edema,
        Finding::Effusion,
        Finding::Emphysema,
        Finding::Fibrosis,
        Finding::Hernia,
        Finding::Infiltration,
        Finding::Mass,
        Finding::Nodule,
        Finding::PleuralThickening,
        Finding::Pneumonia,
        Finding::Pneumothorax,
    ];

    /// All findings in the order of Wang et al.'s tables, the eight of ChestX-ray8 first: the order
    /// of MedMNIST's labels (`INFO["chestmnist"]["label"]`) and of CheXNet's re-implementations.
    pub const BY_WANG: [Finding; 14] = [
        Finding::Atelectasis,
        Finding::Cardiomegaly,
        Finding::Effusion,
        Finding::Infiltration,
        Finding::Mass,
        Finding::Nodule,
        Finding::Pneumonia,
        Finding::Pneumothorax,
        Finding::Consolidation,
        Finding::Edema,
        Finding::Emphysema,
        Finding::Fibrosis,
        Finding::PleuralThickening,
        Finding::Hernia,
    ];

    /// Returns the name in NIH's label file.
    pub fn name(self) -> &'static str {
        match self {
            Finding::Atelectasis => "Atelectasis",
            Finding::Cardiomegaly => "Cardiomegaly",
            Finding::Consolidation => "Consolidation",
            Finding::Edema => "Edema",
            Finding::Effusion => "Effusion",
            Finding::Emphysema => "Emphysema",
            Finding::Fibrosis => "Fibrosis",
            Finding::Hernia => "Hernia",
            Finding::Infiltration => "Infiltration",
            Finding::Mass => "Mass",
            Finding::Nodule => "Nodule",
            Finding::PleuralThickening => "Pleural_Thickening",
            Finding::Pneumonia => "Pneumonia",
            Finding::Pneumothorax => "Pneumothorax",
        }
    }

    /// Reads the name of a box in `BBox_List_2017.csv`, where Infiltration is called `Infiltrate`.
    pub fn from_box_name(name: &str) -> Result<Self, UnknownFinding> {
        if name == INFILTRATION_IN_BOXES { Ok(Finding::Infiltration) } else { name.parse() }
    }

    /// Returns the name of its boxes in `BBox_List_2017.csv`.
    pub fn box_name(self) -> &'static str {
        if self == Finding::Infiltration { INFILTRATION_IN_BOXES } else { self.name() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is not one of the fourteen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a finding of ChestX-ray14 (they are Atelectasis, Cardiomegaly, Consolidation, Edema, \
     Effusion, Emphysema, Fibrosis, Hernia, Infiltration, Mass, Nodule, Pleural_Thickening, Pneumonia, \
     Pneumothorax; a normal film is `No Finding`)"
)]
pub struct UnknownFinding(pub String);

impl FromStr for Finding {
    type Err = UnknownFinding;

    fn from_str(name: &str) -> Result<Self, UnknownFinding> {
        Finding::ALL
            .into_iter()
            .find(|finding| finding.name() == name)
            .ok_or_else(|| UnknownFinding(name.to_owned()))
    }
}

/// The findings of one film, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FilmFindings(u16);

impl FilmFindings {
    /// No finding.
    pub const NONE: Self = Self(0);

    /// Reads the column `Finding Labels`: names joined by `|`, or `No Finding`.
    ///
    /// # Errors
    ///
    /// Returns an error if a name is not one of the fourteen.
    pub fn parse(text: &str) -> Result<Self, UnknownFinding> {
        if text == "No Finding" {
            return Ok(Self::NONE);
        }
        text.split('|').map(str::parse).collect()
    }

    /// Whether the film shows `finding`.
    pub fn contains(self, finding: Finding) -> bool {
        self.0 & (1 << finding as u16) != 0
    }

    /// Adds `finding`.
    pub fn insert(&mut self, finding: Finding) {
        self.0 |= 1 << finding as u16;
    }

    /// Returns the number of findings on the film.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the film is normal: `No Finding`.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the findings, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Finding> {
        Finding::ALL.into_iter().filter(move |&finding| self.contains(finding))
    }
}

impl FromIterator<Finding> for FilmFindings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        findings.into_iter().fold(Self::NONE, |mut set, finding| {
            set.insert(finding);
            set
        })
    }
}

impl fmt::Display for FilmFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("No Finding");
        }
        let names: Vec<_> = self.iter().map(Finding::name).collect();
        f.write_str(&names.join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pneumonia_is_not_found_in_pneumothorax() {
        let findings = FilmFindings::parse("Effusion|Pneumothorax").unwrap();

        assert!(findings.contains(Finding::Pneumothorax));
        assert!(!findings.contains(Finding::Pneumonia));
        assert_eq!(findings.to_string(), "Effusion|Pneumothorax");
    }

    #[test]
    fn a_normal_film_has_no_finding() {
        assert!(FilmFindings::parse("No Finding").unwrap().is_empty());
        assert_eq!(FilmFindings::NONE.to_string(), "No Finding");
    }

    #[test]
    fn an_unknown_finding_is_refused() {
        let error = FilmFindings::parse("Effusion|Efusion").unwrap_err();

        assert_eq!(error, UnknownFinding("Efusion".into()));
    }

    #[test]
    fn the_box_list_calls_infiltration_infiltrate() {
        assert_eq!(Finding::from_box_name("Infiltrate"), Ok(Finding::Infiltration));
        assert!("Infiltrate".parse::<Finding>().is_err());
    }
}

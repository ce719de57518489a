//! The data sets that the program knows, by their names in files.

use std::fmt;

use serde::{Deserialize, Serialize};

const NIH: &str = "NIH ChestX-ray14";
const NIH_LAYOUT: &str = "films in the NIH layout";
const CHEST_MNIST: &str = "ChestMNIST (each film counted as a patient)";
const PHANTOM: &str = "phantom";

/// A data set, written as its name. Patient numbers are comparable only within one data set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Dataset {
    /// NIH ChestX-ray14, known by the names of its films.
    Nih,
    /// Films in NIH's layout with names of their own; nobody knows whether two of these are one.
    NihLayout,
    /// ChestMNIST; its name says in every table that it does not know its patients.
    ChestMnist,
    /// Synthetic films of the crate `roentgen-phantom`.
    Phantom {
        /// The seed that they were drawn with; `None` if their mark does not say.
        seed: Option<u64>,
    },
    /// A name that this version does not know.
    Other(String),
}

impl Dataset {
    /// Whether the films show no patient.
    pub fn is_synthetic(&self) -> bool {
        match self {
            Dataset::Phantom { .. } => true,
            // A name that begins so but is not one of ours is not taken for patients' films.
            Dataset::Other(name) => name.starts_with(PHANTOM),
            Dataset::Nih | Dataset::NihLayout | Dataset::ChestMnist => false,
        }
    }

    /// Whether two data sets of this name are one: NIH's layout alone says nothing of the films.
    pub fn is_named(&self) -> bool {
        *self != Dataset::NihLayout
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dataset::Nih => f.write_str(NIH),
            Dataset::NihLayout => f.write_str(NIH_LAYOUT),
            Dataset::ChestMnist => f.write_str(CHEST_MNIST),
            Dataset::Phantom { seed: None } => f.write_str(PHANTOM),
            Dataset::Phantom { seed: Some(seed) } => write!(f, "{PHANTOM} (seed {seed})"),
            Dataset::Other(name) => f.write_str(name),
        }
    }
}

impl From<String> for Dataset {
    fn from(name: String) -> Self {
        let seed = name.strip_prefix("phantom (seed ").and_then(|rest| rest.strip_suffix(')'));
        let known = match name.as_str() {
            NIH => Dataset::Nih,
            NIH_LAYOUT => Dataset::NihLayout,
            CHEST_MNIST => Dataset::ChestMnist,
            PHANTOM => Dataset::Phantom { seed: None },
            _ => match seed.and_then(|seed| seed.parse().ok()) {
                Some(seed) => Dataset::Phantom { seed: Some(seed) },
                None => return Dataset::Other(name),
            },
        };
        // Such as `phantom (seed 007)`: a file is written as it was read.
        if known.to_string() == name { known } else { Dataset::Other(name) }
    }
}

impl From<Dataset> for String {
    fn from(dataset: Dataset) -> Self {
        dataset.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_as_it_was() {
        for name in [
            "NIH ChestX-ray14",
            "films in the NIH layout",
            "ChestMNIST (each film counted as a patient)",
            "phantom",
            "phantom (seed 7)",
            "phantom (seed 007)",
            "phantom (seed x)",
            "MIMIC-CXR",
            "",
        ] {
            assert_eq!(Dataset::from(name.to_owned()).to_string(), name);
        }
    }

    #[test]
    fn phantoms_are_synthetic_also_if_their_seed_cannot_be_read() {
        let is_synthetic = |name: &str| Dataset::from(name.to_owned()).is_synthetic();

        assert!(["phantom", "phantom (seed 7)", "phantom (seed x)"].into_iter().all(is_synthetic));
        assert!(!["NIH ChestX-ray14", "MIMIC-CXR", ""].into_iter().any(is_synthetic));
    }
}

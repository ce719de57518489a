//! The outputs of a model trained elsewhere, in order.
//!
//! Published chest models have more outputs than the fourteen findings: `No Finding`, other signs,
//! outputs that were never trained. Those are skipped.

use std::str::FromStr;

use roentgen_data::Finding;
use roentgen_data::preprocess::Normalize;

/// The name of an output that is skipped.
const NONE: &str = "-";
/// Outputs of torchxrayvision's models after the fourteen findings: `Lung Lesion`, `Fracture`,
/// `Lung Opacity`, `Enlarged Cardiomediastinum`.
const OTHERS_OF_TORCHXRAYVISION: usize = 4;
/// The first fourteen outputs of torchxrayvision's models, its `default_pathologies`.
const TORCHXRAYVISION: [Finding; 14] = [
    Finding::Atelectasis,
    Finding::Consolidation,
    Finding::Infiltration,
    Finding::Pneumothorax,
    Finding::Edema,
    Finding::Emphysema,
    Finding::Fibrosis,
    Finding::Effusion,
    Finding::Pneumonia,
    Finding::PleuralThickening,
    Finding::Cardiomegaly,
    Finding::Nodule,
    Finding::Mass,
    Finding::Hernia,
];

/// The finding of each output of a model, or `None` for an output that is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outputs(Vec<Option<Finding>>);

/// Why a list of outputs cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputsError {
    /// An output is not one of the findings.
    #[error("`{0}` is not one of the fourteen findings; write `-` to skip an output")]
    Unknown(String),
    /// Two outputs have the same finding.
    #[error("{} is named twice", .0.name())]
    Twice(Finding),
    /// No output is a finding.
    #[error("name at least one finding")]
    Empty,
}

impl Outputs {
    /// Returns the number of outputs, including those that are skipped.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no outputs, which no valid list is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the findings, in the order of their outputs.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.iter().copied().flatten().collect()
    }

    /// Returns the scale of the input of the models that this list of outputs belongs to, if it is
    /// known.
    pub fn normalization(&self) -> Option<Normalize> {
        (*self == Self::torchxrayvision()).then_some(Normalize::Minus1024To1024)
    }

    fn torchxrayvision() -> Self {
        let others = std::iter::repeat_n(None, OTHERS_OF_TORCHXRAYVISION);
        Self(TORCHXRAYVISION.map(Some).into_iter().chain(others).collect())
    }

    /// Returns the position among all outputs of each finding.
    pub(super) fn positions(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|&at| self.0[at].is_some()).collect()
    }
}

impl FromStr for Outputs {
    type Err = OutputsError;

    /// Reads names joined by commas; or `chexnet`, the fourteen findings in the order of CheXNet's
    /// re-implementations; or `torchxrayvision`, that package's eighteen outputs.
    fn from_str(text: &str) -> Result<Self, OutputsError> {
        let mut outputs = match text {
            "chexnet" => return Ok(Self(Finding::BY_WANG.map(Some).to_vec())),
            "torchxrayvision" => return Ok(Self::torchxrayvision()),
            _ => Vec::new(),
        };
        for name in text.split(',').map(str::trim) {
            let finding = match name {
                NONE => None,
                name => Some(name.parse().map_err(|_| OutputsError::Unknown(name.to_owned()))?),
            };
            if let Some(finding) = finding
                && outputs.contains(&Some(finding))
            {
                return Err(OutputsError::Twice(finding));
            }
            outputs.push(finding);
        }
        if outputs.iter().all(Option::is_none) {
            return Err(OutputsError::Empty);
        }
        Ok(Self(outputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_is_a_dash_is_passed_over() {
        let outputs: Outputs = "Mass,-, Nodule,-".parse().unwrap();

        assert_eq!(outputs.len(), 4);
        assert_eq!(outputs.findings(), [Finding::Mass, Finding::Nodule]);
        assert_eq!(outputs.positions(), [0, 2]);
    }

    #[test]
    fn the_named_lists_have_each_finding_once() {
        for (name, outputs) in [("chexnet", 14), ("torchxrayvision", 18)] {
            let list: Outputs = name.parse().unwrap();
            let mut findings = list.findings();
            findings.sort();

            assert_eq!(list.len(), outputs, "{name}");
            assert_eq!(findings, Finding::ALL, "{name}");
        }
    }

    #[test]
    fn other_names_repetitions_and_nothing_are_refused() {
        let refused = |text: &str| text.parse::<Outputs>().unwrap_err();

        assert_eq!(refused("Mass,No Finding"), OutputsError::Unknown("No Finding".into()));
        assert_eq!(refused("Mass,-,Mass"), OutputsError::Twice(Finding::Mass));
        assert_eq!(refused("-,-"), OutputsError::Empty);
        assert_eq!(refused(""), OutputsError::Unknown(String::new()));
        assert_eq!(refused("Mass,"), OutputsError::Unknown(String::new()));
    }
}

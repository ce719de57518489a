//! What a model found on a film, and when.

use roentgen_data::Finding;

/// What a model found on a film.
#[derive(Clone, Debug)]
pub struct Results<'a> {
    /// What computed it.
    pub algorithm: &'a Algorithm,
    /// The findings, in the order of the model.
    pub findings: &'a [FindingResult],
    /// When the objects are written.
    pub written: &'a Moment,
}

/// The algorithm, as template TID 4019 identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Algorithm {
    /// Such as `roentgen mobilenet-v2`.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// The identity of the model.
    pub model: String,
    /// What else decides its results, such as `operating point youden`; each at most 1,024 letters.
    pub parameters: Vec<String>,
    /// Calibration and thresholds as text. It decides UIDs and is not written.
    pub fitted: String,
}

/// A finding with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingResult {
    /// The finding.
    pub finding: Finding,
    /// The probability of the model.
    pub probability: f64,
    /// The calibrated probability, if a calibration was fitted.
    pub calibrated: Option<f64>,
    /// The threshold of the call, if one was fitted.
    pub threshold: Option<f64>,
    /// Whether the probability is at least the threshold.
    pub is_called: Option<bool>,
}

/// A date and a time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Year, month and day, such as `20261128`.
    pub date: String,
    /// Hour, minute and second, such as `093000`.
    pub time: String,
}

impl Moment {
    /// What a de-identified object has instead (PS3.15 table E.1-1, action D).
    pub(crate) fn removed() -> Self {
        Self { date: "19000101".to_owned(), time: "000000".to_owned() }
    }
}

impl Algorithm {
    /// Returns all that decides the results, for UIDs.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let own = [&self.name, &self.version, &self.model, &self.fitted].map(String::as_str);
        own.into_iter().chain(self.parameters.iter().map(String::as_str)).collect()
    }
}

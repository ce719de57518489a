//! The metrics of one finding, of one threshold, and their means.
//!
//! The names of the fields are keys of `metrics.json`.

use serde::{Serialize, Serializer};

use crate::{
    Confusion, Finding, FindingIntervals, Interval, auroc, average_precision, brier,
    expected_calibration_error,
};

/// The metrics of one finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingFigures {
    /// Name of the finding, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Number of films with the finding.
    pub positives: usize,
    /// Number of films without the finding.
    pub negatives: usize,
    /// Number of films of unknown truth, which are left out.
    pub unknown: usize,
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Average precision; a random classifier gets the prevalence.
    pub average_precision: Option<f64>,
    /// Its interval.
    pub average_precision_ci95: Option<Interval>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Expected calibration error in 15 equal bins.
    pub ece: Option<f64>,
    /// Number of resamples with only one class, which are not in the intervals.
    pub resamples_skipped: usize,
    /// Metrics by name of the threshold.
    #[serde(serialize_with = "by_threshold")]
    pub operating_points: Vec<OperatingPoint>,
}

impl FindingFigures {
    /// Computes the metrics of a finding.
    pub(crate) fn of(finding: &Finding, intervals: &FindingIntervals) -> Self {
        let (probabilities, truths) = finding.known_pairs();
        let positives = truths.iter().filter(|&&truth| truth).count();
        Self {
            name: finding.name.clone(),
            positives,
            negatives: truths.len() - positives,
            unknown: finding.truths.len() - truths.len(),
            auroc: auroc(&probabilities, &truths),
            auroc_ci95: intervals.auroc,
            average_precision: average_precision(&probabilities, &truths),
            average_precision_ci95: intervals.average_precision,
            brier: brier(&probabilities, &truths),
            ece: expected_calibration_error(&probabilities, &truths),
            resamples_skipped: intervals.skipped,
            operating_points: vec![OperatingPoint::at("0.5", 0.5, &probabilities, &truths)],
        }
    }

    /// Returns the fraction of films of known truth with the finding.
    pub fn prevalence(&self) -> Option<f64> {
        let known = self.positives + self.negatives;
        (known > 0).then(|| self.positives as f64 / known as f64)
    }
}

/// Results of a threshold for one finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Name of the threshold, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Films with p >= threshold are called positive.
    pub threshold: f64,
    /// Films with the finding, called positive.
    pub true_positives: usize,
    /// Films without the finding, called positive.
    pub false_positives: usize,
    /// Films without the finding, called negative.
    pub true_negatives: usize,
    /// Films with the finding, called negative.
    pub false_negatives: usize,
    /// Fraction of films with the finding called positive.
    pub sensitivity: Option<f64>,
    /// Fraction of films without the finding called negative.
    pub specificity: Option<f64>,
    /// Fraction of positive calls that were right, at this prevalence.
    pub ppv: Option<f64>,
    /// Fraction of negative calls that were right, at this prevalence.
    pub npv: Option<f64>,
    /// Harmonic mean of sensitivity and PPV.
    pub f1: Option<f64>,
}

impl OperatingPoint {
    /// Counts films at a threshold.
    pub fn at(
        name: impl Into<String>,
        threshold: f64,
        probabilities: &[f64],
        truths: &[bool],
    ) -> Self {
        let table = Confusion::at(threshold, probabilities, truths);
        Self {
            name: name.into(),
            threshold,
            true_positives: table.true_positives,
            false_positives: table.false_positives,
            true_negatives: table.true_negatives,
            false_negatives: table.false_negatives,
            sensitivity: table.sensitivity(),
            specificity: table.specificity(),
            ppv: table.ppv(),
            npv: table.npv(),
            f1: table.f1(),
        }
    }
}

/// Means over the findings that have both classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanFigures {
    /// Mean AUROC.
    pub auroc: Option<f64>,
    /// Its interval, on the same resamples for all findings.
    pub auroc_ci95: Option<Interval>,
    /// Mean average precision.
    pub average_precision: Option<f64>,
    /// Its interval.
    pub average_precision_ci95: Option<Interval>,
    /// Number of findings in these means.
    pub findings: usize,
}

fn by_threshold<S: Serializer>(
    points: &[OperatingPoint],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(points.iter().map(|point| (&point.name, point)))
}

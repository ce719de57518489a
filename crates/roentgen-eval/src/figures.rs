//! The figures of one finding, of one threshold and of their mean.
//!
//! The names of the fields are keys of `metrics.json`.

use serde::{Serialize, Serializer};

use crate::{
    Confusion, Finding, FindingIntervals, Interval, auroc, average_precision, brier,
    expected_calibration_error,
};

/// The figures of one finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingFigures {
    /// Its name, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Films with the finding.
    pub positives: usize,
    /// Films without.
    pub negatives: usize,
    /// Films of unknown truth, left out.
    pub unknown: usize,
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Average precision; the prevalence is what chance has.
    pub average_precision: Option<f64>,
    /// Its interval.
    pub average_precision_ci95: Option<Interval>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Expected calibration error in 15 equal bins.
    pub ece: Option<f64>,
    /// Resamples that drew one class only and are not in the intervals.
    pub resamples_skipped: usize,
    /// By name of the threshold.
    #[serde(serialize_with = "by_threshold")]
    pub operating_points: Vec<OperatingPoint>,
}

impl FindingFigures {
    /// Takes the figures of a finding.
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

    /// The share of films of known truth with the finding.
    pub fn prevalence(&self) -> Option<f64> {
        let known = self.positives + self.negatives;
        (known > 0).then(|| self.positives as f64 / known as f64)
    }
}

/// What a threshold makes of a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Its name, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Films with p >= threshold are called positive.
    pub threshold: f64,
    /// Said yes, rightly.
    pub true_positives: usize,
    /// Said yes, wrongly.
    pub false_positives: usize,
    /// Said no, rightly.
    pub true_negatives: usize,
    /// Said no, wrongly.
    pub false_negatives: usize,
    /// Share of films with the finding called positive.
    pub sensitivity: Option<f64>,
    /// Share of films without the finding called negative.
    pub specificity: Option<f64>,
    /// Share of positive calls that were right, at this prevalence.
    pub ppv: Option<f64>,
    /// Share of negative calls that were right, at this prevalence.
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
    /// The findings in these means.
    pub findings: usize,
}

fn by_threshold<S: Serializer>(
    points: &[OperatingPoint],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(points.iter().map(|point| (&point.name, point)))
}

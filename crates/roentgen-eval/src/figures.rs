//! The metrics of one finding, and their means.
//!
//! The names of the fields are keys of `metrics.json`.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{
    BootstrapOptions, BrierParts, CalibrationLine, CalibrationMethod, FindingCalibration,
    FindingIntervals, Interval, MeanPoint, MeasuredBin, OperatingPoint, Platt, ScoredFinding,
    auroc, average_precision, brier, brier_parts, calibration_error_by_mass,
    cohort::films,
    decision_curve,
    decision_curve::{grid, useful_range},
    delong, expected_calibration_error,
    reliability::measured_bins,
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
    /// Number of films of unknown label, which are left out.
    pub unknown: usize,
    /// Fraction of films of known label with the finding.
    pub prevalence: Option<f64>,
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Its interval by DeLong on the logit scale, which takes films for independent.
    pub auroc_delong_ci95: Option<Interval>,
    /// Average precision; a random classifier gets the prevalence.
    pub average_precision: Option<f64>,
    /// Its interval.
    pub average_precision_ci95: Option<Interval>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Expected calibration error in 15 equal bins.
    pub ece: Option<f64>,
    /// The other figures of calibration.
    pub calibration: CalibrationFigures,
    /// The films in bins of probability.
    pub reliability: Vec<MeasuredBin>,
    /// Platt scaling, if it was fitted on other films.
    pub platt: Option<Platt>,
    /// The films in bins of the probability after Platt scaling.
    pub reliability_platt: Vec<MeasuredBin>,
    /// Figures of calibration afterwards, by method; only methods that were fitted on other films.
    pub calibrated: BTreeMap<CalibrationMethod, CalibrationFigures>,
    /// The lowest and the highest threshold at which acting on calls has a higher net benefit than
    /// acting on all films and on none; `None` if there is none.
    pub useful_thresholds: Option<[f64; 2]>,
    /// The same after Platt scaling.
    pub useful_thresholds_platt: Option<[f64; 2]>,
    /// Number of resamples with only one class, which are not in the intervals.
    pub resamples_skipped: usize,
    /// Metrics by name of the threshold.
    #[serde(serialize_with = "by_threshold")]
    pub operating_points: Vec<OperatingPoint>,
}

/// How well probabilities are calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationFigures {
    /// Brier score.
    pub brier: Option<f64>,
    /// Its parts.
    pub brier_parts: Option<BrierParts>,
    /// Expected calibration error in 15 equal bins.
    pub ece: Option<f64>,
    /// Expected calibration error in 15 bins of equal mass.
    pub ece_equal_mass: Option<f64>,
    /// Intercept and slope.
    #[serde(flatten)]
    pub line: CalibrationLine,
}

impl CalibrationFigures {
    /// Computes the figures of films.
    pub fn of(probabilities: &[f64], labels: &[bool]) -> Self {
        Self {
            brier: brier(probabilities, labels),
            brier_parts: brier_parts(probabilities, labels),
            ece: expected_calibration_error(probabilities, labels),
            ece_equal_mass: calibration_error_by_mass(probabilities, labels),
            line: CalibrationLine::fit(probabilities, labels),
        }
    }
}

impl FindingFigures {
    /// Computes the metrics of a finding; `numbers` are the patients of all rows, of `patients`.
    pub(crate) fn of(
        finding: &ScoredFinding,
        (numbers, patients): (&[u32], usize),
        options: &BootstrapOptions,
        intervals: &FindingIntervals,
        fitted: Option<&FindingCalibration>,
        operating_points: Vec<OperatingPoint>,
    ) -> Self {
        let (probabilities, labels) = finding.known_pairs();
        let films = films(finding, numbers);
        let platt = fitted.and_then(|fitted| fitted.platt);
        let scaled = platt.map(|platt| {
            films.iter().map(|&(p, label, patient)| (platt.apply(p), label, patient)).collect()
        });
        let scaled: Vec<(f64, bool, u32)> = scaled.unwrap_or_default();
        let scaled_p: Vec<f64> = scaled.iter().map(|&(p, ..)| p).collect();
        let positives = labels.iter().filter(|&&label| label).count();
        let calibration = CalibrationFigures::of(&probabilities, &labels);
        let calibrated = |method: CalibrationMethod| {
            let calibrated = probabilities.iter().map(|&p| fitted?.apply(method, p));
            let calibrated: Option<Vec<f64>> = calibrated.collect();
            let calibrated = calibrated.filter(|films| !films.is_empty())?;
            Some((method, CalibrationFigures::of(&calibrated, &labels)))
        };
        Self {
            name: finding.name.clone(),
            positives,
            negatives: labels.len() - positives,
            unknown: finding.labels.len() - labels.len(),
            prevalence: (!labels.is_empty()).then(|| positives as f64 / labels.len() as f64),
            auroc: auroc(&probabilities, &labels),
            auroc_ci95: intervals.auroc,
            auroc_delong_ci95: delong(&probabilities, &labels).and_then(|delong| delong.interval),
            average_precision: average_precision(&probabilities, &labels),
            average_precision_ci95: intervals.average_precision,
            brier: calibration.brier,
            ece: calibration.ece,
            calibration,
            reliability: measured_bins(&films, patients, options),
            platt,
            reliability_platt: measured_bins(&scaled, patients, options),
            calibrated: CalibrationMethod::ALL.into_iter().filter_map(calibrated).collect(),
            useful_thresholds: useful_range(&decision_curve(&probabilities, &labels, &grid())),
            useful_thresholds_platt: useful_range(&decision_curve(&scaled_p, &labels, &grid())),
            resamples_skipped: intervals.skipped,
            operating_points,
        }
    }

    /// Returns the operating point of that name.
    pub fn operating_point(&self, name: &str) -> Option<&OperatingPoint> {
        self.operating_points.iter().find(|point| point.name == name)
    }
}

/// Means over the findings that have both classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanFigures {
    /// Mean AUROC (macro).
    pub auroc: Option<f64>,
    /// Its interval, on the same resamples for all findings.
    pub auroc_ci95: Option<Interval>,
    /// Mean average precision (macro).
    pub average_precision: Option<f64>,
    /// Its interval.
    pub average_precision_ci95: Option<Interval>,
    /// Number of findings in these means.
    pub findings: usize,
    /// Mean prevalence of the same findings, which is what a random classifier has as mean average
    /// precision.
    pub prevalence: Option<f64>,
    /// Mean Brier score over the same findings.
    pub brier: Option<f64>,
    /// Mean expected calibration error in equal bins, over the same findings.
    pub ece: Option<f64>,
    /// Mean expected calibration error in bins of equal mass, over the same findings.
    pub ece_equal_mass: Option<f64>,
    /// AUROC of all pairs of film and finding (micro). It is high already if the model knows which
    /// findings are frequent.
    pub micro_auroc: Option<f64>,
    /// Its interval.
    pub micro_auroc_ci95: Option<Interval>,
    /// Average precision of all pairs (micro).
    pub micro_average_precision: Option<f64>,
    /// Its interval.
    pub micro_average_precision_ci95: Option<Interval>,
    /// Fraction of all pairs whose label is positive.
    pub micro_prevalence: Option<f64>,
    /// Macro and micro means of the calls, by name of the threshold.
    #[serde(serialize_with = "means_by_threshold")]
    pub operating_points: Vec<MeanPoint>,
}

impl MeanFigures {
    /// Returns the means at the operating point of that name.
    pub fn operating_point(&self, name: &str) -> Option<&MeanPoint> {
        self.operating_points.iter().find(|point| point.name == name)
    }
}

fn means_by_threshold<S: Serializer>(
    points: &[MeanPoint],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(points.iter().map(|point| (&point.name, point)))
}

fn by_threshold<S: Serializer>(
    points: &[OperatingPoint],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(points.iter().map(|point| (&point.name, point)))
}

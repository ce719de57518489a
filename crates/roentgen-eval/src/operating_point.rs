//! Results of a threshold for one finding, with intervals by patient.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{Confusion, Interval, PredictiveValues};

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
    /// The figures.
    #[serde(flatten)]
    pub figures: CallFigures,
    /// The interval of each figure, by its name; in JSON `sensitivity_ci95` and so on.
    #[serde(flatten, serialize_with = "with_suffix")]
    pub ci95: BTreeMap<&'static str, Option<Interval>>,
}

/// The figures of calls at a threshold; each is `None` where it has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CallFigures {
    /// Fraction of films with the finding called positive.
    pub sensitivity: Option<f64>,
    /// Fraction of films without the finding called negative.
    pub specificity: Option<f64>,
    /// Fraction of positive calls that were right, at the prevalence of these films.
    pub ppv: Option<f64>,
    /// Fraction of negative calls that were right, at the prevalence of these films.
    pub npv: Option<f64>,
    /// Harmonic mean of sensitivity and PPV.
    pub f1: Option<f64>,
    /// Mean of sensitivity and specificity.
    pub balanced_accuracy: Option<f64>,
    /// Matthews' correlation coefficient.
    pub mcc: Option<f64>,
    /// sensitivity / (1 - specificity).
    pub lr_positive: Option<f64>,
    /// (1 - sensitivity) / specificity.
    pub lr_negative: Option<f64>,
    /// PPV at the stated prevalence.
    pub ppv_at_prevalence: Option<f64>,
    /// NPV at the stated prevalence.
    pub npv_at_prevalence: Option<f64>,
}

impl CallFigures {
    /// Computes the figures of counted calls; `prevalence` is a stated one.
    pub(crate) fn of(table: &Confusion, prevalence: Option<f64>) -> Self {
        let stated = prevalence.map(|prevalence| table.at_prevalence(prevalence));
        let stated = stated.unwrap_or(PredictiveValues { ppv: None, npv: None });
        Self {
            sensitivity: table.sensitivity(),
            specificity: table.specificity(),
            ppv: table.ppv(),
            npv: table.npv(),
            f1: table.f1(),
            balanced_accuracy: table.balanced_accuracy(),
            mcc: table.matthews_correlation(),
            lr_positive: table.positive_likelihood_ratio(),
            lr_negative: table.negative_likelihood_ratio(),
            ppv_at_prevalence: stated.ppv,
            npv_at_prevalence: stated.npv,
        }
    }

    /// Returns all figures with their names in JSON.
    pub(crate) fn figures_by_name(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("sensitivity", self.sensitivity),
            ("specificity", self.specificity),
            ("ppv", self.ppv),
            ("npv", self.npv),
            ("f1", self.f1),
            ("balanced_accuracy", self.balanced_accuracy),
            ("mcc", self.mcc),
            ("lr_positive", self.lr_positive),
            ("lr_negative", self.lr_negative),
            ("ppv_at_prevalence", self.ppv_at_prevalence),
            ("npv_at_prevalence", self.npv_at_prevalence),
        ]
    }
}

/// A threshold of a finding, by name.
pub(crate) type Threshold = (String, f64);

impl OperatingPoint {
    /// Computes the results from the calls on all films and their figures on each resample.
    pub(crate) fn of(
        (name, threshold): Threshold,
        table: &Confusion,
        figures: CallFigures,
        drawn: &[CallFigures],
    ) -> Self {
        let interval = |(place, (name, value)): (usize, (&'static str, Option<f64>))| {
            let values = drawn.iter().filter_map(|figures| figures.figures_by_name()[place].1);
            // A figure that all films leave undefined has no interval of the resamples that define it.
            (name, value.and_then(|_| Interval::of(values.collect())))
        };
        Self {
            name,
            threshold,
            true_positives: table.true_positives,
            false_positives: table.false_positives,
            true_negatives: table.true_negatives,
            false_negatives: table.false_negatives,
            ci95: figures.figures_by_name().into_iter().enumerate().map(interval).collect(),
            figures,
        }
    }
}

/// Writes the intervals under the names of their figures followed by `_ci95`.
pub(crate) fn with_suffix<S: Serializer>(
    intervals: &BTreeMap<&'static str, Option<Interval>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(intervals.iter().map(|(name, ends)| (format!("{name}_ci95"), ends)))
}

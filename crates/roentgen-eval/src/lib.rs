//! Metrics of score tables: the meaning of a table of probabilities and truths, and its certainty.
//!
//! The trap of this field is a metric without its split, its interval or its denominator. Every
//! metric here is therefore defined where it is computed, is `None` where it has no meaning (never
//! 0.5), and leaves the crate together with the split of its table. Nothing here prints, asks for
//! the time or reads the environment: a table, a number of resamples and a seed give the same bits
//! everywhere.
//!
//! [`Scores::read`] reads a table, [`ensemble`] combines tables, [`evaluate`] computes the metrics
//! of `metrics.json`, and [`report::write`] draws them. [`comparison`] compares runs, and
//! [`localization`] holds heat maps against boxes.

mod bootstrap;
mod calibrate;
mod calibration;
mod co_occurrence;
mod cohort;
mod confusion;
mod decision_curve;
mod delong;
mod difference;
mod ensemble;
mod error;
mod evaluation;
mod figures;
mod file;
mod fit;
mod heat_map;
mod holm;
mod identity;
mod interval;
mod leakage;
mod log_loss;
mod logistic;
mod members;
mod normal;
mod operating_point;
mod precision_recall;
mod ranking;
mod reliability;
mod render;
mod roc;
mod scores;
mod split;
mod subgroups;

pub mod comparison;
pub mod localization;
pub mod published;
pub mod report;

pub use bootstrap::{FindingIntervals, Intervals, Options, bootstrap};
pub use calibrate::{
    Calibration, CalibrationLine, FindingCalibration, Isotonic, Method, OperatingRule, Platt,
    WithIsotonic, apply_temperature, calibrate, fit_temperature,
};
pub use calibration::{
    Bin, BrierParts, brier, brier_parts, calibration_error_by_mass, expected_calibration_error,
    reliability,
};
pub use co_occurrence::CoOccurrence;
pub use confusion::{Confusion, PredictiveValues};
pub use decision_curve::{NetBenefit, decision_curve};
pub use delong::{DeLong, DeLongTest, delong, delong_test};
pub use difference::{Difference, paired_difference};
pub use ensemble::{Rule, ensemble};
pub use error::Error;
pub use evaluation::{Evaluation, Fit, Given, evaluate, evaluate_with};
pub use figures::{CalibrationFigures, FindingFigures, MeanFigures};
pub use fit::{Fitted, Per, fit};
pub use heat_map::HeatMap;
pub use holm::holm;
pub use identity::Identity;
pub use interval::Interval;
pub use leakage::TrainingMarks;
pub use log_loss::{Measured, log_loss, paired_log_loss};
pub use members::{check_members, refuse_shared_films};
pub use operating_point::{CallFigures, OperatingPoint};
pub use precision_recall::{average_precision, precision_recall_curve};
pub use reliability::MeasuredBin;
pub use roc::{Point, auroc, roc_curve};
pub use scores::{Column, Finding, NIH_FINDINGS, Scores};
pub use subgroups::{Gap, Subgroup};

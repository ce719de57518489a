//! Metrics of score tables: the meaning of a table of probabilities and labels, and its certainty.
//!
//! ```
//! use roentgen_eval::{BootstrapOptions, ScoredFinding, Scores, evaluate};
//!
//! let texts = |values: [&str; 4]| values.map(str::to_owned).to_vec();
//! let mass = ScoredFinding {
//!     name: "Mass".to_owned(),
//!     probabilities: vec![0.9, 0.4, 0.35, 0.1],
//!     labels: vec![Some(true), Some(false), Some(true), Some(false)],
//! };
//! let scores = Scores::new(texts(["a", "b", "c", "d"]), texts(["1", "1", "2", "3"]), vec![mass])?;
//!
//! let evaluation = evaluate(&scores, &BootstrapOptions::default())?;
//!
//! assert_eq!(evaluation.findings[0].auroc, Some(0.75));
//! assert_eq!(evaluation.patients, 3);
//! # Ok::<(), roentgen_eval::Error>(())
//! ```
//!
//! The trap of this field is a metric without its split, its interval or its denominator. Every
//! metric here is therefore defined where it is computed, is `None` where it has no meaning (never
//! 0.5), and leaves the crate together with the split of its table. Nothing here prints, asks for
//! the time or reads the environment: a table, a number of resamples and a seed give the same bits
//! everywhere.
//!
//! [`Scores::read`] reads a table, [`ensemble`] combines tables, [`evaluate`] computes the metrics
//! of `metrics.json`, and [`report::write`] draws them. [`comparison`] compares runs, and
//! [`localization`] compares heat maps with boxes.

mod bootstrap;
mod calibrate;
mod calibration;
mod co_occurrence;
mod cohort;
mod confusion;
mod counted_calls;
mod csv_text;
mod decision_curve;
mod delong;
mod difference;
mod ensemble;
mod error;
mod evaluation;
mod figures;
mod file;
mod films;
mod fit;
mod format;
mod heat_map;
mod holm;
mod identity;
mod interval;
mod leakage;
mod log_loss;
mod logistic;
mod mean;
mod mean_point;
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
pub mod protocols;
pub mod published;
pub mod report;

pub use bootstrap::{FindingIntervals, Intervals, bootstrap};
pub use calibrate::{
    Calibration, CalibrationLine, CalibrationMethod, FindingCalibration, Isotonic, OperatingRule,
    Platt, WithIsotonic, apply_temperature, calibrate, fit_temperature,
};
pub use calibration::{
    Bin, BrierParts, brier, brier_parts, calibration_error_by_mass, expected_calibration_error,
    reliability,
};
pub use co_occurrence::CoOccurrence;
pub use cohort::BootstrapOptions;
pub use confusion::{Confusion, PredictiveValues};
pub use decision_curve::{NetBenefit, decision_curve};
pub use delong::{DeLong, DeLongTest, delong, delong_test};
pub use difference::{Difference, paired_difference};
pub use ensemble::{EnsembleRule, ensemble};
pub use error::Error;
pub use evaluation::{Evaluation, FittedFilms, FittedOn, Given, evaluate, evaluate_with};
pub use figures::{CalibrationFigures, FindingFigures, MeanFigures};
pub use fit::{Fitted, WeightScope, fit};
pub use heat_map::HeatMap;
pub use holm::holm;
pub use identity::Identity;
pub use interval::Interval;
pub use leakage::{TrainingMarks, refuse_training};
pub use log_loss::{Measured, log_loss, paired_log_loss};
pub use mean_point::{MeanCalls, MeanPoint};
pub use members::{check_members, refuse_shared_films};
pub use operating_point::{CallFigures, OperatingPoint};
pub use precision_recall::{average_precision, precision_recall_curve};
pub use reliability::MeasuredBin;
pub use roc::{CurvePoint, auroc, roc_curve};
pub use scores::{Column, NIH_FINDINGS, ScoredFinding, Scores, decimal};
pub use subgroups::{Gap, Subgroup, SubgroupFinding};

//! What is known of the films of a data set that is shown, as a page receives it.
//!
//! Values of the findings are lists in the order of [`ViewedSet::findings`]: a data set has up to 112,120
//! films, and names of findings would be most of the document.

use std::path::PathBuf;

use roentgen_data::Finding;
use serde::Serialize;

use crate::sources::SourceFilm;

/// A data set, and what a model says of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViewedSet {
    /// The name of its folder.
    pub name: String,
    /// Such as `NIH ChestX-ray14`.
    pub dataset: String,
    /// First digits of its fingerprint.
    pub dataset_id: String,
    /// `train`, `valid`, `test` or `all`.
    pub split: &'static str,
    /// Identity of the model.
    pub model: String,
    /// The score table; `None` if the films were predicted to be shown.
    pub scores: Option<PathBuf>,
    /// Height and width of the films, in pixels.
    pub size: usize,
    /// The operating point of thresholds and calls.
    pub operating_point: &'static str,
    /// The method of the calibrated probabilities; `None` if the model has no calibration.
    pub calibration: Option<&'static str>,
    /// The findings of the model.
    pub findings: Vec<Finding>,
    /// The threshold of each finding; `None` if it has none.
    pub thresholds: Vec<Option<f64>>,
    /// The films.
    pub films: Vec<ViewedFilm>,
}

/// A film, with a value of each list for each finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViewedFilm {
    /// Its number, from 0.
    pub id: usize,
    /// Its name.
    pub name: String,
    /// Its patient.
    pub patient: String,
    /// `PA` or `AP`; empty if unknown.
    pub view: String,
    /// Years; empty if unknown.
    pub age: String,
    /// `M` or `F`; empty if unknown.
    pub sex: String,
    /// Such as `official valid`.
    pub split: String,
    /// Whether the model learned from the film; `None` if that is unknown.
    #[serde(rename = "training")]
    pub is_training: Option<bool>,
    /// Whether the model was trained on films of this patient; `None` if that is unknown.
    pub patient_in_training: Option<bool>,
    /// All findings of the film, also those that the model lacks, as in the column `Finding Labels`;
    /// `None` if unknown.
    pub label_text: Option<String>,
    /// 0 or 1; `None` if unknown.
    pub labels: Vec<Option<u8>>,
    /// Raw probabilities.
    pub probabilities: Vec<Option<f64>>,
    /// Calibrated probabilities; `None` where nothing was fitted.
    pub calibrated: Vec<Option<f64>>,
    /// Whether the probability reaches the threshold; `None` if there is none.
    pub calls: Vec<Option<bool>>,
    /// The boxes.
    pub boxes: Vec<ViewedBox>,
}

/// A box in pixels of the film.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ViewedBox {
    /// The finding that it surrounds.
    pub finding: String,
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl ViewedFilm {
    /// Describes a film whose findings are added afterwards.
    pub(super) fn new(
        id: usize,
        film: &SourceFilm,
        is_training: Option<bool>,
        boxes: Vec<ViewedBox>,
    ) -> Self {
        Self {
            id,
            name: film.image.clone(),
            patient: film.patient.clone(),
            view: film.view.clone(),
            age: film.age.clone(),
            sex: film.sex.clone(),
            split: film.split.clone(),
            is_training,
            patient_in_training: film.patient_in_training,
            label_text: film.findings.map(|shown| shown.to_string()),
            labels: Vec::new(),
            probabilities: Vec::new(),
            calibrated: Vec::new(),
            calls: Vec::new(),
            boxes,
        }
    }
}

//! The AUROC of a prediction at once, without a report.

use std::path::Path;

use anyhow::bail;
use roentgen_eval::report::{Provenance, Report, auroc_table, roc_picture};
use roentgen_eval::{BootstrapOptions, Evaluation, evaluate};
use roentgen_models::ModelInfo;

use super::PredictedTable;
use crate::seed::SEED;

/// How well a model does on films with labels.
#[derive(Clone, Debug)]
pub struct PredictedAuroc {
    /// All figures.
    pub evaluation: Evaluation,
    /// The AUROC of each finding and the means, with intervals, as CSV.
    pub table: String,
    /// The ROC curves as SVG.
    pub picture: String,
}

/// Evaluates a prediction of `model`, with a thousand resamples.
///
/// # Errors
///
/// Returns an error if no film has labels, or if films were used in training.
pub fn auroc(table: &PredictedTable, model: &Path) -> anyhow::Result<PredictedAuroc> {
    let description = ModelInfo::read(model)?;
    let scores = &table.scores;
    let mut labels = scores.findings().iter().flat_map(|finding| &finding.labels);
    if labels.all(Option::is_none) {
        bail!(
            "none of the films has labels, so they have no AUROC; predict a prepared data set, or a \
             folder with its label file beside the films"
        );
    }
    let options = BootstrapOptions { resamples: 1000, seed: SEED };
    let evaluation = evaluate(scores, &options)?;
    let provenance = Provenance {
        architecture: Some(description.network.architecture.name().to_owned()),
        ..Provenance::default()
    };
    let report = Report {
        provenance,
        evaluation: &evaluation,
        scores,
        films: Vec::new(),
        localization: None,
        notes: Vec::new(),
        compared: None,
        protocols: None,
    };
    let (table, picture) = (auroc_table(&evaluation)?, roc_picture(&report));
    Ok(PredictedAuroc { evaluation, table, picture })
}

//! The model card: what the model is, how good it is and what it is not for, in the form that
//! [Hugging Face][cards] reads.
//!
//! The metadata at the head of `model-card.md` are JSON, which is also YAML, and the same as
//! `model-card.json`: names from files cannot break them.
//!
//! [cards]: https://huggingface.co/docs/hub/model-cards

use serde::Serialize;
use serde_json::{Value, json};

use super::{Report, page::ReportPage, provenance};
use crate::{Error, Interval, render::render};

/// Returns `model-card.md`.
pub(super) fn markdown(report: &Report) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Card {
        #[serde(flatten)]
        page: ReportPage,
        metadata: String,
    }
    let card = Card { page: ReportPage::of(report), metadata: json_text(report)? };
    render("model-card.md", include_str!("model-card.md"), card)
}

/// Returns `model-card.json`.
pub(super) fn json_text(report: &Report) -> Result<String, Error> {
    serde_json::to_string_pretty(&metadata(report)).map_err(|source| Error::Json { source })
}

/// Returns the metadata; a metric that is undefined is left out.
fn metadata(report: &Report) -> Value {
    let evaluation = report.evaluation;
    let mean = &evaluation.mean;
    let metric = |kind: &str, name: String, value: Option<f64>, ends: Option<Interval>| {
        let value = value?;
        Some(json!({
            "type": kind, "name": name, "value": value, "args": { "ci95": ends, "by": "patient" },
        }))
    };
    let mut metrics = vec![
        metric("roc_auc", "mean AUROC (macro)".into(), mean.auroc, mean.auroc_ci95),
        metric(
            "average_precision",
            "mean average precision (macro)".into(),
            mean.average_precision,
            mean.average_precision_ci95,
        ),
    ];
    metrics.extend(evaluation.findings.iter().map(|finding| {
        metric("roc_auc", format!("AUROC, {}", finding.name), finding.auroc, finding.auroc_ci95)
    }));
    let metrics: Vec<Value> = metrics.into_iter().flatten().collect();
    let findings: Vec<&String> = evaluation.findings.iter().map(|finding| &finding.name).collect();
    let mut metadata = json!({
        "library_name": "roentgen",
        "pipeline_tag": "image-classification",
        "tags": ["chest-x-ray", "radiology", "multi-label", "roentgen"],
        "findings": findings,
        "model-index": [{
            "name": provenance::name_model(report),
            "results": [{
                "task": { "type": "image-classification", "name": "multi-label classification" },
                "dataset": {
                    "type": "chest-x-ray",
                    "name": evaluation.dataset.as_deref().unwrap_or("unknown"),
                    "split": evaluation.split.as_deref().unwrap_or("unknown"),
                },
                "metrics": metrics,
            }],
        }],
    });
    if let Some(weights) = &report.provenance.initial_weights {
        metadata["base_weights"] = json!(weights);
    }
    metadata
}

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

/// The metrics, as Hugging Face names them.
const AUROC: &str = "roc_auc";
const AVERAGE_PRECISION: &str = "average_precision";

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

/// Returns the metadata. What is unknown is left out, because Hugging Face reads `null` as a value:
/// so are always `license` and `base_model`, which must be a model of the Hub.
fn metadata(report: &Report) -> Value {
    let evaluation = report.evaluation;
    let findings: Vec<&String> = evaluation.findings.iter().map(|finding| &finding.name).collect();
    let mut metadata = json!({
        // Of the names of the findings.
        "language": ["en"],
        "library_name": "roentgen",
        "pipeline_tag": "image-classification",
        "tags": ["chest-x-ray", "radiology", "multi-label", "roentgen"],
        "metrics": [AUROC, AVERAGE_PRECISION],
        "findings": findings,
        "model-index": [{
            "name": provenance::name_model(report),
            "results": [{
                "task": { "type": "image-classification", "name": "multi-label classification" },
                "dataset": dataset(report),
                "metrics": metrics(report),
            }],
        }],
    });
    let of = &report.provenance;
    if let Some(trained) = of.training_dataset.as_deref().and_then(on_hub) {
        metadata["datasets"] = json!([trained]);
    }
    if let Some(weights) = &of.initial_weights {
        metadata["base_weights"] = json!(weights);
    }
    metadata
}

/// Returns the name of a data set on the Hub, if it has one.
fn on_hub(dataset: &str) -> Option<&'static str> {
    (dataset == "NIH ChestX-ray14").then_some("alkzar90/NIH-Chest-X-ray-dataset")
}

/// Returns the evaluated data set.
fn dataset(report: &Report) -> Value {
    let of = report.evaluation;
    let name = of.dataset.as_deref();
    let mut dataset = json!({
        "type": name.and_then(on_hub).unwrap_or("chest-x-ray"),
        "name": name.unwrap_or("unknown"),
    });
    if let Some(split) = &of.split {
        dataset["split"] = json!(split);
    }
    if let Some(identity) = &of.dataset_id {
        dataset["revision"] = json!(identity.to_string());
    }
    dataset
}

/// Returns the metrics of the model, without those that are undefined.
fn metrics(report: &Report) -> Vec<Value> {
    let metric = |kind: &str, name: String, value: Option<f64>, ends: Option<Interval>| {
        let mut metric = json!({ "type": kind, "name": name, "value": value? });
        if let Some(ends) = ends {
            metric["args"] = json!({ "ci95": ends, "by": "patient" });
        }
        Some(metric)
    };
    let mean = &report.evaluation.mean;
    let mut metrics = vec![
        metric(AUROC, "mean AUROC (macro)".into(), mean.auroc, mean.auroc_ci95),
        metric(
            AVERAGE_PRECISION,
            "mean average precision (macro)".into(),
            mean.average_precision,
            mean.average_precision_ci95,
        ),
    ];
    metrics.extend(report.evaluation.findings.iter().map(|finding| {
        metric(AUROC, format!("AUROC, {}", finding.name), finding.auroc, finding.auroc_ci95)
    }));
    metrics.into_iter().flatten().collect()
}

//! Asks `huggingface_hub`, which publishes models, what it reads in the head of `model-card.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::process::Command;

use roentgen_eval::report::{self, Provenance, Report};
use roentgen_eval::{BootstrapOptions, ScoredFinding, Scores, evaluate};
use roentgen_test_support::{Outcome, peers, test_file};
use serde_json::Value;

test_file![hugging_face_reads_the_metadata_of_the_model_card];

/// Prints what is read as JSON; metrics are name and value.
const READ: &str = "
import json, sys
from huggingface_hub import ModelCard
data = ModelCard.load(sys.argv[1]).data
print(json.dumps({
    **{key: getattr(data, key) for key in
       ('language', 'library_name', 'pipeline_tag', 'tags', 'metrics', 'datasets', 'license')},
    'name': data.model_name,
    'dataset': [data.eval_results[0].dataset_name, data.eval_results[0].dataset_split],
    'results': [[one.metric_type, one.metric_name, one.metric_value] for one in data.eval_results],
}))";

fn hugging_face_reads_the_metadata_of_the_model_card() -> Outcome {
    peers::python("huggingface_hub")?;
    let films = 40;
    let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
    let finding = |name: &str, every: usize| ScoredFinding {
        name: name.into(),
        probabilities: (0..films).map(|i| (i * 29 % 41) as f64 / 41.0).collect(),
        labels: (0..films).map(|i| Some(i % every == every - 1)).collect(),
    };
    let findings = vec![finding("Mass", 3), finding("yes: [no]", 4), finding("Hernia", 99)];
    let dataset = "NIH \"ChestX\": ---\n# x";
    let scores = Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 2).to_string()), findings)
        .and_then(|scores| scores.with_column("dataset", texts(&|_| dataset.into())))
        .and_then(|scores| scores.with_column("split", texts(&|_| "official test".into())))
        .unwrap();
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 20, seed: 1 }).unwrap();
    let provenance = Provenance {
        model: Some("run: 'x'\n---".into()),
        training_dataset: Some("NIH ChestX-ray14".into()),
        ..Provenance::default()
    };
    let report = Report {
        provenance,
        evaluation: &evaluation,
        scores: &scores,
        films: Vec::new(),
        localization: None,
        notes: Vec::new(),
        compared: None,
        protocols: None,
    };
    let folder = tempfile::tempdir().unwrap();
    report::write(folder.path(), &report).unwrap();

    let card = folder.path().join("model-card.md");
    let output = Command::new("python3").args(["-c", READ]).arg(card).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(read["library_name"], "roentgen");
    assert_eq!(read["pipeline_tag"], "image-classification");
    assert_eq!(read["datasets"], serde_json::json!(["alkzar90/NIH-Chest-X-ray-dataset"]));
    assert_eq!(read["metrics"], serde_json::json!(["roc_auc", "average_precision"]));
    assert_eq!(read["license"], Value::Null);
    assert_eq!(read["name"], "run: 'x'\n---");
    assert_eq!(read["dataset"], serde_json::json!([dataset, "official test"]));
    let results = read["results"].as_array().unwrap();
    // Both means, and the two findings that have both classes.
    assert_eq!(results.len(), 4);
    for (result, finding) in results[2..].iter().zip(&evaluation.findings) {
        assert_eq!(result[1], format!("AUROC, {}", finding.name));
        let value = result[2].as_f64().unwrap();
        assert!((value - finding.auroc.unwrap()).abs() < 1e-12, "{result}");
    }
    Ok(())
}

//! Metadata of an ONNX file for its user, as pairs of text.

use roentgen_data::preprocess::Normalize;
use roentgen_models::ModelInfo;
use serde_json::json;

/// The key of the identity of the model.
pub(crate) const MODEL: &str = "model";

/// Returns the pairs, in order. Values that are lists are JSON.
///
/// - `model`: the identity of the model
/// - `findings`: the names of the logits, in order
/// - `size`, `channels`: of the input
/// - `normalize`: how 8-bit gray becomes the input, in words for people
/// - `mean`, `std`: one per channel, on 0..255, if they are the same for all films
/// - `output`: how to convert the logits
/// - `calibration`: the table `calibration` of `model.toml`, if the model has it
/// - `network`, `dataset`, `split`, `training_films`, `seed`: the model and its training
pub fn pairs(description: &ModelInfo, identity: &str) -> Vec<(&'static str, String)> {
    let input = description.input;
    let findings: Vec<&str> = description.findings.iter().map(|finding| finding.name()).collect();
    let normalize = match input.normalize {
        Normalize::PerImage => {
            "per-image: (gray - mean) / (std + 1e-6), both of the film itself, gray in 0..255"
        }
        Normalize::Imagenet => "imagenet: (gray - mean) / std, gray in 0..255",
        Normalize::Minus1024To1024 => "minus-1024-to-1024: (gray - mean) / std, gray in 0..255",
        Normalize::MinusOneToOne => "minus-one-to-one: (gray - mean) / std, gray in 0..255",
    };
    let mut pairs = vec![
        (MODEL, identity.to_owned()),
        ("findings", json!(findings).to_string()),
        ("size", input.size.to_string()),
        ("channels", input.channels.to_string()),
        ("normalize", normalize.to_owned()),
    ];
    let fixed: Option<Vec<_>> =
        (0..input.channels).map(|channel| input.fixed_mean_and_std(channel)).collect();
    if let Some(fixed) = fixed {
        let [means, stds] = [|pair: &(f32, f32)| pair.0, |pair: &(f32, f32)| pair.1]
            .map(|part| json!(fixed.iter().map(part).collect::<Vec<f32>>()).to_string());
        pairs.extend([("mean", means), ("std", stds)]);
    }
    pairs.push(("output", "probability = sigmoid(logit)".to_owned()));
    if let Some(calibration) = &description.calibration {
        pairs.push(("calibration", json!(calibration).to_string()));
    }
    pairs.push(("network", json!(description.network).to_string()));
    match (&description.training, &description.imported) {
        (Some(training), _) => pairs.extend([
            ("dataset", training.dataset.to_string()),
            ("split", training.split.clone()),
            ("training_films", training.films.to_string()),
            ("seed", training.seed.to_string()),
        ]),
        (None, Some(imported)) => pairs.push(("imported", imported.clone())),
        (None, None) => {}
    }
    pairs
}

//! torchxrayvision's DenseNet: one channel, eighteen outputs, input from -1024 to 1024.
//!
//! `scripts/xrv.py` wrote the fixture with the package itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../parity/formula.rs"]
mod formula;

use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use roentgen_data::preprocess::Normalize;
use roentgen_models::pretrained::{FitError, Foreign, WeightFile, import, list_wanted};
use roentgen_models::{Architecture, ClassifierConfig, Pool, Predictor, model_dir, weights};
use safetensors::tensor::{Dtype, TensorView};

const SIZE: usize = 224;
const OUTPUTS: usize = 18;
const RANGE: f32 = 1024.0;

fn foreign(outputs: &str) -> Foreign {
    Foreign {
        architecture: Architecture::Densenet121,
        outputs: outputs.parse().unwrap(),
        size: None,
        normalize: None,
    }
}

/// Writes the package's network, filled by the formula.
fn write(path: &Path) -> WeightFile {
    let config = ClassifierConfig {
        architecture: Architecture::Densenet121,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let bytes = weights::to_bytes(&config.init(1, OUTPUTS, &Device::flex())).unwrap();
    let tensors = burn_pack::Reader::from_bytes(bytes).unwrap().into_tensors().unwrap();
    let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
    let wanted = list_wanted(Architecture::Densenet121, shapes).into_iter();
    let mut tensors: Vec<_> = wanted.map(|w| (w.name, w.shape)).collect();
    tensors.push(("classifier.weight".into(), vec![OUTPUTS, config.features()]));
    tensors.push(("classifier.bias".into(), vec![OUTPUTS]));
    let bytes: Vec<_> = tensors
        .into_iter()
        .map(|(name, shape)| {
            let factor = match name.as_str() {
                "features.norm0.running_mean" => RANGE,
                "features.norm0.running_var" => RANGE * RANGE,
                _ => 1.0,
            };
            let values = formula::tensor(&name, &shape).into_iter().map(|value| value * factor);
            let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
    WeightFile::open(path).unwrap()
}

/// Imports the file as a model, and predicts films of `SIZE * SIZE` bytes.
fn predict(file: &WeightFile, foreign: &Foreign, films: &[u8]) -> Vec<Vec<f32>> {
    let folder = tempfile::tempdir().unwrap();
    let imported = import(file, foreign, &Device::flex()).unwrap();
    assert_eq!(imported.description.input.channels, 1);
    model_dir::save(folder.path(), &imported.description, &imported.network).unwrap();

    let model = Predictor::load(folder.path(), &Device::flex()).unwrap();
    let planes: Vec<_> = films.chunks_exact(SIZE * SIZE).collect();
    model.predict(&planes).into_iter().map(|film| film.probabilities).collect()
}

/// Asserts that probabilities are the sigmoids of the package's logits.
fn assert_same(probabilities: &[Vec<f32>], logits: &[Vec<f64>], outputs: &[usize]) {
    assert_eq!(probabilities.len(), logits.len());
    for (probabilities, logits) in probabilities.iter().zip(logits) {
        assert_eq!((probabilities.len(), logits.len()), (outputs.len(), OUTPUTS));
        for (probability, &output) in probabilities.iter().zip(outputs) {
            let expected = 1.0 / (1.0 + (-logits[output]).exp());
            assert!((f64::from(*probability) - expected).abs() < 1e-5, "{probability} {expected}");
        }
        assert!(probabilities.iter().any(|p| (0.05..0.95).contains(p)), "{probabilities:?}");
    }
}

#[test]
fn the_packages_network_predicts_what_the_package_predicts() {
    let fixture: serde_json::Value =
        serde_json::from_str(include_str!("../torchxrayvision.json")).unwrap();
    let logits: Vec<Vec<f64>> = serde_json::from_value(fixture["logits"].clone()).unwrap();
    let noise = formula::noise("gray", logits.len() * SIZE * SIZE);
    let films: Vec<u8> = noise.iter().map(|u| ((u + 1.0) / 2.0 * 255.0) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("model.safetensors"));

    let all = predict(&file, &foreign("torchxrayvision"), &films);
    assert_same(&all, &logits, &(0..14).collect::<Vec<_>>());

    // Any output may be skipped.
    let some = format!("-,Consolidation{},Mass,-,-,-,-,-", ",-".repeat(10));
    let some = Foreign { normalize: Some(Normalize::Minus1024To1024), ..foreign(&some) };
    let some = predict(&file, &some, &films[..SIZE * SIZE]);
    assert_same(&some, &logits[..1], &[1, 12]);
}

#[test]
fn a_list_of_another_length_is_refused_and_the_files_outputs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("model.safetensors"));

    let error = import(&file, &foreign("chexnet"), &Device::flex()).unwrap_err();

    assert!(matches!(error, FitError::Head { found: 0, outputs: 14, .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("`classifier.weight` has 18 outputs"), "{message}");
}

#[test]
fn films_that_are_too_small_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder.path().join("model.safetensors"));
    let small = Foreign { size: Some(16), ..foreign("torchxrayvision") };

    let error = import(&file, &small, &Device::flex()).unwrap_err();

    assert!(matches!(error, FitError::Network(_)), "{error}");
}

#[test]
#[ignore = "runs python3 with torchxrayvision"]
fn a_network_that_the_package_saved_predicts_what_the_package_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/xrv.py");
    let output = Command::new("python3").arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let logits: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout).unwrap();
    let films = std::fs::read(folder.path().join("films.bin")).unwrap();
    let file = WeightFile::open(&folder.path().join("model.pt")).unwrap();

    let found = predict(&file, &foreign("torchxrayvision"), &films);

    assert_same(&found, &logits, &(0..14).collect::<Vec<_>>());
}

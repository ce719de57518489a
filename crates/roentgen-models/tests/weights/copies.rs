//! Checkpoints that contain a network twice.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::Path;

use burn::tensor::Device;
use roentgen_models::pretrained::{
    ClassifierPart, FitError, FitReport, WeightFile, convert, fit, list_wanted,
};
use roentgen_models::{Architecture, Classifier, ClassifierConfig, Pool, weights};
use safetensors::tensor::{Dtype, TensorView};

const ARCHITECTURE: Architecture = Architecture::MobilenetV2;
const FINDINGS: usize = 3;

fn new() -> Classifier {
    let config = ClassifierConfig {
        architecture: ARCHITECTURE,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    config.init(3, FINDINGS, &Device::flex())
}

type Named = (String, Vec<usize>, f32);

/// Names and shapes of the backbone after a prefix, with one value in all tensors.
fn backbone(prefix: &str, value: f32) -> Vec<Named> {
    let bytes = weights::to_bytes(&new()).unwrap();
    let tensors = burn_pack::Reader::from_bytes(bytes).unwrap().into_tensors().unwrap();
    let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
    let wanted = list_wanted(ARCHITECTURE, shapes).into_iter();
    wanted.map(|w| (format!("{prefix}{}", w.name), w.shape, value)).collect()
}

fn head(prefix: &str, value: f32) -> Vec<Named> {
    let (weight, bias) = (format!("{prefix}weight"), format!("{prefix}bias"));
    vec![(weight, vec![FINDINGS, 1280], value), (bias, vec![FINDINGS], value)]
}

fn write(path: &Path, tensors: Vec<Named>) -> WeightFile {
    let bytes: Vec<_> = tensors
        .into_iter()
        .map(|(name, shape, value)| {
            let count = shape.iter().product();
            (name, shape, value.to_le_bytes().repeat(count))
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
    WeightFile::open(path).unwrap()
}

/// Loads the file into a new network.
fn load(file: &WeightFile, part: ClassifierPart) -> Result<(Classifier, FitReport), FitError> {
    fit(new(), ARCHITECTURE, part, file)
}

/// Returns the value in the first tensor of a part of our network, the same throughout.
fn value(model: &Classifier, part: &str) -> f32 {
    let bytes = weights::to_bytes(model).unwrap();
    let tensors = burn_pack::Reader::from_bytes(bytes).unwrap().into_tensors().unwrap();
    let tensor = tensors.into_iter().find(|tensor| tensor.name.starts_with(part)).unwrap();
    let (_, _, _, _, bytes) = tensor.into_parts().unwrap();
    f32::from_le_bytes(bytes[..4].try_into().unwrap())
}

#[test]
fn two_copies_are_refused_and_both_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for [good, other] in [["module.encoder_q.", "module.encoder_k."], ["", "model_ema.module."]] {
        let both = [backbone(good, 0.5), backbone(other, 0.25)].concat();
        let file = write(&folder.path().join("both.safetensors"), both);

        let error = load(&file, ClassifierPart::Backbone).unwrap_err();

        let FitError::Copies { known, .. } = &error else { panic!("{error}") };
        let mut known = known.0.clone();
        known.sort();
        let mut expected = [good, other];
        expected.sort_unstable();
        assert_eq!(known, expected);
        assert!(error.to_string().contains("--prefix"), "{error}");
        let to = folder.path().join("kept.safetensors");
        let error = convert(ARCHITECTURE, &file, &to, Default::default()).unwrap_err();
        assert!(matches!(error, FitError::Copies { .. }), "{error}");
        assert!(!to.exists());
    }
}

#[test]
fn a_prefix_picks_its_copy_with_or_without_its_last_dot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.safetensors");
    let tensors = [backbone("", 0.5), backbone("model_ema.module.", 0.25)].concat();
    write(&path, tensors);
    for (prefix, expected) in [("", 0.5), ("model_ema.module", 0.25), ("model_ema.module.", 0.25)] {
        let file = WeightFile::open(&path).unwrap().with_prefix(prefix);

        let (model, fit) = load(&file, ClassifierPart::Backbone).unwrap();

        assert_eq!(value(&model, "backbone."), expected, "{prefix}");
        assert_eq!(fit.prefix.trim_end_matches('.'), prefix.trim_end_matches('.'));
        let origin = file.origin().unwrap();
        assert!(origin.ends_with(&format!(", `{}`", fit.prefix)), "{origin}");
    }
}

#[test]
fn a_prefix_that_no_copy_has_is_refused_and_the_known_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [backbone("teacher.", 0.5), backbone("student.", 0.25)].concat();
    let file = write(&folder.path().join("both.safetensors"), tensors).with_prefix("module");

    let error = load(&file, ClassifierPart::Backbone).unwrap_err();

    let message = error.to_string();
    assert!(["module.", "teacher.", "student."].iter().all(|p| message.contains(p)), "{message}");
}

#[test]
fn a_copy_that_lacks_a_tensor_or_has_another_shape_is_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    for change in [|t: &mut Vec<Named>| drop(t.pop()), |t: &mut Vec<Named>| t[9].1.push(2)] {
        let mut other = backbone("average.", 0.25);
        change(&mut other);
        let tensors = [backbone("model.", 0.5), other].concat();
        let file = write(&folder.path().join("one.safetensors"), tensors);

        let (model, fit) = load(&file, ClassifierPart::Backbone).unwrap();

        assert_eq!((fit.prefix.as_str(), value(&model, "backbone.")), ("model.", 0.5));
    }
}

#[test]
fn backbone_and_head_are_of_one_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.safetensors");
    let both = [backbone("ema.net.", 0.25), backbone("model.net.", 0.5)].concat();
    let heads = [head("ema.fc.", 0.125), head("model.fc.", 0.75)].concat();
    write(&path, [both.clone(), heads].concat());
    for (prefix, expected) in [("ema.net", [0.25, 0.125]), ("model.net", [0.5, 0.75])] {
        let file = WeightFile::open(&path).unwrap().with_prefix(prefix);

        let (model, _) = load(&file, ClassifierPart::Whole).unwrap();

        assert_eq!([value(&model, "backbone."), value(&model, "head.")], expected);
    }

    write(&path, [both, head("model.fc.", 0.75)].concat());
    let headless = WeightFile::open(&path).unwrap().with_prefix("ema.net");
    let error = load(&headless, ClassifierPart::Whole).unwrap_err();
    assert!(matches!(error, FitError::Head { found: 0, .. }), "{error}");
    assert!(error.to_string().contains("the copy with the prefix `ema.net.`"), "{error}");
}

#[test]
fn a_head_without_bias_has_a_bias_of_zero() {
    let folder = tempfile::tempdir().unwrap();
    let weight = head("fc.", 0.75).swap_remove(0);
    let tensors = [backbone("", 0.5), vec![weight]].concat();
    let file = write(&folder.path().join("model.safetensors"), tensors);

    let (model, fit) = load(&file, ClassifierPart::Whole).unwrap();

    assert_eq!(
        [value(&model, "head.logits.bias"), value(&model, "head.logits.weight")],
        [0.0, 0.75]
    );
    assert_eq!(fit.found.last().unwrap().source, "0 throughout");
}

#[test]
fn a_larger_network_of_the_family_is_refused_and_what_is_beside_the_backbone_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let with = |name: &str, shape: &[usize]| {
        let more = [(name.to_owned(), shape.to_vec(), 0.5)];
        let file = write(&path, backbone("net.", 0.25).into_iter().chain(more).collect());
        load(&file, ClassifierPart::Backbone)
    };

    let error = with("net.features.19.conv.0.0.weight", &[1280, 160, 1, 1]).unwrap_err();
    assert!(matches!(error, FitError::Larger { more: 1, .. }), "{error}");
    assert!(error.to_string().contains("features.19.conv.0.0.weight"), "{error}");
    // A counter, a dense layer and an auxiliary classifier.
    for (name, shape) in [
        ("net.features.19.conv.0.0.bias", [3].as_slice()),
        ("net.classifier.1.weight", &[3, 1280]),
        ("net.auxiliary.0.weight", &[8, 1280, 1, 1]),
        ("projector.0.weight", &[8, 1280, 1, 1]),
    ] {
        with(name, shape).unwrap();
    }
}

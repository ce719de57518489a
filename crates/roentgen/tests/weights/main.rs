//! `weights`: lists, imports, and downloads from a misbehaving server on this machine.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/server.rs"]
mod server;

use std::path::Path;
use std::process::Output;

use burn::tensor::Device;
use common::{EXPERIMENT, Place, png, stderr};
use roentgen_test_support::{Outcome, shared, test_file};

test_file![
    an_imported_backbone_is_mapped_kept_listed_and_trained_from,
    weights_of_another_architecture_are_refused_and_nothing_is_written,
    a_chexnet_is_imported_as_a_model_and_predicts,
    findings_that_the_classifier_does_not_have_are_refused,
    another_file_than_was_published_is_not_kept,
    a_page_and_a_lying_length_are_no_weights,
    published_weights_are_pulled_through_a_connection_that_breaks_off,
    a_broken_or_hostile_checkpoint_is_an_error_that_says_what_to_do,
    misuse_exits_with_2_and_names_the_nearest_architecture
];
use roentgen_models::pretrained::{WeightFile, list_wanted};
use roentgen_models::{Architecture, ClassifierConfig, Pool, weights};
use safetensors::tensor::{Dtype, TensorView};
use server::{Server, Way};

/// The published file of MobileNetV2.
const PUBLISHED: &str = "mobilenet_v2-b0353104.pth";

fn run(place: &Place, line: &str) -> Output {
    place
        .command(line.split(' '))
        .env("ROENTGEN_WEIGHTS", place.at("store"))
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap()
}

fn ok(place: &Place, line: &str) -> String {
    let output = run(place, line);
    assert_eq!(output.status.code(), Some(0), "{line}\n{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn fails(place: &Place, line: &str) -> String {
    let output = run(place, line);
    assert_eq!(output.status.code(), Some(1), "{line}\n{}", stderr(&output));
    assert!(output.stdout.is_empty());
    stderr(&output)
}

/// Writes a whole network under published names after `prefix`, with small values.
fn write_network(place: &Place, name: &str, architecture: Architecture, prefix: &str) {
    let config = ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let bytes = weights::to_bytes(&config.init(3, 14, &Device::flex())).unwrap();
    place.write("own.bpk", &bytes[..]);
    let own = WeightFile::open(&place.at("own.bpk")).unwrap();
    let shapes = own.shapes().map(|(name, shape)| (name, shape.to_vec()));
    let mut tensors: Vec<_> =
        list_wanted(architecture, shapes).into_iter().map(|w| (w.name, w.shape)).collect();
    tensors.push(("classifier.weight".into(), vec![14, config.features()]));
    tensors.push(("classifier.bias".into(), vec![14]));
    let bytes: Vec<_> = tensors
        .into_iter()
        .map(|(name, shape)| {
            let count = shape.iter().product::<usize>();
            let value = |at: usize| match name.as_str() {
                "classifier.bias" => at as f32 - 7.0,
                name if name.ends_with("running_var") => 1.0,
                _ => 0.01 * (at % 5) as f32,
            };
            let values = (0..count).map(value);
            let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
            (format!("{prefix}{name}"), shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, &place.at(name)).unwrap();
}

fn is_empty(folder: &Path) -> bool {
    !folder.exists() || std::fs::read_dir(folder).unwrap().next().is_none()
}

fn an_imported_backbone_is_mapped_kept_listed_and_trained_from() {
    let place = Place::new();
    write_network(&place, "v2.safetensors", Architecture::MobilenetV2, "model.");

    let map = ok(&place, "weights import v2.safetensors --architecture mobilenet-v2");

    assert!(map.contains("model.features.18.1.running_var"), "{map}");
    assert!(map.contains("ignored: model.classifier.bias, model.classifier.weight"), "{map}");
    let list = ok(&place, "weights list --json");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let of = |name: &str| {
        let weights = list["weights"].as_array().unwrap();
        weights.iter().find(|weights| weights["architecture"] == name).unwrap().clone()
    };
    assert!(of("mobilenet-v2")["origin"].as_str().unwrap().starts_with("v2.safetensors, SHA-256 "));
    assert!(of("vgg16")["origin"].is_null());
    ok(&place, "weights import v2.safetensors --architecture mobilenet-v2");
    write_network(&place, "other.safetensors", Architecture::MobilenetV2, "");
    let error = fails(&place, "weights import other.safetensors --architecture mobilenet-v2");
    assert!(error.contains("already contains weights (v2.safetensors, SHA-256 "), "{error}");
    ok(&place, "weights import other.safetensors --architecture mobilenet-v2 --replace");
    ok(&place, "weights import v2.safetensors --architecture mobilenet-v2 --replace");
    assert_eq!(list["weights"].as_array().unwrap().len(), Architecture::ALL.len());

    ok(&place, "phantom --films 40 --size 64 --out films");
    ok(&place, "prepare films --out prepared --size 32");
    let experiment = EXPERIMENT.replace("width = 0.0625", "weights = \"imagenet\"");
    place.write("experiment.toml", experiment + "[image]\nchannels = 1\n");
    ok(
        &place,
        "train experiment.toml --out run --set model.architecture=mobilenet-v2 --set train.epochs=1",
    );
    let model = place.text("run/model.toml");
    assert!(model.contains("weights = \"mobilenet-v2.safetensors, SHA-256 "), "{model}");
    assert!(place.text("run/train.log").contains("first convolution summed over colours"));
}

fn weights_of_another_architecture_are_refused_and_nothing_is_written() {
    let place = Place::new();
    write_network(&place, "v2.safetensors", Architecture::MobilenetV2, "");

    let error = fails(&place, "weights import v2.safetensors --architecture densenet121");

    assert!(error.contains("does not contain the weights of densenet121"), "{error}");
    assert!(error.contains("of its 604 tensors are missing"), "{error}");
    assert!(is_empty(&place.at("store")));
}

fn a_chexnet_is_imported_as_a_model_and_predicts() {
    let place = Place::new();
    write_network(
        &place,
        "chexnet.safetensors",
        Architecture::Densenet121,
        "state_dict.module.densenet121.",
    );

    ok(
        &place,
        "weights import chexnet.safetensors --architecture densenet121 --findings chexnet --size 64 \
         --out chexnet",
    );

    let model = place.text("chexnet/model.toml");
    assert!(model.contains("imported = \"chexnet.safetensors, SHA-256 "), "{model}");
    place.write("films/a.png", png([80, 64]));
    ok(&place, "predict chexnet films --no-gate --out scores.csv");
    let scores = place.text("scores.csv");
    let mut lines = scores.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (names, cells) = (lines.next().unwrap(), lines.next().unwrap());
    let of = |finding: &str| -> f64 {
        cells[names.iter().position(|name| *name == finding).unwrap()].parse().unwrap()
    };
    // The biases rise by one in CheXNet's order, and outputs five places apart have the same
    // weights, so their logits differ by five.
    let logit = |finding: &str| (of(finding) / (1.0 - of(finding))).ln();
    assert!((logit("Nodule") - logit("Atelectasis") - 5.0).abs() < 1e-3);
    assert!((logit("Emphysema") - logit("Nodule") - 5.0).abs() < 1e-3);
    let error = fails(
        &place,
        "weights import chexnet.safetensors --architecture densenet121 --findings chexnet --out chexnet",
    );
    assert!(error.contains("`chexnet` already contains a model"), "{error}");
}

fn findings_that_the_classifier_does_not_have_are_refused() {
    let place = Place::new();
    write_network(&place, "chexnet.safetensors", Architecture::Densenet121, "");

    let error = fails(
        &place,
        "weights import chexnet.safetensors --architecture densenet121 --findings Mass,Nodule --out m",
    );

    assert!(error.contains("dense layers from 1024 features to 2 outputs"), "{error}");
    assert!(!place.at("m").exists());
}

fn another_file_than_was_published_is_not_kept() {
    let (place, server) = (Place::new(), Server::new());
    server.serve(PUBLISHED, vec![7; 5000], &[]);

    let line = format!("weights pull mobilenet-v2 --tries 2 --base-url {}", server.url(""));
    let error = fails(&place, &line);

    assert!(error.contains("is not the published file: expected"), "{error}");
    assert!(error.contains("b0353104"), "{error}");
    assert!(is_empty(&place.at("store")));
}

fn a_page_and_a_lying_length_are_no_weights() {
    let (place, server) = (Place::new(), Server::new());
    let line = format!("weights pull mobilenet-v2 --tries 2 --base-url {}", server.url(""));

    server.serve(PUBLISHED, vec![7; 5000], &[Way::WebPage; 2]);
    assert!(fails(&place, &line).contains("answered with a web page"));
    server.serve(PUBLISHED, vec![7; 5000], &[Way::ClaimsMore(100); 2]);
    assert!(fails(&place, &line).contains("broke off after 5000 of 5100 bytes"));
    assert!(!place.at("store").join("mobilenet-v2.safetensors").exists());
}

fn published_weights_are_pulled_through_a_connection_that_breaks_off() -> Outcome {
    let weights = shared::data("weights/mobilenet_v2_imagenet.pt")?;
    let (place, server) = (Place::new(), Server::new());
    let bytes = std::fs::read(weights).unwrap();
    server.serve(PUBLISHED, bytes, &[Way::BreaksOff(1_000_000), Way::BreaksOff(2_000_000)]);

    // The shared file is an older one of the same network, whose checksum is not the published one.
    let line = format!("weights pull mobilenet-v2 --no-verify --base-url {}", server.url(""));
    let said = ok(&place, &line);

    assert!(said.contains("torchvision, BSD-3-Clause"), "{said}");
    assert!(said.contains("non-commercial research"), "{said}");
    let starts: Vec<_> = server.asked().into_iter().map(|(_, from)| from.unwrap_or(0)).collect();
    assert_eq!(starts.len(), 3);
    assert!(starts[0] == 0 && 0 < starts[1] && starts[1] < starts[2], "{starts:?}");
    let kept: Vec<_> = std::fs::read_dir(place.at("store")).unwrap().collect();
    assert_eq!(kept.len(), 1, "the download itself is not kept");
    assert!(ok(&place, &line).contains("already downloaded"));
    assert!(server.asked().is_empty());
    Ok(())
}

fn a_broken_or_hostile_checkpoint_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    place.write("cut.pth", b"PK\x03\x04");
    place.write(
        "hostile.pth",
        format!("cposix\nsystem\n(S'touch {}'\ntR.", place.at("owned").display()),
    );

    for file in ["cut.pth", "hostile.pth"] {
        let error = fails(&place, &format!("weights import {file} --architecture mobilenet-v2"));
        assert!(error.contains("not a PyTorch checkpoint that can be read as data"), "{error}");
    }
    assert!(!place.at("owned").exists());
}

fn misuse_exits_with_2_and_names_the_nearest_architecture() {
    let place = Place::new();

    let output = run(&place, "weights pull mobilenetv2");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `mobilenet-v2`?"));
    for line in [
        "weights",
        "weights pull",
        "weights import a.pth",
        "weights import a.pth --architecture vgg16 --out m",
        "weights import a.pth --architecture vgg16 --findings chexnet",
        "weights import a.pth --architecture vgg16 --findings Pneumonitis --out m",
    ] {
        assert_eq!(run(&place, line).status.code(), Some(2), "{line}");
    }
    let error = fails(&place, "weights pull mobilenet");
    assert!(error.contains("no weights of mobilenet are published"), "{error}");
}

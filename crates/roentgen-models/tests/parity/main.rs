//! Compares every architecture with its reference: the networks of torchvision, timm and Keras,
//! filled by a formula of each tensor's name, so that no weights need to be shipped.
//!
//! `scripts/parity.py` wrote the fixtures and documents the method. Weights go through a file and
//! the same functions as published ones.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod formula;
mod grad_cam;
mod network;
mod spellings;

use std::path::Path;

use roentgen_models::Architecture;
use serde::Deserialize;

/// Tolerance: the largest difference divided by the largest value, or twice the difference between
/// the reference in single precision and in double precision, if that is more.
const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Fixture {
    parameters: usize,
    cases: Vec<Case>,
    gradients: Gradients,
}

/// Gradients in training mode of three tensors, by their published names.
#[derive(Deserialize)]
struct Gradients {
    films: [usize; 4],
    of: std::collections::BTreeMap<String, Slices>,
}

/// One pass of the reference.
#[derive(Deserialize)]
struct Case {
    films: [usize; 4],
    mode: Mode,
    features: Features,
    logits: Vec<f64>,
    loss: f64,
    rounding: Rounding,
}

/// Difference between the reference in single precision and in double precision.
#[derive(Deserialize)]
struct Rounding {
    features: f64,
    logits: f64,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Inference,
    Training,
}

#[derive(Deserialize)]
struct Features {
    shape: [usize; 4],
    #[serde(flatten)]
    slices: Slices,
}

/// The first values of a tensor, and some starting at its middle.
#[derive(Deserialize)]
struct Slices {
    first: Vec<f64>,
    middle: Vec<f64>,
}

impl Slices {
    /// Returns the difference from the same values of another tensor.
    fn difference(&self, values: &[f32]) -> f64 {
        let middle = &values[values.len() / 2..];
        difference(&self.first, values).max(difference(&self.middle, middle))
    }
}

/// Returns the largest difference divided by the largest value, over all expected values.
fn difference(expected: &[f64], values: &[f32]) -> f64 {
    assert!(!expected.is_empty() && values.len() >= expected.len());
    let greatest = expected.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let differences = expected.iter().zip(values).map(|(a, b)| (a - f64::from(*b)).abs());
    differences.fold(0.0, f64::max) / greatest
}

fn compare(architecture: Architecture) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parity")
        .join(format!("{}.json", architecture.name()));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut fixture: Fixture = serde_json::from_str(&text).unwrap();
    fixture.cases.sort_by_key(|case| case.mode == Mode::Training);
    assert!(fixture.parameters > 0 && fixture.cases.len() == 4);
    assert!(fixture.cases.iter().any(|case| case.films[2] != case.films[3]));

    let network = network::Network::filled(architecture);
    for case in fixture.cases {
        let found = network.run(case.films, case.mode);
        let name = format!("{} {:?} {:?}", architecture.name(), case.films, case.mode);
        assert_eq!(found.shape, case.features.shape, "{name}");
        let differences = [
            ("features", case.features.slices.difference(&found.features), case.rounding.features),
            ("logits", difference(&case.logits, &found.logits), case.rounding.logits),
            ("loss", (case.loss - found.loss).abs() / case.loss, 0.0),
        ];
        for (what, difference, rounding) in differences {
            let tolerance = TOLERANCE.max(2.0 * rounding);
            assert!(
                difference < tolerance,
                "{name}: {what} differs by {difference:.1e}, the reference from itself by {rounding:.1e}"
            );
        }
    }
    let found = network.gradients(fixture.gradients.films);
    assert_eq!(fixture.gradients.of.len(), 3);
    for (tensor, expected) in &fixture.gradients.of {
        let difference = expected.difference(&found[tensor]);
        assert!(difference < TOLERANCE, "the gradient of {tensor} differs by {difference:.1e}");
    }
}

macro_rules! equal {
    ($($test:ident: $architecture:ident),* $(,)?) => {
        $(#[test]
        fn $test() {
            compare(Architecture::$architecture);
        })*

        #[test]
        fn no_architecture_is_left_out() {
            let tested = [$(Architecture::$architecture),*];
            assert!(Architecture::ALL.iter().all(|architecture| tested.contains(architecture)));
        }
    };
}

equal! {
    mobilenet_is_that_of_keras: Mobilenet,
    mobilenet_v2_is_that_of_torchvision: MobilenetV2,
    vgg16_is_that_of_torchvision: Vgg16,
    vgg19_is_that_of_torchvision: Vgg19,
    resnet50_is_that_of_torchvision: Resnet50,
    densenet121_is_that_of_torchvision: Densenet121,
    efficientnet_b0_is_that_of_torchvision: EfficientnetB0,
    inception_v3_is_that_of_torchvision: InceptionV3,
    inception_resnet_v2_is_that_of_timm: InceptionResnetV2,
    nasnet_large_is_that_of_timm: NasnetLarge,
    nasnet_mobile_is_that_of_pretrainedmodels: NasnetMobile,
    convnext_tiny_is_that_of_torchvision: ConvnextTiny,
    convnext_base_is_that_of_torchvision: ConvnextBase,
}

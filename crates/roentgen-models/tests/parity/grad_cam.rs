//! Grad-CAM and Grad-CAM++ against the package `grad-cam`, on the same weights and films.
//!
//! `scripts/grad_cam.py` wrote the fixture and documents the method.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::Finding;
use roentgen_data::preprocess::{Input, Normalize};
use roentgen_models::explainer::WantedMap;
use roentgen_models::pretrained::{ClassifierPart, WeightFile, fit};
use roentgen_models::{
    Architecture, Classifier, ClassifierConfig, Explainer, Method, ModelInfo, Pool, model_dir,
};
use serde::Deserialize;

use crate::formula;
use crate::network::{Network, config, filled, tensors, write, zeros};

#[derive(Deserialize)]
struct Fixture {
    size: usize,
    cell: usize,
    step: usize,
    outputs: Vec<usize>,
    networks: HashMap<String, Maps>,
}

/// Logits and maps of one network, by film.
#[derive(Deserialize)]
struct Maps {
    logits: Vec<f64>,
    #[serde(rename = "grad-cam")]
    grad_cam: Vec<Vec<f32>>,
    #[serde(rename = "grad-cam++")]
    grad_cam_plus_plus: Vec<Vec<f32>>,
}

/// Fills the head by its own names, on a backbone that is filled by published ones.
struct Head {
    path: Vec<String>,
}

impl ModuleMapper for Head {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !matches!(self.path[0].as_str(), "attention" | "head") {
            return param;
        }
        let shape: [usize; D] = param.val().dims();
        let values = TensorData::new(formula::tensor(&self.path.join("."), &shape), shape);
        Param::initialized(param.id, Tensor::from_data(values, &Device::flex()))
    }
}

/// Returns DenseNet-121 with attention, filled by the formula.
fn with_attention(config: &ClassifierConfig) -> Classifier {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("formula.safetensors");
    write(&path, filled(tensors(config.architecture)));
    let file = WeightFile::open(&path).unwrap();
    let new = zeros(config, 3, &Device::flex());
    let (model, _) = fit(new, config.architecture, ClassifierPart::Backbone, &file).unwrap();
    model.map(&mut Head { path: Vec::new() })
}

/// Returns the films of the script.
fn films(fixture: &Fixture) -> Vec<Vec<u8>> {
    let (size, cells) = (fixture.size, fixture.size / fixture.cell);
    let count = fixture.outputs.len();
    let coarse = formula::noise("coarse", count * cells * cells);
    let fine = formula::noise("fine", count * size * size);
    let pixel = |film: usize, at: usize| {
        let (row, column) = (at / size / fixture.cell, at % size / fixture.cell);
        let coarse = coarse[(film * cells + row) * cells + column];
        let fine = fine[film * size * size + at];
        ((0.7 * coarse + 0.3 * fine + 1.0) / 2.0 * 255.0).floor() as u8
    };
    (0..count).map(|film| (0..size * size).map(|at| pixel(film, at)).collect()).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |of: &[f32]| of.iter().map(|v| f64::from(*v)).sum::<f64>() / of.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |a: &[f32], b: &[f32], mean_a: f64, mean_b: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (f64::from(*a) - mean_a) * (f64::from(*b) - mean_b)).sum()
    };
    product(a, b, mean_a, mean_b)
        / (product(a, a, mean_a, mean_a) * product(b, b, mean_b, mean_b)).sqrt()
}

fn assert_maps_are_those_of_the_package(architecture: Architecture) {
    let fixture: Fixture = serde_json::from_str(include_str!("grad-cam.json")).unwrap();
    let expected = &fixture.networks[architecture.name()];
    let has_attention = architecture == Architecture::Densenet121;
    let pool = if has_attention { Pool::Attention } else { Pool::Linear };
    let config = ClassifierConfig { pool, stochastic_depth: None, ..config(architecture) };
    let network = match pool {
        Pool::Attention => with_attention(&config),
        Pool::Average | Pool::Linear => Network::filled(architecture).model.valid(),
    };
    let input = Input { size: fixture.size, channels: 3, normalize: Normalize::MinusOneToOne };
    let description = ModelInfo::new(Finding::ALL.to_vec(), config, input);
    let folder = tempfile::tempdir().unwrap();
    model_dir::save(folder.path(), &description, &network).unwrap();
    let explainer = Explainer::load(folder.path(), &Device::flex()).unwrap();

    let films = films(&fixture);
    let look = explainer.look(&films.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let outputs = fixture.outputs.iter().enumerate();
    let wanted: Vec<WantedMap> =
        outputs.map(|(film, &output)| WantedMap { film, output }).collect();
    assert_eq!(expected.logits.len(), wanted.len());
    for (wanted, logit) in wanted.iter().zip(&expected.logits) {
        let probability = f64::from(look.predictions[wanted.film].probabilities[wanted.output]);
        assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-4, "{probability} {logit}");
    }
    for (method, expected) in [
        (Method::GradCam, &expected.grad_cam),
        (Method::GradCamPlusPlus, &expected.grad_cam_plus_plus),
    ] {
        assert_eq!(expected.len(), wanted.len());
        for (map, expected) in explainer.maps(method, &look, &wanted).iter().zip(expected) {
            let (size, step) = (fixture.size, fixture.step);
            let values = map.resized([size; 2]);
            // The package scales a map again after interpolating it.
            let low = values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let scaled: Vec<f32> =
                values.iter().map(|value| (value - low) / (high - low)).collect();
            let places = (step / 2..size).step_by(step);
            let found: Vec<f32> = places
                .clone()
                .flat_map(|row| places.clone().map(move |column| row * size + column))
                .map(|at| scaled[at])
                .collect();

            let name = format!("{} {}", architecture.name(), method.name());
            assert_eq!(found.len(), expected.len(), "{name}");
            let found_correlation = correlation(&found, expected);
            assert!(found_correlation > 0.99999, "{name}: {found_correlation}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-3, "{name}: {found} and {expected}");
            }
        }
    }
}

#[test]
fn maps_of_mobilenet_v2_are_those_of_the_package() {
    assert_maps_are_those_of_the_package(Architecture::MobilenetV2);
}

#[test]
fn maps_of_resnet50_are_those_of_the_package() {
    assert_maps_are_those_of_the_package(Architecture::Resnet50);
}

#[test]
fn maps_of_densenet121_with_attention_are_those_of_the_package() {
    assert_maps_are_those_of_the_package(Architecture::Densenet121);
}

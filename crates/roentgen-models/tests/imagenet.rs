//! ImageNet weights on ten real films: the features equal those of torchvision and TensorFlow.
//!
//! `scripts/imagenet_features.py` wrote the expected values. The films and weights are not part of
//! the project; if they are missing, these tests print that.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::preprocess::Input;
use roentgen_data::{nih, pixels};
use roentgen_models::pretrained::{ClassifierPart, WeightFile, fit};
use roentgen_models::{Architecture, ClassifierConfig, Pool};
use roentgen_test_support::{Outcome, shared, test_file};

test_file![
    mobilenet_v2_sees_what_torchvision_sees,
    mobilenet_with_folded_norms_sees_what_tensorflow_sees
];
use serde::Deserialize;

/// Size of the films and of the center crop, in pixels.
const SIDES: [usize; 2] = [256, 224];
/// Tolerance: the largest difference divided by the largest value.
const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Fixture {
    films: Vec<String>,
    #[serde(flatten)]
    networks: BTreeMap<String, Maps>,
}

#[derive(Deserialize)]
struct Maps {
    shape: [usize; 4],
    films: Vec<Film>,
}

/// One film's map: its first values, some from its middle, the means of its first channels.
#[derive(Deserialize)]
struct Film {
    first: Vec<f64>,
    middle: Vec<f64>,
    means: Vec<f64>,
}

/// Returns the center of a film in gray.
fn plane(folder: &Path, name: &str) -> Vec<u8> {
    let films = nih::walk(folder).unwrap();
    let film = films.into_iter().find(|path| path.file_name().unwrap() == name).unwrap();
    let gray = pixels::read(&film).unwrap();
    assert_eq!((gray.width as usize, gray.height as usize), (SIDES[0], SIDES[0]));
    let border = (SIDES[0] - SIDES[1]) / 2;
    let rows = gray.pixels.chunks_exact(SIDES[0]).skip(border).take(SIDES[1]);
    rows.flat_map(|row| row[border..border + SIDES[1]].to_vec()).collect()
}

fn compare(architecture: Architecture, weights: &str) -> Outcome {
    let (weights, folder) = (shared::data(weights)?, shared::data("nih-2512")?);
    let text = include_str!("imagenet.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let expected = &fixture.networks[architecture.name()];
    assert_eq!((fixture.films.len(), expected.films.len()), (10, 10));
    let input = Input { size: SIDES[1], channels: 3, normalize: architecture.normalization() };
    let mut values = Vec::new();
    for name in &fixture.films {
        input.append(&plane(&folder, name), &mut values);
    }
    let device = Device::flex();
    let films = TensorData::new(values, [fixture.films.len(), 3, SIDES[1], SIDES[1]]);
    let films = Tensor::<4>::from_data(films, &device);
    let config = ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let new = config.init(3, 14, &device);
    let file = WeightFile::open(&weights).unwrap();
    let (model, _) = fit(new, architecture, ClassifierPart::Backbone, &file).unwrap();

    let maps = model.features(films);

    assert_eq!(maps.dims(), expected.shape);
    let means: Vec<f32> = maps.clone().mean_dims(&[2, 3]).into_data().try_to_vec().unwrap();
    let maps: Vec<f32> = maps.into_data().try_to_vec().unwrap();
    let greatest = maps.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let differ = |expected: &[f64], values: &[f32]| {
        let pairs = expected.iter().zip(values);
        pairs.map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max) / f64::from(greatest)
    };
    let [map, mean] = [&maps, &means].map(|values| values.len() / fixture.films.len());
    for (at, film) in expected.films.iter().enumerate() {
        let (maps, means) = (&maps[at * map..][..map], &means[at * mean..][..mean]);
        let differences = [
            differ(&film.first, maps),
            differ(&film.middle, &maps[map / 2..]),
            differ(&film.means, means),
        ];
        assert!(
            differences.iter().all(|difference| *difference < TOLERANCE),
            "{}: {differences:?}",
            fixture.films[at]
        );
        assert!(
            film.first.iter().chain(&film.middle).chain(&film.means).any(|value| *value != 0.0)
        );
    }
    Ok(())
}

fn mobilenet_v2_sees_what_torchvision_sees() -> Outcome {
    compare(Architecture::MobilenetV2, "weights/mobilenet_v2_imagenet.pt")?;
    Ok(())
}

fn mobilenet_with_folded_norms_sees_what_tensorflow_sees() -> Outcome {
    compare(Architecture::Mobilenet, "weights/mobilenet_v1_imagenet_bn_folded.safetensors")?;
    Ok(())
}

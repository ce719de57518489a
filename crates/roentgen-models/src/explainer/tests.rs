use burn::module::{ModuleMapper, Param};
use roentgen_data::Finding;
use roentgen_data::preprocess::{Input, Normalize};

use super::*;
use crate::classifier::ClassifierConfig;
use crate::zoo::{Architecture, Pool};

const SIZE: usize = 64;
const FINDINGS: [Finding; 3] = [Finding::Mass, Finding::Edema, Finding::Hernia];

/// Fills weights by a formula: other tests draw from the same random stream at the same time.
struct Formula {
    seed: u64,
}

impl ModuleMapper for Formula {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.seed += 1;
        let seed = self.seed;
        param.map(|tensor| {
            let shape = tensor.dims();
            let inputs: usize = shape.iter().skip(1).product();
            if D < 2 {
                return tensor;
            }
            let bound = (6.0 / inputs as f64).sqrt();
            let value = |at: u64| {
                let mixed = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed << 32;
                let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                ((mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) * bound
            };
            let values: Vec<f32> =
                (0..shape.iter().product::<usize>() as u64).map(|at| value(at) as f32).collect();
            Tensor::from_data(TensorData::new(values, shape), &tensor.device())
        })
    }
}

fn explainer(architecture: Architecture, pool: Pool) -> Explainer {
    explainer_of(0, architecture, pool)
}

fn explainer_of(seed: u64, architecture: Architecture, pool: Pool) -> Explainer {
    let network =
        ClassifierConfig { architecture, width: 0.125, pool, dropout: 0.5, stochastic_depth: None };
    let size = architecture.least_size().max(SIZE);
    let input = Input { size, channels: 1, normalize: Normalize::PerImage };
    let description = ModelInfo::new(FINDINGS.to_vec(), network, input);
    let device = Device::flex();
    let network = description.network.init(1, FINDINGS.len(), &device);
    let network = network.map(&mut Formula { seed: seed * 1000 }).valid();
    Explainer { description, identity: String::new(), network, device }
}

fn planes(explainer: &Explainer, films: usize) -> Vec<Vec<u8>> {
    let pixels = explainer.description.input.size.pow(2);
    (0..films)
        .map(|film| (0..pixels).map(|i| (i * (film + 3) * 7919 % 251) as u8).collect())
        .collect()
}

fn look(explainer: &Explainer, films: usize) -> Look {
    let planes = planes(explainer, films);
    explainer.look(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn all(films: usize) -> Vec<WantedMap> {
    let of_film = |film| (0..FINDINGS.len()).map(move |output| WantedMap { film, output });
    (0..films).flat_map(of_film).collect()
}

#[test]
fn cam_adds_up_to_the_logit_with_every_architecture_and_head_without_activations() {
    for architecture in Architecture::ALL {
        let pools = match architecture {
            // Both heads with one network suffice.
            Architecture::Mobilenet => vec![Pool::Linear, Pool::Average],
            _ => vec![Pool::Linear],
        };
        for pool in pools {
            let explainer = explainer(architecture, pool);
            let look = look(&explainer, 2);
            let (_, bias) = explainer.network.linear_head().unwrap();
            let bias = values(bias);
            let wanted = all(2);
            let maps = explainer.maps(Method::Cam, &look, &wanted);
            for (wanted, map) in wanted.iter().zip(maps) {
                let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
                let logit = look.logits[wanted.film * FINDINGS.len() + wanted.output];
                let sum = mean + bias[wanted.output];
                let name = architecture.name();
                // Untrained networks without enough norms have logits of hundreds.
                let least = 1e-4 * logit.abs().max(1.0);
                assert!((sum - logit).abs() < least, "{name} {pool:?}: {sum} and {logit}");
            }
        }
    }
}

#[test]
fn after_a_linear_head_grad_cam_is_cam_by_a_factor_without_the_part_below_zero() {
    let explainer = explainer(Architecture::MobilenetV2, Pool::Linear);
    let look = look(&explainer, 3);
    let wanted = all(3);
    let cams = explainer.maps(Method::Cam, &look, &wanted);
    let maps = explainer.maps(Method::GradCam, &look, &wanted);

    for (cam, map) in cams.iter().zip(maps) {
        let cells = map.values.len() as f32;
        for (cam, value) in cam.values.iter().zip(&map.values) {
            assert!((cam.max(0.0) / cells - value).abs() < 1e-6, "{cam} {value}");
        }
    }
}

/// The gradient by finite differences, of a network whose head has activations, norms and a mask.
#[test]
fn gradients_are_of_one_logit_alone_in_inference_mode() {
    let explainer = explainer(Architecture::Mobilenet, Pool::Attention);
    let look = look(&explainer, 2);
    let wanted = [WantedMap { film: 1, output: 2 }, WantedMap { film: 0, output: 0 }];
    let features = explainer.features(&look, &wanted);
    let gradients = values(explainer.gradients(features.clone(), &wanted));
    let shape = features.dims();
    let before = values(features);
    let step = 1e-2;
    let per_map = before.len() / 2;
    for place in (0..per_map).step_by(per_map / 9) {
        for (map, wanted) in wanted.iter().enumerate() {
            let logit = |change: f32| {
                let mut moved = before.clone();
                moved[map * per_map + place] += change;
                let moved = Tensor::from_data(TensorData::new(moved, shape), &explainer.device);
                values(explainer.network.head(moved))[map * FINDINGS.len() + wanted.output]
            };
            let expected = (logit(step) - logit(-step)) / (2.0 * step);
            let found = gradients[map * per_map + place];
            assert!((expected - found).abs() < 1e-3, "{expected} and {found}");
        }
    }
    assert!(gradients.iter().any(|gradient| gradient.abs() > 1e-5));
}

#[test]
fn every_head_has_maps_of_all_methods_that_it_allows() {
    for architecture in [Architecture::MobilenetV2, Architecture::Vgg16, Architecture::Resnet50] {
        every_head_has_maps(architecture);
    }
}

fn every_head_has_maps(architecture: Architecture) {
    for pool in [Pool::Average, Pool::Attention, Pool::Linear] {
        for method in Method::allowed_by(pool) {
            let maps = |seed| {
                let explainer = explainer_of(seed, architecture, pool);
                let wanted = [WantedMap { film: 1, output: 0 }, WantedMap { film: 0, output: 2 }];
                explainer.maps(method, &look(&explainer, 2), &wanted)
            };
            // Random weights may speak against both findings everywhere, where Grad-CAM is zero.
            let maps = (0..20)
                .map(maps)
                .find(|maps| !maps.iter().all(HeatMap::is_flat))
                .expect("no weights gave a map that is not flat");
            let expected = if method == Method::Occlusion { 13 } else { 2 };
            for map in &maps {
                assert_eq!(
                    [map.height, map.width],
                    [expected; 2],
                    "{architecture:?} {pool:?} {method:?}"
                );
                assert!(map.values.iter().all(|value| value.is_finite()));
            }
            assert_ne!(maps[0], maps[1], "{architecture:?} {pool:?} {method:?}");
        }
    }
}

#[test]
fn covering_the_only_bright_spot_changes_the_logits_most_there() {
    let mut plane = vec![40; SIZE * SIZE];
    for row in 8..16 {
        plane[row * SIZE + 44..row * SIZE + 54].fill(250);
    }
    // A single network of random weights may look elsewhere.
    let mut sums = vec![0.0; 13 * 13];
    for seed in 0..8 {
        let explainer = explainer_of(seed, Architecture::MobilenetV2, Pool::Linear);
        let look = explainer.look(&[&plane]);
        let map = &explainer.maps(Method::Occlusion, &look, &[WantedMap { film: 0, output: 1 }])[0];
        let changes: Vec<f32> = map.values.iter().map(|value| value.abs()).collect();
        let most = changes.iter().copied().fold(0.0, f32::max);
        assert_eq!(changes.len(), sums.len());
        sums.iter_mut().zip(changes).for_each(|(sum, change)| *sum += change / most);
    }

    let most = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b])).unwrap();
    let (row, column) = (most / 13 * 5, most % 13 * 5);
    assert!((3..16).contains(&row) && (36..56).contains(&column), "{row} {column}");
}

#[test]
fn a_model_with_random_weights_is_another_one() {
    let explainer = explainer(Architecture::Mobilenet, Pool::Linear);
    let planes = planes(&explainer, 1);
    let logits = |explainer: &Explainer| explainer.look(&[&planes[0]]).logits;
    let random = logits(&explainer.with_random_weights(7));

    assert_ne!(random, logits(&explainer));
    assert_eq!(random.len(), FINDINGS.len());
}

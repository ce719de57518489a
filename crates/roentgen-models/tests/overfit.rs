//! Each architecture, shrunk, memorizes 32 films, is saved and loaded, and gives the same
//! predictions.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor, TensorData};
use roentgen_data::Finding;
use roentgen_data::pixels::Filter;
use roentgen_data::prepare::{self, PrepareSettings, Prepared};
use roentgen_data::preprocess::Input;
use roentgen_models::model_dir::{self, ModelInfo};
use roentgen_models::predictor::predictions;
use roentgen_models::{Architecture, ClassifierConfig, Pool, Predictor};
use roentgen_phantom as phantom;

const FILMS: usize = 32;
/// Memorized: the mean loss of a coin flip is 0.69, that of always answering no about 0.2 here.
const LEARNT: f32 = 0.05;
/// More than any of them needs.
const STEPS: usize = 300;

fn prepared(folder: &std::path::Path, size: usize) -> Prepared {
    let films = folder.join("films");
    phantom::write(&films, &phantom::PhantomSettings { films: FILMS, size: 96, seed: 3 }, &|_| ())
        .unwrap();
    let settings = PrepareSettings {
        size: size as u32,
        filter: Filter::Lanczos3,
        labels: None,
        any_size: false,
    };
    let out = folder.join("prepared");
    prepare::prepare(&films, &out, &settings, &|_| ()).unwrap();
    Prepared::open(&out).unwrap()
}

fn overfits(architecture: Architecture, pool: Pool, width: f64) {
    // Without batch norms, large steps leave ReLUs permanently at zero.
    let is_normed = !matches!(architecture, Architecture::Vgg16 | Architecture::Vgg19);
    let rate = if is_normed { 3e-3 } else { 5e-4 };
    let folder = tempfile::tempdir().unwrap();
    let size = architecture.least_size();
    let data = prepared(folder.path(), size);
    let device = Device::flex().autodiff();
    device.seed(1);
    let network =
        ClassifierConfig { architecture, width, pool, dropout: 0.0, stochastic_depth: None };
    let input = Input { size, channels: 1, normalize: architecture.normalization() };
    network.check(size, 1).unwrap();
    let findings = Finding::ALL.to_vec();
    let mut values = Vec::new();
    let planes: Vec<_> = (0..FILMS).map(|row| data.store.plane(row).unwrap()).collect();
    planes.iter().for_each(|plane| input.append(plane, &mut values));
    let films = TensorData::new(values, [FILMS, 1, size, size]);
    let films = Tensor::<4>::from_data(films, &device);
    let labels: Vec<f32> = (0..FILMS)
        .flat_map(|row| {
            let shown = data.rows[row].findings;
            findings.iter().map(move |&finding| f32::from(u8::from(shown.contains(finding))))
        })
        .collect();
    assert!(labels.contains(&1.0));
    let labels = Tensor::<2>::from_data(TensorData::new(labels, [FILMS, findings.len()]), &device);
    let loss = |logits: Tensor<2>, labels: Tensor<2>| {
        (softplus(logits.clone(), 1.0) - logits * labels).mean()
    };

    let mut model = network.init(1, findings.len(), &device);
    let mut optimizer = AdamConfig::new().init();
    let mut last = f32::INFINITY;
    for _ in 0..STEPS {
        let cost = loss(model.forward(films.clone()), labels.clone());
        last = cost.clone().into_scalar();
        if last < LEARNT {
            break;
        }
        let gradients = GradientsParams::from_grads(cost.backward(), &model);
        model = optimizer.step(rate, model, gradients);
    }
    let name = architecture.name();
    assert!(last < LEARNT, "{name} ends with a loss of {last}");

    let valid = model.valid();
    let said = predictions(&valid, films.inner());
    let description = ModelInfo::new(findings, network, input);
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    model_dir::save(&run, &description, &valid).unwrap();
    let predictor = Predictor::load(&run, &Device::flex()).unwrap();
    let planes: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();
    assert_eq!(predictor.predict(&planes), said, "{name}");
}

macro_rules! learn {
    ($($test:ident: $architecture:ident, $pool:ident, $width:literal);+ $(;)?) => {
        $(
            #[test]
            fn $test() {
                overfits(Architecture::$architecture, Pool::$pool, $width);
            }
        )+

        #[test]
        fn every_architecture_has_its_test() {
            let tested = [$(Architecture::$architecture),+];
            for architecture in Architecture::ALL {
                assert!(tested.contains(&architecture), "{}", architecture.name());
            }
        }
    };
}

learn! {
    mobilenet_learns_32_films: Mobilenet, Average, 0.25;
    mobilenet_v2_learns_32_films: MobilenetV2, Linear, 0.25;
    inception_v3_learns_32_films: InceptionV3, Linear, 0.125;
    inception_resnet_v2_learns_32_films: InceptionResnetV2, Linear, 0.125;
    vgg16_learns_32_films: Vgg16, Linear, 0.25;
    vgg19_learns_32_films: Vgg19, Linear, 0.25;
    nasnet_large_learns_32_films: NasnetLarge, Linear, 0.0625;
    nasnet_mobile_learns_32_films: NasnetMobile, Linear, 0.25;
    resnet50_learns_32_films: Resnet50, Attention, 0.125;
    densenet121_learns_32_films: Densenet121, Linear, 0.25;
    efficientnet_b0_learns_32_films: EfficientnetB0, Attention, 0.25;
    convnext_tiny_learns_32_films: ConvnextTiny, Linear, 0.125;
    convnext_base_learns_32_films: ConvnextBase, Linear, 0.0625;
}

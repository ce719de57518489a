//! Every architecture with every head gives the same results in ONNX Runtime as in Burn, for one
//! film and for three, and `onnx.checker` accepts the file.
//!
//! Needs Python with `onnx` and `onnxruntime`, whose library is loaded here.

#![expect(clippy::unwrap_used, reason = "test helpers fail like tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use burn::module::Module as _;
use burn::tensor::{Device, Distribution, Tensor};
use roentgen_data::Finding;
use roentgen_data::preprocess::Input;
use roentgen_models::model_dir::{self, ModelInfo};
use roentgen_models::{Architecture, ClassifierConfig, Pool, Predictor};
use roentgen_onnx::export::export;
use roentgen_onnx::{OnnxEngine, Runtime, Waiting};
use roentgen_test_support::{Outcome, peers, test_file};

const FINDINGS: [Finding; 3] = [Finding::Hernia, Finding::Mass, Finding::Edema];

/// Tolerance for the logits of the two engines.
const TOLERANCE: f32 = 1e-4;

const WHERE: &str = "import glob, os, onnx, onnxruntime\n\
    print(glob.glob(os.path.join(os.path.dirname(onnxruntime.__file__), 'capi', 'libonnxruntime.*'))[0])";

const CHECK: &str = r#"
import json, sys, onnx, onnxruntime
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    [image] = model.graph.input
    batch, *rest = image.type.tensor_type.shape.dim
    assert image.name == "image" and batch.dim_param == "batch", image
    meta = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(meta["findings"]) == ["Hernia", "Mass", "Edema"], meta
    assert [d.dim_value for d in rest] == [int(meta["channels"]), *[int(meta["size"])] * 2], rest
    names = [output.name for output in model.graph.output]
    assert names == ["logits", "mask"][:len(names)], names
    assert model.opset_import[0].version == 18
    read = {name for node in model.graph.node for name in node.input}
    unread = [t.name for t in model.graph.initializer if t.name not in read]
    assert not unread, unread
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in model.graph.node]
    print(path, kinds.count("Clip"), "clips", *names)
"#;

fn runtime() -> Option<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let load = || {
        let output = Command::new("python3").args(["-c", WHERE]).output().ok()?;
        let path = String::from_utf8(output.stdout).unwrap();
        (output.status.success()).then(|| Runtime::load(Path::new(path.trim())).unwrap())
    };
    RUNTIME.get_or_init(load).as_ref()
}

/// Writes a model whose batch norms have seen films.
fn saved(folder: &Path, network: ClassifierConfig, channels: usize, size: usize) {
    // The device has one random stream for all tests of this process, so they draw one at a time:
    // otherwise the weights differ in each run, and some give a probability of one, whose logit is
    // infinite.
    static DRAWING: Mutex<()> = Mutex::new(());
    let _drawing = DRAWING.lock();
    let device = Device::flex().autodiff();
    device.seed(7);
    let mut model = network.init(channels, FINDINGS.len(), &device);
    for shift in [0.3, -0.2, 0.1, -0.1, 0.0, 0.2, -0.3, 0.1] {
        let films =
            Tensor::random([2, channels, size, size], Distribution::Normal(shift, 1.3), &device);
        model.forward(films);
    }
    model = model.valid();
    let description = ModelInfo {
        imported: Some("nowhere".to_owned()),
        ..ModelInfo::new(
            FINDINGS.to_vec(),
            network.clone(),
            Input { size, channels, normalize: network.architecture.normalization() },
        )
    };
    model_dir::save(folder, &description, &model).unwrap();
}

/// Returns a film with edges and noise, `[size, size]`.
fn film(number: usize, size: usize) -> Vec<u8> {
    (0..size * size)
        .map(|i| ((i * 7919 + number * 31) % 97 + (i / size + i % size) % 128) as u8)
        .collect()
}

fn logit(probability: f32) -> f32 {
    let probability = f64::from(probability);
    (probability / (1.0 - probability)).ln() as f32
}

fn agree(architecture: Architecture) -> Outcome {
    let runtime = runtime()
        .ok_or_else(|| peers::missing("python3 cannot import onnx and onnxruntime".to_owned()))?;
    let place = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = Vec::new();
    for (pool, channels) in [(Pool::Average, 1), (Pool::Attention, 3), (Pool::Linear, 3)] {
        let size = architecture.least_size().max(64) + 3;
        let network = ClassifierConfig {
            architecture,
            width: 0.25,
            pool,
            dropout: 0.5,
            stochastic_depth: None,
        };
        let folder = place.path().join(format!("{pool:?}"));
        fs::create_dir(&folder).unwrap();
        saved(&folder, network, channels, size);
        files.push(folder.join("model.onnx"));
        fs::write(
            files.last().unwrap(),
            export(&folder).unwrap_or_else(|error| panic!("{pool:?}: {error:?}")),
        )
        .unwrap();

        let burn = Predictor::load(&folder, &Device::flex()).unwrap();
        let mut onnx = OnnxEngine::load(&folder, runtime, 2, Waiting::Sleeping).unwrap();
        for films in [1, 3] {
            let films: Vec<Vec<u8>> = (0..films).map(|number| film(number, size)).collect();
            let films: Vec<&[u8]> = films.iter().map(Vec::as_slice).collect();
            let (ours, theirs) = (burn.predict(&films), onnx.predict(&films).unwrap());
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours.probabilities.len(), FINDINGS.len());
                for (&our, &their) in ours.probabilities.iter().zip(&theirs.probabilities) {
                    let (our, their) = (logit(our), logit(their));
                    let difference = (our - their).abs() / our.abs().max(1.0);
                    assert!(difference < TOLERANCE, "{pool:?}: {our} and {their}");
                }
                match (&ours.mask, &theirs.mask) {
                    (Some(ours), Some(theirs)) => {
                        assert_eq!([ours.height, ours.width], [theirs.height, theirs.width]);
                        for (our, their) in ours.values.iter().zip(&theirs.values) {
                            assert!((our - their).abs() < TOLERANCE, "{our} and {their}");
                        }
                    }
                    (ours, theirs) => assert!(ours.is_none() && theirs.is_none()),
                }
            }
        }
    }
    let output = Command::new("python3").args(["-c", CHECK]).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "loading prints warnings");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.matches(" mask").count(), 1);
    let clips = match architecture {
        Architecture::Mobilenet => " 27 clips",
        Architecture::MobilenetV2 => " 35 clips",
        _ => " 0 clips",
    };
    assert_eq!(said.matches(clips).count(), 3, "{said}");
    Ok(())
}

macro_rules! all {
    ($($name:ident: $architecture:ident,)*) => {
        test_file![no_architecture_is_left_out, $($name),*];

        $(fn $name() -> Outcome {
            agree(Architecture::$architecture)
        })*

        fn no_architecture_is_left_out() {
            assert_eq!([$(Architecture::$architecture),*], Architecture::ALL);
        }
    };
}

all! {
    mobilenet: Mobilenet,
    mobilenet_v2: MobilenetV2,
    inception_v3: InceptionV3,
    inception_resnet_v2: InceptionResnetV2,
    vgg16: Vgg16,
    vgg19: Vgg19,
    nasnet_large: NasnetLarge,
    nasnet_mobile: NasnetMobile,
    resnet50: Resnet50,
    densenet121: Densenet121,
    efficientnet_b0: EfficientnetB0,
    convnext_tiny: ConvnextTiny,
    convnext_base: ConvnextBase,
}

//! One of our networks, filled by the formula, and its results.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use roentgen_models::pretrained::{ClassifierPart, WeightFile, fit, list_wanted};
use roentgen_models::{Architecture, Classifier, ClassifierConfig, Pool, weights};
use safetensors::tensor::{Dtype, TensorView};

use crate::{Mode, formula};

pub(crate) const FINDINGS: usize = 14;

pub(crate) struct Network {
    pub(crate) architecture: Architecture,
    pub(crate) model: Classifier,
}

/// Results of one pass.
pub(crate) struct Found {
    pub(crate) shape: [usize; 4],
    pub(crate) features: Vec<f32>,
    pub(crate) logits: Vec<f32>,
    pub(crate) loss: f64,
}

impl Network {
    /// Creates the network and loads a file with the formula's values under published names.
    pub(crate) fn filled(architecture: Architecture) -> Self {
        let new = zeros(&config(architecture), 3, &Device::flex().autodiff());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("formula.safetensors");
        write(&path, filled(tensors(architecture)));

        let file = WeightFile::open(&path).unwrap();
        let (model, fitted) = fit(new, architecture, ClassifierPart::Whole, &file).unwrap();
        assert_eq!(fitted.left, Vec::<String>::new());
        Self { architecture, model }
    }

    /// Runs films through the network in single precision. Training changes the running statistics
    /// of all clones, so inference comes first.
    pub(crate) fn run(&self, shape: [usize; 4], mode: Mode) -> Found {
        let device = Device::flex().autodiff();
        let films = films(shape, &device);
        let (model, films) = match mode {
            Mode::Inference => (self.model.valid(), films.inner()),
            Mode::Training => (self.model.clone(), films),
        };
        let logits = model.forward(films.clone());
        let features = model.features(films.clone());
        Found {
            shape: features.dims(),
            features: features.into_data().try_to_vec().unwrap(),
            loss: f64::from(loss(logits.clone()).into_scalar::<f32>()),
            logits: logits.into_data().try_to_vec().unwrap(),
        }
    }

    /// Returns the gradients of the loss in training mode by published names, in double precision.
    pub(crate) fn gradients(&self, shape: [usize; 4]) -> BTreeMap<String, Vec<f32>> {
        let films = films(shape, &Device::flex().autodiff());
        let model = self.copy().map(&mut Double);
        let loss = loss(model.forward(films.cast(DType::F64)));
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let mut by_path = ByPath { path: Vec::new(), gradients, found: HashMap::new() };
        model.visit(&mut by_path);
        let mut gradients = BTreeMap::new();
        for (path, name, _) in names(self.architecture, &self.model) {
            if let Some(gradient) = by_path.found.remove(&path) {
                gradients.insert(name, gradient);
            }
        }
        gradients
    }

    /// Copies the network; clones would share their running statistics.
    fn copy(&self) -> Classifier {
        let new = zeros(&config(self.architecture), 3, &Device::flex().autodiff());
        weights::load(new, weights::to_bytes(&self.model).unwrap().to_vec()).unwrap()
    }
}

pub(crate) fn config(architecture: Architecture) -> ClassifierConfig {
    ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: Some(0.0),
    }
}

/// Returns a network whose weights are zero: random ones, which a file replaces anyway, take longer
/// to draw than the rest of the test.
pub(crate) fn zeros(config: &ClassifierConfig, channels: usize, device: &Device) -> Classifier {
    config.init(channels, FINDINGS, device).map(&mut Zeros)
}

/// Replaces weights that were not drawn yet by zeros.
struct Zeros;

impl ModuleMapper for Zeros {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let device = param.lazy_device();
        let zeros = Tensor::zeros(param.lazy_shape(), &device);
        Param::initialized(param.id, zeros.set_require_grad(device.is_autodiff()))
    }
}

/// Returns the formula's films.
pub(crate) fn films(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(formula::tensor("films", &shape), shape), device)
}

/// Converts all weights to double precision.
struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let double = Tensor::from_inner(param.val().inner().cast(DType::F64));
        Param::initialized(param.id, double.require_grad())
    }
}

/// Returns the mean binary cross-entropy with the formula's targets.
fn loss(logits: Tensor<2>) -> Tensor<1> {
    let [batch, findings] = logits.dims();
    let targets: Vec<f32> = formula::noise("targets", batch * findings)
        .iter()
        .map(|&u| if u > 0.0 { 1.0 } else { 0.0 })
        .collect();
    let targets = TensorData::new(targets, [batch, findings]);
    let targets = Tensor::<2>::from_data(targets, &logits.device()).cast(logits.dtype());
    let positive = burn::tensor::activation::softplus(logits.clone(), 1.0);
    (positive - logits * targets).mean()
}

/// Returns the published name and PyTorch's shape of every tensor of backbone and head.
pub(crate) fn tensors(architecture: Architecture) -> Vec<(String, Vec<usize>)> {
    let network = config(architecture).init(3, FINDINGS, &Device::flex());
    let backbone = names(architecture, &network).into_iter();
    let mut tensors: Vec<_> = backbone.map(|(_, name, shape)| (name, shape)).collect();
    let features = config(architecture).features();
    tensors.push(("head.weight".into(), vec![FINDINGS, features]));
    tensors.push(("head.bias".into(), vec![FINDINGS]));
    tensors
}

/// Returns path, published name and shape of each tensor of the backbone, without drawing random
/// weights.
fn names(architecture: Architecture, model: &Classifier) -> Vec<(String, String, Vec<usize>)> {
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    let shapes = shapes.found.iter().map(|(path, shape)| (path.as_str(), shape.clone()));
    list_wanted(architecture, shapes).into_iter().map(|w| (w.path, w.name, w.shape)).collect()
}

/// Collects the shapes of parameters by path.
#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: Vec<(String, Vec<usize>)>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((self.path.join("."), param.lazy_shape().to_vec()));
    }
}

/// Returns the formula's values for tensors.
pub(crate) fn filled(tensors: Vec<(String, Vec<usize>)>) -> Vec<Filled> {
    let filled = |(name, shape): (String, Vec<usize>)| {
        let values = formula::tensor(&name, &shape);
        (name, values, shape)
    };
    tensors.into_iter().map(filled).collect()
}

/// Name, values and shape of a tensor.
pub(crate) type Filled = (String, Vec<f32>, Vec<usize>);

pub(crate) fn write(path: &std::path::Path, tensors: Vec<Filled>) {
    let tensors = tensors.into_iter();
    let tensors: Vec<_> =
        tensors.map(|(name, values, shape)| (name, TensorData::new(values, shape))).collect();
    let views = tensors.iter().map(|(name, data)| {
        (name, TensorView::new(Dtype::F32, data.shape().to_vec(), data.as_bytes()).unwrap())
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Collects gradients by the path of their parameter.
struct ByPath {
    path: Vec<String>,
    gradients: GradientsParams,
    found: HashMap<String, Vec<f32>>,
}

impl ModuleVisitor for ByPath {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let values = gradient.into_data().convert::<f32>().try_to_vec().unwrap();
            self.found.insert(self.path.join("."), values);
        }
    }
}

//! Loads published weights into a network, and reports the source of every tensor.
//!
//! No tensor of a backbone silently keeps its random value: if a tensor is missing in the file or
//! has another shape, the whole file is refused.

use std::collections::{HashMap, HashSet};

use burn::tensor::{Bytes, DType};
use burn_pack::{Reader, Writer};
use roentgen_data::files::WriteError;

use super::copies::Known;
use super::read::read;
use super::{FileError, Outputs, WeightFile, head};
use crate::classifier::{self, Classifier};
use crate::weights;
use crate::zoo::Architecture;

/// Result of loading weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Each tensor of the backbone and its source.
    pub found: Vec<Found>,
    /// Tensors of the file that were not used: a classifier, counters.
    pub left: Vec<String>,
    /// Whether the first convolution was summed over the color channels.
    pub is_gray: bool,
    /// What stands in the file before the names of the backbone, such as `module.`.
    pub prefix: String,
    /// The same of other copies of the backbone.
    pub(super) others: Vec<String>,
}

impl Fit {
    /// Records the tensors of the file that were not used.
    pub(super) fn leave(&mut self, file: &WeightFile) {
        let used: HashSet<_> = self.found.iter().map(|found| found.source.as_str()).collect();
        let left = file.shapes().map(|(name, _)| name).filter(|name| !used.contains(name));
        self.left = left.map(Into::into).collect();
    }
}

/// A tensor and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path in our network.
    pub path: String,
    /// Its name in the file, or the value it was set to.
    pub source: String,
    /// Its shape in our network.
    pub shape: Vec<usize>,
}

/// Why weights do not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file belongs to another network.
    #[error(
        "`{path}` does not contain the weights of {architecture}: {missing} of its {all} tensors are \
         missing, such as `{example}`; the first tensor of the file is `{begins}`"
    )]
    Missing {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// Number of missing tensors.
        missing: usize,
        /// Number of tensors that the backbone has.
        all: usize,
        /// The first missing tensor.
        example: String,
        /// The file's first tensor.
        begins: String,
    },
    /// The file has several copies of the network.
    #[error(
        "`{path}` contains several copies of {architecture}, whose names begin with {known}; \
         choose one: `--prefix` of `weights import`, `model.weights_prefix` of an experiment"
    )]
    Copies {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// The prefix of each copy.
        known: Known,
    },
    /// The file has no copy of the network with the chosen prefix.
    #[error(
        "`{path}` contains no copy of {architecture} whose names begin with `{prefix}`; those of \
         its copies begin with {known}"
    )]
    Prefix {
        /// The file.
        path: String,
        /// The requested architecture.
        architecture: &'static str,
        /// The chosen prefix.
        prefix: String,
        /// The prefix of each copy.
        known: Known,
    },
    /// A tensor has another shape.
    #[error(
        "`{name}` in `{path}` has the shape {there:?}, but {architecture} has {here:?}; \
         published weights fit `width = 1` and films of 1 or 3 channels"
    )]
    Shape {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// The requested architecture.
        architecture: &'static str,
        /// Its shape in the file.
        there: Vec<usize>,
        /// Its shape in the network.
        here: Vec<usize>,
    },
    /// No single layer of the file can be the head.
    #[error(
        "`{path}` has {found} dense layers from {features} features to {outputs} outputs, but \
         there must be exactly one: {layers}"
    )]
    Head {
        /// The file.
        path: String,
        /// Number of layers with that shape.
        found: usize,
        /// Number of features of the backbone.
        features: usize,
        /// Number of requested outputs.
        outputs: usize,
        /// The dense layers that the file has, and what to do.
        layers: String,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] classifier::Error),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The network could not be packed.
    #[error("could not load the weights of `{path}` into the network")]
    Weights {
        /// The file.
        path: String,
        /// The cause.
        source: weights::Error,
    },
}

/// The part of a classifier that takes the weights of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The backbone; the head does not change.
    Backbone,
    /// The backbone, and the one dense layer of a plain linear head.
    Whole,
    /// The same, but only those outputs of the layer that are findings.
    Outputs(&'a Outputs),
}

/// Loads the weights of a file into a classifier.
///
/// # Errors
///
/// Returns an error if a tensor is missing in the file or has another shape.
pub fn fit(
    model: Classifier,
    architecture: Architecture,
    part: Part<'_>,
    file: &WeightFile,
) -> Result<(Classifier, Fit), FitError> {
    let path = file.path.display().to_string();
    let broken = |source: weights::Error| FitError::Weights { path: path.clone(), source };
    let packed = weights::to_bytes(&model).map_err(broken)?;
    let mut tensors = Reader::from_bytes(packed)
        .and_then(Reader::into_tensors)
        .map_err(|error| broken(error.into()))?;
    let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
    let (mut fit, mut filled) = (Fit::default(), HashMap::new());
    for (wanted, values) in read(architecture, file, shapes, &mut fit)? {
        filled.insert(wanted.path, values);
    }
    let [features, findings] = head::size(&tensors);
    let outputs = match part {
        Part::Backbone => None,
        Part::Whole => Some(((0..findings).collect(), findings)),
        Part::Outputs(outputs) => Some((outputs.positions(), outputs.len())),
    };
    if let Some((positions, outputs)) = outputs {
        for (found, values) in head::find(file, features, &positions, outputs, &fit)? {
            filled.insert(found.path.clone(), values);
            fit.found.push(found);
        }
    }
    fit.leave(file);

    for tensor in &mut tensors {
        if let Some(values) = filled.remove(&tensor.name) {
            let (name, shape) = (tensor.name.clone(), tensor.shape.clone());
            let bytes = Bytes::from_elems(values);
            *tensor = burn_pack::Tensor::new(name, DType::F32, shape, tensor.param_id, bytes);
        }
    }
    let packed = Writer::new(tensors).into_bytes().map_err(|error| broken(error.into()))?;
    let model = weights::load(model, packed.to_vec()).map_err(broken)?;
    Ok((model, fit))
}

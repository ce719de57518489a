//! Puts published weights into a network, and tells tensor by tensor where they came from.
//!
//! Nothing of a backbone stays at its random value in silence: a tensor that the file lacks, or has
//! in another shape, refuses the whole file.

use std::collections::{HashMap, HashSet};

use burn::tensor::{Bytes, DType};
use burn_pack::{Reader, Writer};
use roentgen_data::files::WriteError;

use super::read::read;
use super::{FileError, WeightFile, head};
use crate::classifier::Classifier;
use crate::weights;
use crate::zoo::Architecture;

/// What was found where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fit {
    /// Each tensor of the backbone and where it came from.
    pub found: Vec<Found>,
    /// Tensors of the file that were not used: a classifier, counters.
    pub left: Vec<String>,
    /// Whether the first convolution was summed over the channels of colour.
    pub is_gray: bool,
}

impl Fit {
    /// Notes which tensors of the file were not used.
    pub(super) fn leave(&mut self, file: &WeightFile) {
        let used: HashSet<_> = self.found.iter().map(|found| found.source.as_str()).collect();
        let left = file.shapes().map(|(name, _)| name).filter(|name| !used.contains(name));
        self.left = left.map(Into::into).collect();
    }
}

/// A tensor and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path in our network.
    pub path: String,
    /// Its name in the file, or what it was set to.
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
    /// A file of another network.
    #[error(
        "`{path}` does not hold the weights of {architecture}: {missing} of its {all} tensors are not there, \
         such as `{example}`; the file begins with `{begins}`"
    )]
    Missing {
        /// The file.
        path: String,
        /// What was asked for.
        architecture: &'static str,
        /// Tensors that are missing.
        missing: usize,
        /// Tensors that the backbone has.
        all: usize,
        /// The first of the missing.
        example: String,
        /// The file's first tensor.
        begins: String,
    },
    /// A tensor of another shape.
    #[error(
        "`{name}` in `{path}` has the shape {there:?} where {architecture} has {here:?}; \
         published weights fit `width = 1` and films of 1 or 3 channels"
    )]
    Shape {
        /// The file.
        path: String,
        /// The tensor.
        name: String,
        /// What was asked for.
        architecture: &'static str,
        /// Its shape in the file.
        there: Vec<usize>,
        /// Its shape in the network.
        here: Vec<usize>,
    },
    /// No classifier that could be the head.
    #[error(
        "`{path}` has {found} dense layers from {channels} features to {findings} findings, where one is \
         needed: give the findings that its classifier has, or take its backbone alone"
    )]
    Head {
        /// The file.
        path: String,
        /// Layers of that shape.
        found: usize,
        /// Features of the backbone.
        channels: usize,
        /// Findings asked for.
        findings: usize,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The network could not be packed.
    #[error("could not put the weights of `{path}` into the network")]
    Weights {
        /// The file.
        path: String,
        /// The cause.
        source: weights::Error,
    },
}

/// Which part of a classifier takes a file's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The backbone; the head stays as it is.
    Backbone,
    /// The backbone, and the one dense layer of a plain linear head.
    Whole,
}

/// Puts a file's weights into a classifier.
///
/// # Errors
///
/// A file that lacks a tensor or has it in another shape.
pub fn fit(
    model: Classifier,
    architecture: Architecture,
    part: Part,
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
    if part == Part::Whole {
        for (found, values) in head::find(file, &tensors, &fit)? {
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

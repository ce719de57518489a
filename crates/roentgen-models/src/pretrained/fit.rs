//! Loads published weights into a network, and reports the source of every tensor.
//!
//! No tensor of a backbone silently keeps its random value: if a tensor is missing in the file or
//! has another shape, the whole file is refused.

use std::collections::HashMap;

use burn::tensor::{Bytes, DType};
use burn_pack::{Reader, Writer};

use super::read::read;
use super::{FitError, FitReport, Outputs, WeightFile, head};
use crate::classifier::Classifier;
use crate::weights;
use crate::zoo::Architecture;

/// The part of a classifier that takes the weights of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassifierPart<'a> {
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
/// Returns an error if a tensor is missing in the file or has another shape, or if the file is of a
/// larger network.
pub fn fit(
    model: Classifier,
    architecture: Architecture,
    part: ClassifierPart<'_>,
    file: &WeightFile,
) -> Result<(Classifier, FitReport), FitError> {
    let path = file.path.display().to_string();
    let broken = |source: weights::Error| FitError::Weights { path: path.clone(), source };
    let packed = weights::to_bytes(&model).map_err(broken)?;
    let mut tensors = Reader::from_bytes(packed)
        .and_then(Reader::into_tensors)
        .map_err(|error| broken(error.into()))?;
    let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
    let (mut fit, mut filled) = (FitReport::default(), HashMap::new());
    for (wanted, values) in read(architecture, file, shapes, &mut fit)? {
        filled.insert(wanted.path, values);
    }
    if let deeper @ [first, ..] = fit.deeper_convolutions(file).as_slice() {
        let architecture = architecture.name();
        return Err(FitError::Larger {
            path,
            architecture,
            more: deeper.len(),
            example: (*first).into(),
        });
    }
    let [features, findings] = head::size(&tensors);
    let outputs = match part {
        ClassifierPart::Backbone => None,
        ClassifierPart::Whole => Some(((0..findings).collect(), findings)),
        ClassifierPart::Outputs(outputs) => Some((outputs.positions(), outputs.len())),
    };
    if let Some((positions, outputs)) = outputs {
        for (found, values) in head::find(file, features, &positions, outputs, &fit)? {
            filled.insert(found.path.clone(), values);
            fit.found.push(found);
        }
    }
    fit.record_unused(file);

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

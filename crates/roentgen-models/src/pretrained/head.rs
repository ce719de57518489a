//! The dense layer after a published backbone: for example, a CheXNet's.
//!
//! Every re-implementation names it differently (`classifier`, `classifier.0`, `fc`), so it is
//! found by its shape, outputs times features, and there must be exactly one such layer that does
//! not belong to another copy of the backbone. A layer without bias has a bias of zero.

use super::{FitError, FitReport, FoundTensor, WeightFile};

/// Weight and bias of the head in our network.
const WEIGHT: &str = "head.logits.weight";
const BIAS: &str = "head.logits.bias";

/// A dense layer of a file.
struct Layer {
    weight: String,
    bias: Option<String>,
    outputs: usize,
}

/// Returns the number of features and of findings of the head of our network.
pub(super) fn size(tensors: &[burn_pack::Tensor]) -> [usize; 2] {
    let weight = tensors.iter().find(|tensor| tensor.name == WEIGHT);
    weight.and_then(|weight| weight.shape.to_vec().try_into().ok()).unwrap_or_default()
}

/// Returns the values for the head of our network, whose weight is `[features, findings]` while
/// PyTorch's is `[outputs, features]`; `positions` are the outputs of the findings, of `outputs`
/// in all.
///
/// # Errors
///
/// Returns an error if the file has no layer of that shape, or several.
pub(super) fn find(
    file: &WeightFile,
    features: usize,
    positions: &[usize],
    outputs: usize,
    fit: &FitReport,
) -> Result<Vec<(FoundTensor, Vec<f32>)>, FitError> {
    let layers = layers(file, features, fit);
    let of_size: Vec<_> = layers.iter().filter(|layer| layer.outputs == outputs).collect();
    let with_bias = of_size.iter().filter(|layer| layer.bias.is_some()).count();
    let chosen: Vec<_> =
        of_size.into_iter().filter(|layer| layer.bias.is_some() || with_bias == 0).collect();
    let [layer] = chosen.as_slice() else {
        return Err(FitError::Head {
            path: file.path.display().to_string(),
            found: chosen.len(),
            features,
            outputs,
            layers: list_layers(&layers, features, fit),
        });
    };
    let rows = file.values(&layer.weight)?;
    let findings = positions.len();
    let turned = (0..features * findings)
        .map(|at| rows[positions[at % findings] * features + at / findings])
        .collect();
    let bias = match &layer.bias {
        Some(bias) => file.values(bias)?,
        None => vec![0.0; outputs],
    };
    let bias = positions.iter().map(|&position| bias[position]).collect();
    let found = |path: &str, source: &str, shape| FoundTensor {
        path: path.to_owned(),
        source: source.to_owned(),
        shape,
    };
    let source = layer.bias.as_deref().unwrap_or("0 throughout");
    Ok(vec![
        (found(WEIGHT, &layer.weight, vec![features, findings]), turned),
        (found(BIAS, source, vec![findings]), bias),
    ])
}

/// Lists the dense layers of a file that may be the head of its backbone.
fn layers(file: &WeightFile, features: usize, fit: &FitReport) -> Vec<Layer> {
    let is_free =
        |name: &str| fit.found.iter().all(|found| found.source != name) && is_of_copy(name, fit);
    file.shapes()
        .filter_map(|(name, shape)| match *shape {
            [outputs, inputs] if inputs == features && is_free(name) => {
                let bias = format!("{}bias", name.strip_suffix("weight")?);
                let bias = (file.shape(&bias) == Some(&[outputs])).then_some(bias);
                Some(Layer { weight: name.to_owned(), bias, outputs })
            }
            _ => None,
        })
        .collect()
}

/// Describes the layers for people.
fn list_layers(layers: &[Layer], features: usize, fit: &FitReport) -> String {
    if layers.is_empty() && !fit.others.is_empty() {
        return format!(
            "the copy with the prefix `{}` has no dense layer of {features} features; choose another copy, \
             or use only its backbone",
            fit.prefix
        );
    }
    if layers.is_empty() {
        return format!("it has no dense layer of {features} features; use only its backbone");
    }
    let one = |layer: &Layer| format!("`{}` has {} outputs", layer.weight, layer.outputs);
    let listed: Vec<_> = layers.iter().map(one).collect();
    format!(
        "{}; name each output in order, and write `-` for an output that is not a finding",
        listed.join(", ")
    )
}

/// Whether a layer may belong to the chosen copy of the backbone: no other copy shares more of the
/// names of modules with it.
fn is_of_copy(layer: &str, fit: &FitReport) -> bool {
    let shared = |prefix: &str| {
        let pairs = layer.split('.').zip(prefix.split('.'));
        pairs.take_while(|(a, b)| a == b).count()
    };
    fit.others.iter().all(|other| shared(other) <= shared(&fit.prefix))
}

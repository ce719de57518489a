//! The dense layer after a published backbone: for example, a CheXNet's.
//!
//! Every re-implementation names it differently (`classifier`, `classifier.0`, `fc`), so it is
//! found by its shape, findings times features, and there must be exactly one such layer that does
//! not belong to another copy of the backbone.

use super::fit::{FitError, Found};
use super::{Fit, WeightFile};

/// Weight and bias of the head in our network.
const WEIGHT: &str = "head.logits.weight";
const BIAS: &str = "head.logits.bias";

/// Returns the values for the head of our network, whose weight is `[features, findings]` while
/// PyTorch's is `[findings, features]`.
///
/// # Errors
///
/// Returns an error if the file has no layer of that shape, or several.
pub(super) fn find(
    file: &WeightFile,
    tensors: &[burn_pack::Tensor],
    fit: &Fit,
) -> Result<[(Found, Vec<f32>); 2], FitError> {
    let shape = tensors.iter().find(|tensor| tensor.name == WEIGHT).map(|t| t.shape.to_vec());
    let shape = shape.unwrap_or_default();
    let (channels, findings) =
        (shape.first().copied().unwrap_or(0), shape.last().copied().unwrap_or(0));
    let is_free =
        |name: &str| fit.found.iter().all(|found| found.source != name) && is_of_copy(name, fit);
    let layers: Vec<_> = file
        .shapes()
        .filter(|(name, shape)| *shape == [findings, channels] && is_free(name))
        .filter_map(|(name, _)| {
            let bias = format!("{}bias", name.strip_suffix("weight")?);
            (file.shape(&bias)? == [findings]).then(|| (name.to_owned(), bias))
        })
        .collect();
    let [(weight, bias)] = layers.as_slice() else {
        let path = file.path.display().to_string();
        return Err(FitError::Head { path, found: layers.len(), channels, findings });
    };
    let rows = file.values(weight)?;
    let turned =
        (0..channels * findings).map(|at| rows[at % findings * channels + at / findings]).collect();
    let found = |path: &str, source: &str, shape| Found {
        path: path.to_owned(),
        source: source.to_owned(),
        shape,
    };
    Ok([
        (found(WEIGHT, weight, vec![channels, findings]), turned),
        (found(BIAS, bias, vec![findings]), file.values(bias)?),
    ])
}

/// Whether a layer may belong to the chosen copy of the backbone: no other copy shares more of the
/// names of modules with it.
fn is_of_copy(layer: &str, fit: &Fit) -> bool {
    let shared = |prefix: &str| {
        let pairs = layer.split('.').zip(prefix.split('.'));
        pairs.take_while(|(a, b)| a == b).count()
    };
    fit.others.iter().all(|other| shared(other) <= shared(&fit.prefix))
}

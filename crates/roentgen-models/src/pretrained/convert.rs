//! Converts a backbone's published weights, whatever their spelling, to one safetensors file in the
//! newest spelling.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use burn_pack::Reader;
use roentgen_data::files;
use safetensors::tensor::{Dtype, TensorView};

use super::read::read;
use super::{FileError, FitError, FitReport, WeightFile};
use crate::classifier::ClassifierConfig;
use crate::weights;
use crate::zoo::{Architecture, Pool};

/// Writes the backbone in `file` to `to`, completely or not at all, with `facts` in its header.
///
/// # Errors
///
/// Returns an error if the file lacks a tensor of the backbone or has it in another shape, or if it
/// cannot be read or written.
pub fn convert(
    architecture: Architecture,
    file: &WeightFile,
    to: &Path,
    facts: HashMap<String, String>,
) -> Result<FitReport, FitError> {
    let broken = |source: weights::Error| FitError::Weights {
        path: file.path.display().to_string(),
        source,
    };
    let config = ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let with_channels = |channels| {
        let bytes =
            weights::to_bytes(&config.init(channels, 1, &Device::flex())).map_err(broken)?;
        let tensors = Reader::from_bytes(bytes).and_then(Reader::into_tensors);
        let tensors = tensors.map_err(|error| broken(error.into()))?;
        let shapes = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.to_vec()));
        let mut fit = FitReport::default();
        let read = read(architecture, file, shapes, &mut fit)?;
        fit.record_unused(file);
        Ok((read, fit))
    };
    // A network for gray films, such as one from a run, remains one.
    let (read, fit) = match with_channels(3) {
        Err(FitError::Shape { there, .. }) if there.get(1) == Some(&1) => with_channels(1)?,
        result => result?,
    };
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = read
        .into_iter()
        .map(|(wanted, values)| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            (wanted.name, wanted.shape, bytes)
        })
        .collect();
    let unpacked = |source| FileError::Safetensors { path: to.to_owned(), source };
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<_, _>>()
        .map_err(unpacked)?;
    let bytes = safetensors::serialize(views, Some(facts)).map_err(unpacked)?;
    files::write_whole(to, &bytes)?;
    Ok(fit)
}

//! Exports a model directory to the bytes of an ONNX file.
//!
//! Burn's exporter runs the network once on a device that records the operations. Tensors of the
//! network stay bound to that device: the exporter corrupts the running statistics of batch norms
//! in the model it is given and in all its clones. [`export`] therefore takes a folder and loads
//! the model for itself alone.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use burn_onnx::export::{AxisSpec, ExportError, InputSpec, OnnxExporter, OnnxModel};
use onnx_ir::{GraphProto, Message as _, ModelProto};
use roentgen_models::model_dir::{self, Model};
use roentgen_models::{Classifier, ModelInfo};

use crate::{erf, metadata, relu6, unused};

/// Name of the input, `[batch, channels, size, size]`, which is already normalized.
pub const IMAGE: &str = "image";
/// Name of the first output, `[batch, findings]`.
pub const LOGITS: &str = "logits";
/// Name of the second output of a model with attention, `[batch, 1, height, width]` in 0..1.
pub const MASK: &str = "mask";

/// Why a model could not be exported to ONNX.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model could not be loaded.
    #[error(transparent)]
    Model(#[from] model_dir::Error),
    /// The exporter does not support an operation of the network.
    #[error("could not write the {architecture} as ONNX")]
    Export {
        /// The backbone.
        architecture: &'static str,
        /// The cause.
        source: ExportError,
    },
    /// The exported file does not have the expected form.
    #[error("the exporter wrote an unusable file: {0}")]
    Written(String),
}

/// Exports the model in `folder` to ONNX, operator set 18, with any number of films in a batch.
///
/// # Errors
///
/// Returns an error if the model cannot be loaded, or has an operation that cannot be exported.
pub fn export(folder: &Path) -> Result<Vec<u8>, Error> {
    export_model(model_dir::load(folder, &Device::flex())?)
}

/// Exports a loaded model; the exporter corrupts its batch norms.
pub(crate) fn export_model(model: Model) -> Result<Vec<u8>, Error> {
    let Model { description, identity, network: model } = model;
    let exported = capture(&description, &model).map_err(|source| Error::Export {
        architecture: description.network.architecture.name(),
        source,
    })?;
    let mut message = ModelProto::parse_from_bytes(exported.as_bytes())
        .map_err(|error| Error::Written(error.to_string()))?;
    let graph =
        message.graph.as_mut().ok_or_else(|| Error::Written("it has no graph".to_owned()))?;
    name_boundaries(graph, model.has_attention())?;
    erf::restore(graph);
    relu6::fuse(graph);
    unused::remove(graph);
    graph.name = description.network.architecture.name().to_owned();
    message.producer_name = "roentgen".to_owned();
    message.producer_version = env!("CARGO_PKG_VERSION").to_owned();
    for (key, value) in metadata::pairs(&description, &identity) {
        message.metadata_props.push(Default::default());
        if let Some(entry) = message.metadata_props.last_mut() {
            entry.key = key.to_owned();
            entry.value = value;
        }
    }
    message.write_to_bytes().map_err(|error| Error::Written(error.to_string()))
}

fn capture(description: &ModelInfo, model: &Classifier) -> Result<OnnxModel, ExportError> {
    let input = description.input;
    let films = |batch| {
        Tensor::<4>::zeros([batch, input.channels, input.size, input.size], &Device::flex())
    };
    let mut axes = vec![AxisSpec::dynamic("batch")];
    axes.resize_with(4, || AxisSpec::Static);
    let specs = [InputSpec::new(axes)];
    let exporter = OnnxExporter::new();
    if model.has_attention() {
        exporter.export_dynamic(model, films(2), films(3), &specs, |model, films| {
            let (logits, mask) = model.forward_with_mask(films);
            (logits, Vec::from_iter(mask))
        })
    } else {
        exporter.export_dynamic(model, films(2), films(3), &specs, Classifier::forward)
    }
}

/// Gives the input and the outputs readable names; the exporter's differ each time.
fn name_boundaries(graph: &mut GraphProto, has_mask: bool) -> Result<(), Error> {
    let outputs: &[&str] = if has_mask { &[LOGITS, MASK] } else { &[LOGITS] };
    if graph.input.len() != 1 || graph.output.len() != outputs.len() {
        let (inputs, outputs) = (graph.input.len(), graph.output.len());
        return Err(Error::Written(format!("it has {inputs} inputs and {outputs} outputs")));
    }
    let mut names = vec![(graph.input[0].name.clone(), IMAGE)];
    for (output, name) in graph.output.iter().zip(outputs) {
        names.push((output.name.clone(), name));
    }
    let rename = |name: &mut String| {
        if let Some((_, new)) = names.iter().find(|(old, _)| old == name) {
            *name = (*new).to_owned();
        }
    };
    let boundaries = graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info);
    boundaries.for_each(|value| rename(&mut value.name));
    for node in &mut graph.node {
        node.input.iter_mut().chain(&mut node.output).for_each(rename);
    }
    Ok(())
}

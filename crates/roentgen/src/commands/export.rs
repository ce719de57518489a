//! `export`: writes a model directory as one file that other programs can run.

use roentgen_data::files;
use roentgen_models::{ModelInfo, Pool};
use roentgen_onnx::export::{IMAGE, LOGITS, MASK, export};
use roentgen_onnx::metadata;
use serde_json::{Map, Value, json};

use crate::cli::{Export, Format};
use crate::context::Context;
use crate::output::{Output, thousands};

/// Writes the file, completely or not at all.
pub(crate) fn run(args: &Export, context: &Context) -> anyhow::Result<Output> {
    context.check_output(&args.out)?;
    let bytes = match args.format {
        Format::Onnx => export(&args.model)?,
    };
    let description = ModelInfo::read(&args.model)?;
    files::create_folder_of(&args.out)?;
    files::write_whole(&args.out, &bytes)?;
    let input = description.input;
    let outputs = match description.network.pool {
        Pool::Attention => vec![LOGITS, MASK],
        Pool::Average | Pool::Linear => vec![LOGITS],
    };
    let text = format!(
        "{IMAGE}: float32 [batch, {channels}, {size}, {size}], normalized as the metadata says\n\
         {}\n{} bytes: {}",
        outputs.join(", "),
        thousands(bytes.len()),
        args.out.display(),
        channels = input.channels,
        size = input.size,
    );
    let pairs = metadata::pairs(&description).into_iter();
    let metadata: Map<String, Value> =
        pairs.map(|(key, value)| (key.to_owned(), value.into())).collect();
    let json = json!({
        "out": args.out,
        "bytes": bytes.len(),
        "input": IMAGE,
        "shape": ["batch", input.channels, input.size, input.size],
        "outputs": outputs,
        "metadata": metadata,
    });
    Ok(Output::done(text, json).keep_clear_of(&args.out))
}

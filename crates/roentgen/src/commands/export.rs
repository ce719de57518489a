//! `export`: writes a model as one file, for other programs or for this one elsewhere.

use std::path::Path;

use anyhow::bail;
use roentgen_data::files;
use roentgen_models::weights::Storage;
use roentgen_models::{ModelInfo, Pool, model_dir};
use roentgen_onnx::export::{IMAGE, LOGITS, MASK, export};
use roentgen_onnx::metadata;
use roentgen_train::films::FILMS;
use roentgen_train::run_dir;
use serde_json::{Map, Value, json};

use crate::cli::{Export, Format};
use crate::context::Context;
use crate::inputs::refuse_to_replace;
use crate::output::{Output, quote, thousands};

/// Writes the file, completely or not at all.
pub(crate) fn run(args: &Export, context: &Context) -> anyhow::Result<Output> {
    context.check_output(&args.out)?;
    refuse_to_replace(&args.out, &[&args.model])?;
    let output = match args.format {
        Format::Onnx if args.weights != Storage::F32 || args.without_films => bail!(
            "`--weights` and `--without-films` are for bundles; add `--format bundle`, or leave \
             them out"
        ),
        Format::Onnx => onnx(args)?,
        Format::Bundle => bundle(args)?,
    };
    Ok(output.keep_clear_of(&args.out))
}

fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::create_folder_of(out)?;
    Ok(files::write_whole(out, bytes)?)
}

fn onnx(args: &Export) -> anyhow::Result<Output> {
    let bytes = export(&args.model)?;
    let description = ModelInfo::read(&args.model)?;
    write(&args.out, &bytes)?;
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
    let pairs = metadata::pairs(&description, &model_dir::identity(&args.model)?).into_iter();
    let metadata: Map<String, Value> =
        pairs.map(|(key, value)| (key.to_owned(), value.into())).collect();
    let json = json!({
        "format": "onnx",
        "out": args.out,
        "bytes": bytes.len(),
        "input": IMAGE,
        "shape": ["batch", input.channels, input.size, input.size],
        "outputs": outputs,
        "metadata": metadata,
    });
    Ok(Output::done(text, json))
}

fn bundle(args: &Export) -> anyhow::Result<Output> {
    // What shows which films and which experiment the model is of.
    let mut others = vec![run_dir::EXPERIMENT];
    if !args.without_films {
        others.push(FILMS);
    }
    let (identity, bytes) = model_dir::bundle(&args.model, args.weights, &others)?;
    write(&args.out, &bytes)?;
    let text = format!(
        "model {identity}, weights in {}\n{} bytes: {out}\nnext: roentgen predict {quoted} FILMS --out \
         scores.csv",
        args.weights.name(),
        thousands(bytes.len()),
        out = args.out.display(),
        quoted = quote(&args.out),
    );
    let json = json!({
        "format": "bundle",
        "out": args.out,
        "bytes": bytes.len(),
        "model": identity,
        "weights": args.weights.name(),
    });
    Ok(Output::done(text, json))
}

//! `weights import`: imports a backbone, or a whole model trained elsewhere, from a file.

use std::path::Path;

use anyhow::{Context as _, bail};
use roentgen_models::model_dir;
use roentgen_models::pretrained::{self, FitReport, Foreign, WeightFile};
use serde_json::json;

use super::keep;
use crate::cli::Import;
use crate::context::Context;
use crate::output::{Output, quote, table};

/// Imports weights and prints where each tensor came from.
pub(super) fn run(args: &Import, context: &Context) -> anyhow::Result<Output> {
    let file = WeightFile::open(&args.file)?;
    let file = match &args.prefix {
        Some(prefix) => file.with_prefix(prefix),
        None => file,
    };
    let (place, fit, next) = match &args.out {
        None => {
            let (place, fit) = keep(args.architecture, &file, "unknown")?;
            (place, fit, "next: `weights = \"imagenet\"` in an experiment's [model]".to_owned())
        }
        Some(out) => {
            let fit = model(args, &file, out, context)?;
            let next = format!("next: roentgen predict {} FILMS --out scores.csv", quote(out));
            (out.clone(), fit, next)
        }
    };
    let rows: Vec<_> = fit
        .found
        .iter()
        .map(|found| vec![found.path.clone(), found.source.clone(), format!("{:?}", found.shape)])
        .collect();
    let mut lines = vec![table(&["tensor", "from", "shape"], &rows)];
    let (counters, left): (Vec<_>, Vec<_>) =
        fit.left.iter().partition(|name| name.ends_with("num_batches_tracked"));
    if !left.is_empty() {
        let left: Vec<&str> = left.into_iter().map(String::as_str).collect();
        lines.push(format!("ignored: {}", left.join(", ")));
    }
    if !counters.is_empty() {
        lines.push(format!("ignored: {} batch counters of PyTorch's batch norms", counters.len()));
    }
    if fit.is_gray {
        lines.push(
            "the weights of the first convolution were summed over the colour channels".to_owned(),
        );
    }
    lines.push(format!(
        "{} tensors imported from {}: {}\n{next}",
        fit.found.len(),
        args.file.display(),
        place.display()
    ));
    let map: Vec<_> = fit
        .found
        .iter()
        .map(|found| json!({ "tensor": found.path, "from": found.source, "shape": found.shape }))
        .collect();
    let json = json!({
        "architecture": args.architecture.name(),
        "out": place,
        "map": map,
        "left": fit.left,
        "gray": fit.is_gray,
    });
    Ok(Output::done(lines.join("\n"), json))
}

/// Writes the model in a file: backbone and one dense layer.
fn model(
    args: &Import,
    file: &WeightFile,
    out: &Path,
    context: &Context,
) -> anyhow::Result<FitReport> {
    if out.join(model_dir::DESCRIPTION).exists() {
        bail!("`{}` already contains a model; choose another folder", out.display());
    }
    let outputs = args.findings.clone().context("`--out` needs `--findings`")?;
    let foreign = Foreign {
        architecture: args.architecture,
        outputs,
        size: args.size,
        normalize: args.normalize,
    };
    let imported = pretrained::import(file, &foreign, &context.device)?;
    roentgen_data::files::create_folder(out)?;
    model_dir::save(out, &imported.description, &imported.network)?;
    Ok(imported.fit)
}

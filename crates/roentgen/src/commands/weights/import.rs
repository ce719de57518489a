//! `weights import`: imports a backbone, or a whole model trained elsewhere, from a file.

use std::path::Path;

use anyhow::bail;
use roentgen_data::Finding;
use roentgen_data::preprocess::Input;
use roentgen_models::model_dir::{self, Description};
use roentgen_models::pretrained::{self, Fit, Part, WeightFile};
use roentgen_models::{ClassifierConfig, Pool};
use serde_json::json;

use super::keep;
use crate::cli::{Import, Named};
use crate::context::Context;
use crate::output::{Output, quoted, table};

/// Imports weights and prints where each tensor came from.
pub(super) fn run(args: &Import, context: &Context) -> anyhow::Result<Output> {
    let file = WeightFile::open(&args.file)?;
    let (place, fit, next) = match &args.out {
        None => {
            let (place, fit) = keep(args.architecture, &file, "unknown")?;
            (place, fit, "next: `weights = \"imagenet\"` in an experiment's [model]".to_owned())
        }
        Some(out) => {
            let fit = model(args, &file, out, context)?;
            let next = format!("next: roentgen predict {} FILMS --out scores.csv", quoted(out));
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
fn model(args: &Import, file: &WeightFile, out: &Path, context: &Context) -> anyhow::Result<Fit> {
    let findings = findings(&args.findings)?;
    if out.join(model_dir::DESCRIPTION).exists() {
        bail!("`{}` already contains a model; choose another folder", out.display());
    }
    let architecture = args.architecture;
    let network = ClassifierConfig {
        architecture,
        width: 1.0,
        pool: Pool::Linear,
        dropout: 0.0,
        stochastic_depth: None,
    };
    let input = Input {
        size: args.size.unwrap_or(architecture.native_size()),
        channels: 3,
        normalize: architecture.normalization(),
    };
    network.check(input.size, input.channels)?;
    let new = network.init(input.channels, findings.len(), &context.device);
    let (model, fit) = pretrained::fit(new, architecture, Part::Whole, file)?;
    let description = Description {
        imported: Some(file.origin()?),
        ..Description::new(findings, network, input)
    };
    roentgen_data::files::create_folder(out)?;
    model_dir::save(out, &description, &model)?;
    Ok(fit)
}

fn findings(named: &[Named]) -> anyhow::Result<Vec<Finding>> {
    if named == [Named::Chexnet] {
        return Ok(Finding::BY_WANG.to_vec());
    }
    let mut findings = Vec::new();
    for named in named {
        match *named {
            Named::Chexnet => {
                bail!("`--findings chexnet` means all fourteen findings; give nothing else")
            }
            Named::One(finding) if findings.contains(&finding) => {
                bail!("`--findings` names {} twice", finding.name())
            }
            Named::One(finding) => findings.push(finding),
        }
    }
    Ok(findings)
}

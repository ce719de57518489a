//! `compare`: compares finished runs, as `sweep` does with its points.

use std::path::Path;

use roentgen_data::lock::FolderLock;
use roentgen_eval::comparison::{Comparison, Criterion, Verdict};
use roentgen_tasks::compare;
use serde_json::json;

use crate::cli::Compare;
use crate::context::Context;
use crate::output::Output;

/// Compares runs and the points of sweeps.
pub(crate) fn run(args: &Compare, context: &Context) -> anyhow::Result<Output> {
    let comparison = compare::runs(
        &args.runs,
        &args.data,
        &args.title,
        args.resamples,
        &context.device,
        &context.listener(),
    )?;
    write(&comparison, &args.out)
}

/// Writes the comparison's files.
pub(crate) fn write(comparison: &Comparison, out: &Path) -> anyhow::Result<Output> {
    let _lock = FolderLock::take_for_report(out)?;
    let paths = comparison.write(out)?;
    let mut lines: Vec<String> = comparison.verdicts.iter().map(Verdict::sentence).collect();
    let page = paths.first().map_or_else(String::new, |path| path.display().to_string());
    lines.push(format!("open {page}"));
    let verdicts = comparison.verdicts.iter().map(|verdict| {
        json!({
            "by": match verdict.by {
                Criterion::Loss => "loss",
                Criterion::Auroc => "auroc",
            },
            "is_selection": verdict.is_selection,
            "best": verdict.best,
            "value": verdict.value,
            "runner_up": verdict.runner_up,
            "lead": verdict.lead,
            "lead_ci95": verdict.interval,
            "is_clear": verdict.is_clear(),
            "sentence": verdict.sentence(),
        })
    });
    let json = json!({ "files": paths, "verdicts": verdicts.collect::<Vec<_>>(), "repeats": comparison.repeats });
    Ok(Output::done(lines.join("\n"), json))
}

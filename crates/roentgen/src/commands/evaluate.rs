//! `evaluate`: computes metrics with intervals, draws plots and writes one self-contained page.

use std::path::{Path, PathBuf};

use roentgen_data::lock::FolderLock;
use roentgen_eval::report::{Compared, write_differences};
use roentgen_eval::{BootstrapOptions, Evaluation, Interval, Scores};
use roentgen_tasks::evaluate::{EvaluateRequest, remove_stale, write_report};
use serde_json::json;

use crate::cli::Evaluate;
use crate::context::Context;
use crate::output::{Output, figure, table, thousands, today};

/// Evaluates each table and compares every further table with the first.
pub(crate) fn run(args: &Evaluate, context: &Context) -> anyhow::Result<Output> {
    let options = BootstrapOptions { resamples: args.resamples, seed: args.seed };
    let tables = args.scores.iter().map(Scores::read).collect::<Result<Vec<_>, _>>()?;
    let fit = args.fit.as_ref().map(Scores::read).transpose()?;
    let folders = folders(args);
    let (mut texts, mut documents, mut compared) = (Vec::new(), Vec::new(), Vec::new());
    for (number, ((scores, path), folder)) in
        tables.iter().zip(&args.scores).zip(&folders).enumerate()
    {
        let request = EvaluateRequest {
            scores,
            path,
            model: args.model.as_deref(),
            fit: fit.as_ref(),
            prevalence: args.prevalence.iter().cloned().collect(),
            against: (number > 0).then(|| (&tables[0], args.scores[0].as_path())),
            by_protocols: args.protocols,
            localization: args.localization.as_deref(),
            date: Some(today()),
        };
        let written = write_report(&request, &options, folder, &context.listener())?;
        let mut text = text(&written.evaluation, &written.page);
        if let Some(protocols) = &written.protocols {
            text = format!("{text}\n{}", protocols.paragraph());
        }
        texts.push(text);
        documents.push(written.metrics);
        compared.extend(written.compared);
    }
    for Compared { scores, against, mean, .. } in &compared {
        texts.push(format!(
            "{scores} minus {against}: mean AUROC {} ({}, paired patient bootstrap)",
            mean.value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:+.4}")),
            interval(mean.interval)
        ));
    }
    let _lock = FolderLock::take_for_report(&args.out)?;
    let file = args.out.join("differences.csv");
    if compared.is_empty() {
        remove_stale(&file)?;
    } else {
        write_differences(&file, &compared)?;
        texts.push(format!("differences of each finding: {}", file.display()));
    }
    let document = match documents.len() {
        1 => documents.remove(0),
        _ => json!({ "tables": documents, "differences": compared }),
    };
    Ok(Output::done(texts.join("\n\n"), document))
}

/// Returns one folder per table: `--out` itself for one table, subfolders of it for several.
fn folders(args: &Evaluate) -> Vec<PathBuf> {
    if args.scores.len() == 1 {
        return vec![args.out.clone()];
    }
    let numbered = |(number, path): (usize, &PathBuf)| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        args.out.join(format!("{number}-{stem}"))
    };
    (1..).zip(&args.scores).map(numbered).collect()
}

/// Formats the metrics as a table, always with the name of the split.
pub(crate) fn text(evaluation: &Evaluation, page: &Path) -> String {
    let rows: Vec<Vec<String>> = evaluation
        .findings
        .iter()
        .map(|finding| {
            vec![
                finding.name.clone(),
                thousands(finding.positives),
                figure(finding.auroc),
                interval(finding.auroc_ci95),
                figure(finding.average_precision),
                figure(finding.brier),
            ]
        })
        .chain([vec![
            format!("mean of {}", evaluation.mean.findings),
            String::new(),
            figure(evaluation.mean.auroc),
            interval(evaluation.mean.auroc_ci95),
            figure(evaluation.mean.average_precision),
            String::new(),
        ]])
        .collect();
    let common = evaluation.patients_in_training.map_or_else(
        || "patients in common with training unknown".to_owned(),
        |count| format!("{count} patients in common with training"),
    );
    let mut lines = Vec::new();
    if evaluation.is_phantom() {
        lines.push("synthetic films drawn by phantom: test data, no real patients".to_owned());
    }
    lines.push(format!(
        "split {}: {} films of {} patients, {common}",
        evaluation.split.as_deref().unwrap_or("unknown"),
        thousands(evaluation.images),
        thousands(evaluation.patients)
    ));
    if let Some(films) = evaluation.films_in_training.filter(|&films| films > 0) {
        lines.push(format!("{} films are of the training split", thousands(films)));
    }
    if let Some(films) = evaluation.films_in_validation.filter(|&films| films > 0) {
        lines.push(format!(
            "{} films are of the validation split, which chooses the model",
            thousands(films)
        ));
    }
    lines.push(table(
        &["finding", "films", "AUROC", "95 % interval", "average precision", "Brier"],
        &rows,
    ));
    lines.push(format!(
        "binary accuracy {} (when always answering no: {})",
        figure(evaluation.binary_accuracy),
        figure(evaluation.binary_accuracy_all_negative)
    ));
    lines.push(format!("report: {}", page.display()));
    lines.join("\n")
}

fn interval(interval: Option<Interval>) -> String {
    interval
        .map_or_else(|| "n/a".to_owned(), |Interval { low, high }| format!("{low:.3} to {high:.3}"))
}

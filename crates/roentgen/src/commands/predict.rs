//! `predict`: predicts films, and writes a score table or prints the answer.

mod answer;
mod dicom;
mod watch;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::files::{create_folder_of, write_whole};
use roentgen_eval::{CalibrationMethod, Evaluation, Scores};
use roentgen_tasks::Shard;
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::predict::{self, CorrectedFilm, PredictRequest};
use roentgen_train::{overrides, run_dir};
use serde_json::json;

use super::prepare::name_bad_films;
use crate::cli::Predict;
use crate::context::Context;
use crate::inputs::refuse_to_replace;
use crate::output::{Ending, Output, figure, films, note, quote};
use crate::privacy::privacy;

/// Predicts, and writes the score table or prints the answer.
pub(crate) fn run(args: &Predict, context: &Context) -> anyhow::Result<Output> {
    let files = outputs(args);
    let inputs =
        if args.inputs.is_empty() { vec![data_set(&args.model)?] } else { args.inputs.clone() };
    let read: Vec<&Path> =
        inputs.iter().chain([&args.model]).chain(&args.onnx).map(PathBuf::as_path).collect();
    for (number, (flag, file)) in files.iter().enumerate() {
        context.check_output(file)?;
        refuse_to_replace(file, &read)?;
        if let Some((first, _)) = files[..number].iter().find(|(_, other)| other == file) {
            bail!("`{first}` and `{flag}` both name `{}`; give two files", file.display());
        }
    }
    if (args.engine == EngineChoice::Onnx || args.onnx.is_some()) && context.names_gpu {
        bail!(
            "ONNX Runtime is used on the CPU, but `--device {}` asks for another device",
            context.device_name
        );
    }
    if args.watch {
        return watch::run(args, context);
    }
    if args.shard.is_some() && args.privacy.de_identify && args.privacy.de_identify_key.is_none() {
        bail!(
            "each part would give the same patient another pseudonym; give all parts the same \
             `--de-identify-key`"
        );
    }
    let privacy = privacy(&args.privacy)?;
    if let Some(folder) = &args.dicom_out {
        dicom::make_folder(folder, &inputs)?;
    }
    let request = PredictRequest {
        model: &args.model,
        inputs: &inputs,
        split: args.split,
        batch: args.batch,
        engine: args.engine,
        precision: args.precision,
        onnx: args.onnx.as_deref(),
        operating_point: args.operating_point,
        calibration: args.calibration,
        gate: args.gate.gate(),
        privacy: &privacy,
        shard: args.shard.unwrap_or(Shard::WHOLE),
    };
    let table = predict::table(&request, &context.device, &context.listener())?;
    name_corrected_films(&table.predicted.corrected);
    name_bad_films(&table.predicted.bad, None);
    // Before the table, so that a wrong number of films leaves nothing behind.
    let picture = args
        .picture
        .as_ref()
        .map(|file| predict::picture(&table, &args.model, &context.device).map(|png| (file, png)));
    if let Some((file, bytes)) = picture.transpose()? {
        create_folder_of(file)?;
        write_whole(file, &bytes)?;
    }
    let scores = &table.scores;
    if let Some(out) = &args.out {
        create_folder_of(out)?;
        scores.write(out)?;
    }
    let objects =
        args.dicom_out.as_ref().map(|folder| dicom::write(&table, folder, args, &privacy, context));
    let objects = objects.transpose()?;
    let without = objects.iter().flat_map(|objects| &objects.bad);
    let bad: Vec<_> = table.predicted.bad.iter().chain(without).collect();
    // After the table, which may have taken hours and is right also if it cannot be evaluated.
    let auroc = match args.csv_auroc.is_some() || args.roc.is_some() {
        true => Some(predict::auroc(&table, &args.model).with_context(|| about_table(args))?),
        false => None,
    };
    if let Some(auroc) = &auroc {
        for (file, text) in [(&args.csv_auroc, &auroc.table), (&args.roc, &auroc.picture)] {
            let Some(file) = file else { continue };
            create_folder_of(file)?;
            write_whole(file, text.as_bytes())?;
        }
    }
    let ending = if bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    let mut json = json!({
        "out": args.out,
        "picture": args.picture,
        "csv_auroc": args.csv_auroc,
        "roc": args.roc,
        "auroc": auroc.as_ref().map(|auroc| auroc.evaluation.mean.auroc),
        "engine": table.engine,
        "films": scores.len(),
        "shard": args.shard.map(|shard| shard.to_string()),
        "split": scores.split(),
        "dataset": scores.dataset(),
        "model": table.model,
        "calibration": table.calibration.map(CalibrationMethod::name),
        "bad": bad,
        "corrected": table.predicted.corrected,
        "dicom": objects.as_ref().map(|objects| &objects.films),
    });
    let mut text = match &args.out {
        Some(out) => describe_written(scores, &table.engine, out, args),
        None => answer::text(&table),
    };
    if args.out.is_none() || args.picture.is_some() {
        json["predictions"] = answer::json(&table);
    }
    if let Some(file) = &args.picture {
        text.push_str(&format!("\npicture: {}", file.display()));
    }
    if let (Some(objects), Some(folder)) = (&objects, &args.dicom_out) {
        text.push_str(&format!("\n{}", dicom::describe(objects, folder)));
    }
    if let Some(auroc) = &auroc {
        text.push_str(&format!("\n{}", describe_auroc(&auroc.evaluation)));
    }
    let output = Output { text, json, ending };
    Ok(outputs(args).iter().fold(output, |output, (_, file)| output.keep_clear_of(file)))
}

/// Says what was written before the AUROC was refused.
fn about_table(args: &Predict) -> String {
    match &args.out {
        Some(out) => format!("the score table `{}` was written, without AUROC", out.display()),
        None => "the films were predicted, without AUROC".to_owned(),
    }
}

/// Returns the files that the command writes, each with its flag.
fn outputs(args: &Predict) -> Vec<(&'static str, &Path)> {
    let mut files = Vec::new();
    for (flag, file) in [
        ("--out", &args.out),
        ("--picture", &args.picture),
        ("--csv-auroc", &args.csv_auroc),
        ("--roc", &args.roc),
    ] {
        files.extend(file.as_deref().map(|file| (flag, file)));
    }
    files
}

/// Says the mean AUROC and of which split it is.
fn describe_auroc(evaluation: &Evaluation) -> String {
    let mean = &evaluation.mean;
    let value = figure(mean.auroc);
    let interval = mean.auroc_ci95.map_or_else(String::new, |ends| {
        format!(" ({} to {})", figure(Some(ends.low)), figure(Some(ends.high)))
    });
    let split = evaluation.split.as_deref().filter(|split| !split.is_empty());
    format!("mean AUROC {value}{interval}, {}", split.unwrap_or("split not recorded"))
}

/// Names the films that were turned or inverted before they were predicted.
pub(crate) fn name_corrected_films(films: &[CorrectedFilm]) {
    for film in films {
        note(&format!("corrected {}: it was {}", film.image, film.was));
    }
}

/// Returns the data set of the run in a folder.
pub(super) fn data_set(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join(run_dir::EXPERIMENT);
    if !path.is_file() {
        bail!(
            "`{}` is a model without a run, so its data set is unknown; name films or a prepared \
             data set",
            folder.display()
        );
    }
    let experiment = overrides::read(&path, &[])?;
    Ok(run_dir::data_set(folder, &experiment, &[])?)
}

/// Says which table was written.
fn describe_written(scores: &Scores, engine: &str, out: &Path, args: &Predict) -> String {
    let split = scores.split().filter(|split| !split.is_empty());
    let split = split.map_or_else(String::new, |split| format!(" ({split})"));
    let next = if args.shard.is_some() {
        "\nnext: roentgen join PARTS --out TABLE".to_owned()
    } else if args.split.is_some() {
        let model = quote(&args.model);
        format!("\nnext: roentgen evaluate {} --model {model} --out REPORT", quote(out))
    } else {
        String::new()
    };
    format!("{}{split} by {engine}: {}{next}", films(scores.len()), out.display())
}

//! `predict`: predicts films, and writes a score table or prints the answer.

mod answer;

use std::path::Path;

use anyhow::bail;
use roentgen_data::files::create_folder_of;
use roentgen_eval::Scores;
use roentgen_tasks::engine::EngineChoice;
use roentgen_tasks::predict::{self, PredictRequest};
use serde_json::json;

use super::prepare::name_bad_films;
use crate::cli::Predict;
use crate::context::Context;
use crate::output::{Ending, Output, films, quote};

/// Predicts, and writes the score table or prints the answer.
pub(crate) fn run(args: &Predict, context: &Context) -> anyhow::Result<Output> {
    args.out.as_deref().map_or(Ok(()), |out| context.check_output(out))?;
    if args.engine == EngineChoice::Onnx && context.names_gpu {
        bail!(
            "`--engine onnx` runs on the CPU, but `--device {}` asks for another device",
            context.device_name
        );
    }
    let request = PredictRequest {
        model: &args.model,
        inputs: &args.inputs,
        split: args.split,
        batch: args.batch,
        engine: args.engine,
        operating_point: args.operating_point,
    };
    let table = predict::table(&request, &context.device, &context.listener())?;
    name_bad_films(&table.bad, None);
    let scores = &table.scores;
    if let Some(out) = &args.out {
        create_folder_of(out)?;
        scores.write(out)?;
    }
    let ending = if table.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    let mut json = json!({
        "out": args.out,
        "engine": table.engine,
        "films": scores.len(),
        "split": scores.split(),
        "dataset": scores.dataset(),
        "model": table.model,
        "bad": table.bad,
    });
    let text = match &args.out {
        Some(out) => describe_written(scores, &table.engine, out, args.split.is_some()),
        None => {
            json["predictions"] = answer::json(scores);
            answer::text(scores)
        }
    };
    let output = Output { text, json, ending };
    Ok(match &args.out {
        Some(out) => output.keep_clear_of(out),
        None => output,
    })
}

/// Says which table was written.
fn describe_written(scores: &Scores, engine: &str, out: &Path, is_one_split: bool) -> String {
    let split = scores.split().filter(|split| !split.is_empty());
    let split = split.map_or_else(String::new, |split| format!(" ({split})"));
    let next = if is_one_split {
        format!("\nnext: roentgen evaluate {} --out REPORT", quote(out))
    } else {
        String::new()
    };
    format!("{}{split} by {engine}: {}{next}", films(scores.len()), out.display())
}

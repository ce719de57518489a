//! `predict`: predicts films and writes a score table.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use rayon::prelude::*;
use roentgen_data::pixels;
use roentgen_data::prepare::BadFilm;
use roentgen_eval::{Finding, Scores};
use roentgen_models::Description;
use roentgen_models::predictor::Prediction;
use serde_json::json;

use super::Context;
use super::prepare::name_bad_films;
use crate::cli::Predict;
use crate::engine::Engine;
use crate::output::{Ending, Output, thousands};
use crate::sources::{Film, Sources};

/// The predictions of a model.
pub(crate) struct Predicted {
    pub(crate) sources: Sources,
    /// The number of each film in `sources` with its prediction, without the bad films.
    pub(crate) predictions: Vec<(usize, Prediction)>,
    pub(crate) bad: Vec<BadFilm>,
}

/// Predicts and writes the score table.
pub(crate) fn run(args: &Predict, context: &Context) -> anyhow::Result<Output> {
    let description = Description::read(&args.model)?;
    let sources = Sources::open(&args.model, &description, &args.inputs, args.split)?;
    let mut engine = Engine::load(&args.model, args.engine, &sources, context)?;
    let predicted = predict(&mut engine, sources, args.batch, context)?;
    name_bad_films(&predicted.bad, None);
    if predicted.predictions.is_empty() {
        bail!("none of the {} films could be read", predicted.sources.films.len());
    }
    let scores = scores(&description, engine.identity(), &predicted)?;
    write_table(&scores, &args.out)?;
    let ending = if predicted.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    let films = predicted.predictions.len();
    Ok(Output {
        text: text(&scores, films, &engine, args),
        json: json!({
            "out": args.out,
            "engine": engine.to_string(),
            "films": films,
            "split": scores.split(),
            "dataset": scores.dataset(),
            "model": engine.identity(),
            "bad": predicted.bad,
        }),
        ending,
    })
}

/// Writes a score table and creates its folder.
pub(crate) fn write_table(scores: &Scores, out: &Path) -> anyhow::Result<()> {
    make_folder_of(out)?;
    Ok(scores.write(out)?)
}

/// Creates the folder of a file.
pub(crate) fn make_folder_of(file: &Path) -> anyhow::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not create the folder `{}`", folder.display()))?;
    }
    Ok(())
}

fn text(scores: &Scores, films: usize, engine: &Engine, args: &Predict) -> String {
    let split = scores.split().filter(|split| !split.is_empty());
    let split = split.map_or_else(String::new, |split| format!(" ({split})"));
    let out = args.out.display();
    let next = match args.split {
        Some(_) => format!("\nnext: roentgen evaluate {out} --out REPORT"),
        None => String::new(),
    };
    format!("{} films{split} by {engine}: {out}{next}", thousands(films))
}

/// Predicts all films, and decodes each batch on all cores before it passes through the network.
pub(crate) fn predict(
    engine: &mut Engine,
    sources: Sources,
    batch: usize,
    context: &Context,
) -> anyhow::Result<Predicted> {
    let size = engine.description().input.size;
    let bar = context.bars.over("predicting", sources.films.len());
    let mut predictions = Vec::with_capacity(sources.films.len());
    let mut bad = Vec::new();
    let numbers: Vec<usize> = (0..sources.films.len()).collect();
    for numbers in numbers.chunks(batch) {
        let planes: Vec<Result<Cow<'_, [u8]>, pixels::Error>> =
            numbers.par_iter().map(|&number| sources.plane(&sources.films[number], size)).collect();
        let mut good = Vec::new();
        for (&number, plane) in numbers.iter().zip(&planes) {
            match plane {
                Ok(plane) => good.push((number, plane.as_ref())),
                Err(error) => bad.push(BadFilm {
                    image: sources.films[number].image.clone(),
                    reason: error.to_string(),
                }),
            }
        }
        let films: Vec<&[u8]> = good.iter().map(|(_, plane)| *plane).collect();
        let predicted = engine.predict(&films)?;
        predictions.extend(good.iter().map(|(number, _)| *number).zip(predicted));
        bar.inc(numbers.len() as u64);
    }
    bar.finish_and_clear();
    Ok(Predicted { sources, predictions, bad })
}

fn scores(
    description: &Description,
    identity: &str,
    predicted: &Predicted,
) -> anyhow::Result<Scores> {
    let films: Vec<&Film> =
        predicted.predictions.iter().map(|(number, _)| &predicted.sources.films[*number]).collect();
    let findings = description.findings.iter().enumerate().map(|(output, &finding)| {
        let probabilities: Vec<f32> =
            predicted.predictions.iter().map(|(_, film)| film.probabilities[output]).collect();
        let truths =
            films.iter().map(|film| film.truth.map(|shown| shown.contains(finding))).collect();
        Finding::from_f32(finding.name(), &probabilities, truths)
    });
    let column = |cell: &dyn Fn(&Film) -> String| films.iter().map(|film| cell(film)).collect();
    let scores = Scores::new(
        column(&|film| film.image.clone()),
        column(&|film| film.patient.clone()),
        findings.collect(),
    )?;
    let in_training = |film: &Film| {
        film.patient_in_training.map_or_else(String::new, |is| u8::from(is).to_string())
    };
    Ok(scores
        .with_column("view", column(&|film| film.view.clone()))?
        .with_column("age", column(&|film| film.age.clone()))?
        .with_column("sex", column(&|film| film.sex.clone()))?
        .with_column("source", column(&|film| film.source.clone()))?
        .with_column("dataset", column(&|film| film.dataset.clone()))?
        .with_column("split", column(&|film| film.split.clone()))?
        .with_column("patient_in_training", column(&|film| in_training(film)))?
        .with_column("model", column(&|_| identity.to_owned()))?
        .with_column("dataset_id", column(&|film| film.dataset_id.clone()))?)
}

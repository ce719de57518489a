//! `explain`: draws where a model with attention looked, as overlays, raw maps and one figure.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use roentgen_data::files;
use roentgen_data::pixels::{self, Plane};
use roentgen_figures::{FilmTile, films};
use roentgen_models::predictor::{Mask, Prediction};
use roentgen_models::{Description, Pool, overlay};
use serde_json::json;

use super::Context;
use super::predict::{Predicted, predict};
use super::prepare::name_bad_films;
use crate::cli::Explain;
use crate::engine::Engine;
use crate::output::{Ending, Output};
use crate::sources::{Film, Sources};

/// Films in a row of the figure, each next to its mask.
const COLUMNS: usize = 3;
/// Films in a batch.
const BATCH: usize = 16;

/// A film to draw, and the finding to draw it for.
struct Drawn<'a> {
    film: &'a Film,
    plane: Plane,
    mask: &'a Mask,
    finding: usize,
    prediction: &'a Prediction,
}

/// Draws overlays, maps and the figure.
pub(crate) fn run(args: &Explain, context: &Context) -> anyhow::Result<Output> {
    let mut engine = Engine::burn(&args.model, context)?;
    let description = engine.description().clone();
    if description.network.pool != Pool::Attention {
        bail!(
            "the model `{}` has no attention mask to draw; train one with `--set model.pool=attention`",
            args.model.display()
        );
    }
    let sources = Sources::open(&args.model, &description, &args.inputs, args.split)?;
    let predicted = predict(&mut engine, sources, BATCH, context)?;
    name_bad_films(&predicted.bad, None);
    fs::create_dir_all(&args.out)
        .with_context(|| format!("could not create the folder `{}`", args.out.display()))?;

    let size = description.input.size;
    let mut tiles = Vec::new();
    let mut documents = Vec::new();
    for (number, finding) in choose(&predicted, args.most) {
        let (film, prediction) = &predicted.predictions[number];
        let film = &predicted.sources.films[*film];
        let Some(mask) = &prediction.mask else { continue };
        let pixels = predicted.sources.plane(film, size)?.into_owned();
        let plane = Plane { width: size as u32, height: size as u32, pixels };
        let drawn = Drawn { film, plane, mask, finding, prediction };
        documents.push(drawn.write(&args.out, &description)?);
        tiles.push(drawn.tile(&description));
    }
    let figure = args.out.join("attention.svg");
    let title = "Where the model looked";
    files::write_whole(&figure, films(title, &caption(&description), &tiles, COLUMNS).as_bytes())?;
    let ending = if predicted.bad.is_empty() { Ending::Done } else { Ending::BadFilms };
    Ok(Output {
        text: format!(
            "drew {} of {} films (`--most` sets the number): {}",
            tiles.len(),
            predicted.predictions.len(),
            figure.display()
        ),
        json: json!({ "figure": figure, "films": documents, "bad": predicted.bad }),
        ending,
    })
}

fn caption(description: &Description) -> String {
    let trained = match &description.training {
        None => "trained elsewhere".to_owned(),
        Some(training) if training.dataset.starts_with("phantom") => {
            format!("trained on {} synthetic films (test data, no real patients)", training.films)
        }
        Some(training) => format!("trained on {} films of {}", training.films, training.dataset),
    };
    format!(
        "{} with attention, {trained}; next to each film its mask, brightest where the weight is \
         highest",
        description.network.architecture.name(),
    )
}

/// Chooses the most confident film of each finding in turn, then the second most confident, until
/// there are enough.
fn choose(predicted: &Predicted, most: usize) -> Vec<(usize, usize)> {
    let films = predicted.predictions.len();
    let findings = predicted.predictions.first().map_or(0, |(_, film)| film.probabilities.len());
    let mut ranked: Vec<Vec<usize>> = (0..findings)
        .map(|finding| {
            let probability = |film: usize| predicted.predictions[film].1.probabilities[finding];
            let mut order: Vec<usize> = (0..films).collect();
            order.sort_by(|&a, &b| probability(a).total_cmp(&probability(b)));
            order
        })
        .collect();
    let mut chosen = Vec::new();
    let mut taken = HashSet::new();
    while chosen.len() < most.min(films) {
        for (finding, order) in ranked.iter_mut().enumerate() {
            if chosen.len() == most.min(films) {
                break;
            }
            while let Some(film) = order.pop() {
                if taken.insert(film) {
                    chosen.push((film, finding));
                    break;
                }
            }
        }
    }
    chosen
}

impl Drawn<'_> {
    fn write(&self, out: &Path, description: &Description) -> anyhow::Result<serde_json::Value> {
        let stem =
            self.film.image.rsplit_once('.').map_or(self.film.image.as_str(), |(stem, _)| stem);
        let overlay = out.join(format!("{stem}.overlay.png"));
        let map = out.join(format!("{stem}.mask.png"));
        files::write_whole(&overlay, &self.overlay())?;
        files::write_whole(&map, &pixels::to_png(&overlay::map_alone(&self.plane, self.mask)))?;
        Ok(json!({
            "image": self.film.image,
            "finding": description.findings[self.finding],
            "probability": self.prediction.probabilities[self.finding],
            "overlay": overlay,
            "map": map,
            "mask": { "height": self.mask.height, "width": self.mask.width, "values": self.mask.values },
        }))
    }

    fn overlay(&self) -> Vec<u8> {
        let colours = overlay::overlay(&self.plane, self.mask);
        pixels::rgb_to_png(self.plane.width, self.plane.height, &colours)
    }

    fn tile(&self, description: &Description) -> FilmTile {
        let finding = description.findings[self.finding];
        let truth = self.film.truth.map_or("", |shown| {
            if shown.contains(finding) { ", label positive" } else { ", label negative" }
        });
        let probability = self.prediction.probabilities[self.finding];
        FilmTile {
            png: pixels::to_png(&self.plane),
            size: [self.plane.height, self.plane.width],
            lines: vec![
                format!("{} {probability:.3}{truth}", finding.name().replace('_', " ")),
                self.film.image.clone(),
            ],
            overlay: Some(self.overlay()),
        }
    }
}

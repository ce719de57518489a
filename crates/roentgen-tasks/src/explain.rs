//! Draws where a model with attention looked, as overlays, raw maps and one figure.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::bail;
use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::pixels::{self, Plane};
use roentgen_data::prepare::BadFilm;
use roentgen_data::split::Split;
use roentgen_figures::{FilmTile, films};
use roentgen_models::predictor::{Mask, Prediction};
use roentgen_models::{ModelInfo, Pool, overlay};
use serde::Serialize;

use crate::engine::Engine;
use crate::listener::Listener;
use crate::predict::{Predicted, predict};
use crate::sources::{SourceFilm, Sources};

/// Films in a row of the figure, each next to its mask.
const COLUMNS: usize = 3;
/// Films in a batch.
const BATCH: usize = 16;
/// Findings that the figure lists below a film.
const LISTED: usize = 3;

/// What to draw.
#[derive(Clone, Debug)]
pub struct ExplainRequest<'a> {
    /// Run directory of a model with attention.
    pub model: &'a Path,
    /// Films, folders of films, or prepared data sets.
    pub inputs: &'a [PathBuf],
    /// The split of a prepared data set; all films if there is none.
    pub split: Option<Split>,
    /// Number of films to draw.
    pub most: usize,
}

/// What was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The figure with all films.
    pub figure: PathBuf,
    /// The films, in the order of the figure.
    pub films: Vec<ExplainedFilm>,
    /// The films that could not be read.
    pub bad: Vec<BadFilm>,
    /// Number of films that were predicted.
    #[serde(skip)]
    pub predicted: usize,
}

/// A film that was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedFilm {
    /// Its name.
    pub image: String,
    /// The finding of highest probability.
    pub finding: Finding,
    /// Its probability.
    pub probability: f32,
    /// All findings, the most probable first.
    pub findings: Vec<Probability>,
    /// The picture of the film under its mask.
    pub overlay: PathBuf,
    /// The picture of the mask alone.
    pub map: PathBuf,
    /// The mask, which is one for all findings.
    pub mask: RawMask,
}

/// A finding with its probability.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Probability {
    /// The finding.
    pub finding: Finding,
    /// Its probability.
    pub probability: f32,
}

/// The values of a mask, row by row, in 0..1.
#[derive(Clone, Debug, Serialize)]
pub struct RawMask {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// The values, `[height, width]`.
    pub values: Vec<f32>,
}

/// A film to draw.
struct FilmToDraw<'a> {
    film: &'a SourceFilm,
    plane: Plane,
    mask: &'a Mask,
    /// The findings, the most probable first.
    findings: Vec<Probability>,
    /// Begins the names of its files.
    file_name: &'a str,
}

/// Draws overlays, maps and the figure into the folder `out`.
///
/// # Errors
///
/// Returns an error if the model has no attention, if it or an input cannot be opened, or if a file
/// cannot be written.
pub fn draw(
    request: &ExplainRequest<'_>,
    out: &Path,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Explained> {
    let mut engine = Engine::burn(request.model, device)?;
    let description = engine.description().clone();
    if description.network.pool != Pool::Attention {
        bail!(
            "the model `{}` has no attention mask to draw; train one with \
             `--set model.pool=attention`",
            request.model.display()
        );
    }
    let sources =
        Sources::open(request.model, &description, request.inputs, request.split, listener)?;
    let mut predicted = predict(&mut engine, sources, BATCH, listener)?;
    roentgen_files::create_folder(out)?;

    let size = description.input.size;
    let chosen = choose(&predicted.predictions, request.most);
    let names = file_names(chosen.iter().map(|&number| film_of(&predicted, number).image.as_str()));
    let mut tiles = Vec::new();
    let mut explained = Vec::new();
    let mut bad = std::mem::take(&mut predicted.bad);
    for (&number, file_name) in chosen.iter().zip(&names) {
        let prediction = &predicted.predictions[number].1;
        let film = film_of(&predicted, number);
        let Some(mask) = &prediction.mask else { continue };
        // The film was read before, and may have been removed meanwhile.
        let pixels = match predicted.sources.plane(film, size) {
            Ok(pixels) => pixels,
            Err(error) => {
                bad.push(BadFilm { image: film.image.clone(), reason: error.to_string() });
                continue;
            }
        };
        let plane = Plane { width: size as u32, height: size as u32, pixels };
        let findings = rank(prediction, &description.findings);
        let drawn = FilmToDraw { film, plane, mask, findings, file_name };
        explained.push(drawn.write(out)?);
        tiles.push(drawn.tile());
    }
    let figure = out.join("attention.svg");
    let picture = films("Where the model looked", &caption(&description), &tiles, COLUMNS);
    roentgen_files::write_whole(&figure, picture.as_bytes())?;
    let count = predicted.predictions.len();
    Ok(Explained { figure, films: explained, bad, predicted: count })
}

fn film_of(predicted: &Predicted, number: usize) -> &SourceFilm {
    &predicted.sources.films[predicted.predictions[number].0]
}

fn caption(description: &ModelInfo) -> String {
    let trained = match &description.training {
        None => "trained elsewhere".to_owned(),
        Some(training) if training.dataset.is_synthetic() => {
            format!("trained on {} synthetic films (test data, no real patients)", training.films)
        }
        Some(training) => format!("trained on {} films of {}", training.films, training.dataset),
    };
    format!(
        "{} with attention, {trained}; next to each film its attention mask, which is one for all \
         findings, brightest where the weight is highest; a mask that is nearly flat has little \
         colour",
        description.network.architecture.name(),
    )
}

/// Returns the findings with their probabilities, the most probable first.
fn rank(prediction: &Prediction, findings: &[Finding]) -> Vec<Probability> {
    let pairs = findings.iter().zip(&prediction.probabilities);
    let mut ranked: Vec<Probability> =
        pairs.map(|(&finding, &probability)| Probability { finding, probability }).collect();
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    ranked
}

/// Returns the number and the probability of a film's most probable finding.
fn find_most_probable(prediction: &Prediction) -> (usize, f32) {
    let numbered = prediction.probabilities.iter().copied().enumerate();
    numbered.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or((0, 0.0))
}

/// Chooses at most `most` films. Those of one most probable finding compete, and the findings take
/// turns, so that the films do not all show the commonest one.
fn choose(predictions: &[(usize, Prediction)], most: usize) -> Vec<usize> {
    let findings = predictions.first().map_or(0, |(_, film)| film.probabilities.len());
    let mut queues: Vec<Vec<(usize, f32)>> = vec![Vec::new(); findings];
    for (number, (_, prediction)) in predictions.iter().enumerate() {
        let (finding, probability) = find_most_probable(prediction);
        queues[finding].push((number, probability));
    }
    for queue in &mut queues {
        queue.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    }
    let mut chosen = Vec::new();
    while chosen.len() < most.min(predictions.len()) {
        let turn: Vec<usize> = queues.iter_mut().filter_map(Vec::pop).map(|film| film.0).collect();
        let left = most - chosen.len();
        chosen.extend(turn.into_iter().take(left));
    }
    chosen
}

/// Returns a name for the files of each film: the film's without its extension, or with it where
/// that name is taken. A film of a folder of folders is named by its path.
fn file_names<'a>(images: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut free = |image: &str| {
        let whole = image.replace(['/', '\\'], "_");
        let stem = whole.rsplit_once('.').map_or(whole.as_str(), |(stem, _)| stem).to_owned();
        let numbered = (2..).map(|number| format!("{whole}-{number}"));
        let mut names = [stem, whole.clone()].into_iter().chain(numbered);
        names.find(|name| taken.insert(name.clone())).unwrap_or(whole.clone())
    };
    images.map(&mut free).collect()
}

impl FilmToDraw<'_> {
    fn write(&self, out: &Path) -> anyhow::Result<ExplainedFilm> {
        let overlay = out.join(format!("{}.overlay.png", self.file_name));
        let map = out.join(format!("{}.mask.png", self.file_name));
        let picture = overlay::picture(&self.plane, self.mask);
        let png = pixels::rgb_to_png(picture.width, picture.height, &picture.pixels);
        roentgen_files::write_whole(&overlay, &png)?;
        let alone = pixels::to_png(&overlay::map_alone(&self.plane, self.mask));
        roentgen_files::write_whole(&map, &alone)?;
        let Probability { finding, probability } = self.findings[0];
        let Mask { height, width, ref values } = *self.mask;
        Ok(ExplainedFilm {
            image: self.film.image.clone(),
            finding,
            probability,
            findings: self.findings.clone(),
            overlay,
            map,
            mask: RawMask { height, width, values: values.clone() },
        })
    }

    fn overlay(&self) -> Vec<u8> {
        let colours = overlay::overlay(&self.plane, self.mask);
        pixels::rgb_to_png(self.plane.width, self.plane.height, &colours)
    }

    fn tile(&self) -> FilmTile {
        let line = |Probability { finding, probability }: &Probability| {
            let label = self.film.findings.map_or("", |shown| {
                if shown.contains(*finding) { ", label positive" } else { ", label negative" }
            });
            format!("{} {probability:.3}{label}", finding.name().replace('_', " "))
        };
        let mut lines: Vec<String> = self.findings.iter().take(LISTED).map(line).collect();
        let [low, high] = overlay::range(self.mask);
        lines.push(format!("mask {low:.3} to {high:.3}"));
        lines.push(self.film.image.clone());
        FilmTile {
            png: pixels::to_png(&self.plane),
            size: [self.plane.height, self.plane.width],
            lines,
            overlay: Some(self.overlay()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions<const N: usize>(films: [[f32; 3]; N]) -> Vec<(usize, Prediction)> {
        let film = |probabilities: [f32; 3]| Prediction {
            probabilities: probabilities.to_vec(),
            mask: None,
        };
        films.into_iter().map(film).enumerate().collect()
    }

    #[test]
    fn a_film_is_drawn_for_its_most_probable_finding_and_findings_take_turns() {
        let films =
            predictions([[0.1, 0.8, 0.2], [0.1, 0.9, 0.2], [0.3, 0.2, 0.1], [0.1, 0.7, 0.6]]);

        assert_eq!(choose(&films, 4), [2, 1, 0, 3]);
        assert_eq!(choose(&films, 1), [2]);
        assert_eq!(choose(&films[..1], 12), [0]);
        assert_eq!(choose(&[], 12), [0; 0]);
        let ranked = rank(&films[3].1, &[Finding::Mass, Finding::Edema, Finding::Hernia]);
        assert_eq!(ranked[0].finding, Finding::Edema);
    }

    #[test]
    fn films_of_one_stem_keep_their_extensions_and_no_two_share_a_name() {
        let names =
            file_names(["a.png", "b.png", "a.jpg", "x/a.png", "x_a.png", "x_a.png"].into_iter());

        assert_eq!(names, ["a", "b", "a.jpg", "x_a", "x_a.png", "x_a.png-2"]);
    }
}

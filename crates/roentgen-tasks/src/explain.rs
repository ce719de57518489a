//! Draws where a model looked, as overlays, raw maps and one figure.

pub(crate) mod drawn;
mod localize;
mod maps;
pub(crate) mod wanted;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::lock::FolderLock;
use roentgen_data::pixels::Plane;
use roentgen_data::prepare::BadFilm;
use roentgen_data::split::Split;
use roentgen_eval::OperatingRule;
use roentgen_figures::{FilmTile, films};
use roentgen_models::{Explainer, Method, ModelInfo};
use serde::Serialize;

pub use localize::{Localized, against_boxes};

use crate::batch::check_batch;
use crate::listener::Listener;
use crate::predict::CorrectedFilm;
use crate::sources::{Gate, Privacy, ReadFilm, Sources};
use drawn::{MapToDraw, file_names};
use maps::{Maps, Seen, Work};
use wanted::{ExplainRule, choose};

/// Films in a row of the figure, each next to its map.
const COLUMNS: usize = 3;

/// What to draw.
#[derive(Clone, Debug)]
pub struct ExplainRequest<'a> {
    /// Run directory, or another folder that holds `model.toml` and `model.bpk`.
    pub model: &'a Path,
    /// Films, folders of films, or prepared data sets.
    pub inputs: &'a [PathBuf],
    /// The split of a prepared data set; all films if there is none.
    pub split: Option<Split>,
    /// The method; the one that suits the head if there is none.
    pub method: Option<Method>,
    /// The findings to explain of each film; those that are called if there are none.
    pub findings: &'a [Finding],
    /// The operating point of the calls.
    pub operating_point: OperatingRule,
    /// Films in a batch.
    pub batch: usize,
    /// Number of films to draw.
    pub most: usize,
    /// What happens to files that do not look like upright frontal chest films.
    pub gate: Gate,
    /// Whether what is written may say whose films they are.
    pub privacy: &'a Privacy,
}

/// What was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The name of the method.
    pub method: &'static str,
    /// The figure with all films that are drawn.
    pub figure: PathBuf,
    /// The raw maps of all films.
    pub maps: PathBuf,
    /// The table that says which map is of what.
    pub table: PathBuf,
    /// The drawn maps, in the order of the figure.
    pub films: Vec<ExplainedFilm>,
    /// The films that could not be read, or that the input gate refuses.
    pub bad: Vec<BadFilm>,
    /// The films that were corrected.
    pub corrected: Vec<CorrectedFilm>,
    /// Number of films that were predicted.
    #[serde(skip)]
    pub predicted: usize,
    /// Number of films that were drawn.
    #[serde(skip)]
    pub drawn: usize,
}

/// A map that was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedFilm {
    /// The name of the film.
    pub image: String,
    /// The explained finding; for an attention mask, the most probable one.
    pub finding: Finding,
    /// Its probability.
    pub probability: f32,
    /// All findings, the most probable first.
    pub findings: Vec<Probability>,
    /// The picture of the film under its map.
    pub overlay: PathBuf,
    /// The picture of the map alone.
    pub map: PathBuf,
    /// The map as it was computed.
    pub mask: RawMap,
}

/// A finding with its probability.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Probability {
    /// The finding.
    pub finding: Finding,
    /// Its probability.
    pub probability: f32,
}

/// The values of a map, row by row: in 0..1 for an attention mask, and otherwise in units of the
/// logit.
#[derive(Clone, Debug, Serialize)]
pub struct RawMap {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// The values, `[height, width]`.
    pub values: Vec<f32>,
}

/// Writes the maps of all films into the folder `out`, and the overlays and the figure of some.
///
/// # Errors
///
/// Returns an error if the head of the model does not allow the method, if the model lacks a
/// finding, if it or an input cannot be opened, if no film can be read, or if a file cannot be
/// written.
pub fn draw(
    request: &ExplainRequest<'_>,
    out: &Path,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Explained> {
    let explainer = Explainer::load(request.model, device)?;
    let description = &explainer.description;
    let method = method(request, description)?;
    let rule = ExplainRule::of(description, method, request.findings, request.operating_point)?;
    let sources = open(request, description, listener)?.with_gate(request.gate);
    check_batch(description, request.batch, sources.films.len(), device)?;
    let _lock = FolderLock::take_for_report(out)?;
    let batch = request.batch;
    let work = Work { explainer: &explainer, method, sources: &sources, rule: &rule, batch };
    let maps = work.write(out, listener, &mut |_| ())?;
    write_pictures(&work, maps, request.most, out)
}

fn open(
    request: &ExplainRequest<'_>,
    description: &ModelInfo,
    listener: &dyn Listener,
) -> anyhow::Result<Sources> {
    let ExplainRequest { model, inputs, split, privacy, .. } = *request;
    Sources::open(model, description, inputs, split, privacy, listener)
}

/// Returns the method of a request.
fn method(request: &ExplainRequest<'_>, description: &ModelInfo) -> anyhow::Result<Method> {
    let pool = description.network.pool;
    let method = request.method.unwrap_or_else(|| Method::default_for(pool));
    method.check(pool)?;
    Ok(method)
}

/// Draws the films of highest probability and the figure.
fn write_pictures(
    work: &Work<'_>,
    maps: Maps,
    most: usize,
    out: &Path,
) -> anyhow::Result<Explained> {
    let (description, method) = (&work.explainer.description, work.method);
    let film = |seen: &Seen| &work.sources.films[seen.film];
    // A film without a map of its own has nothing to draw.
    let with_maps: Vec<&Seen> = maps.films.iter().filter(|seen| !seen.maps.is_empty()).collect();
    let confidence = |seen: &&Seen| {
        let outputs = maps.maps[seen.maps.clone()].iter().map(|map| map.output);
        let ranked = outputs.map(|output| (output, seen.probabilities[output]));
        ranked.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).unwrap_or_default()
    };
    let ranked: Vec<(usize, f32)> = with_maps.iter().map(confidence).collect();
    let chosen: Vec<&Seen> =
        choose(&ranked, most).into_iter().map(|number| with_maps[number]).collect();
    let names = file_names(chosen.iter().map(|seen| film(seen).image.as_str()));
    let size = description.input.size;
    let (mut tiles, mut explained) = (Vec::new(), Vec::new());
    let mut bad = Vec::new();
    for (seen, file_name) in chosen.iter().zip(&names) {
        let film = film(seen);
        // The film was read before, and may have been removed meanwhile.
        let ReadFilm { own, input, .. } = match work.sources.read(film, size) {
            Ok(read) => read,
            Err(error) => {
                bad.push(BadFilm { image: film.image.clone(), reason: error.to_string() });
                continue;
            }
        };
        let square = Plane { width: size as u32, height: size as u32, pixels: input };
        let findings = rank(&description.findings, &seen.probabilities);
        for (of, map) in maps.maps[seen.maps.clone()].iter().zip(maps.read(seen.maps.clone())?) {
            let finding = description.findings[of.output];
            let finding = Probability { finding, probability: seen.probabilities[of.output] };
            let (map, findings) = (&map, findings.as_slice());
            let drawn = MapToDraw { film, method, map, finding, findings, file_name };
            explained.push(drawn.write(&own, out)?);
            tiles.push(drawn.tile(&square));
        }
    }
    let figure = out.join(format!("{}.svg", method.name()));
    write_figure(&figure, description, method, &tiles)?;
    Ok(Explained {
        method: method.name(),
        figure,
        films: explained,
        drawn: chosen.len() - bad.len(),
        predicted: maps.films.len(),
        maps: maps.file,
        table: maps.table,
        bad: maps.bad.into_iter().chain(bad).collect(),
        corrected: maps.corrected,
    })
}

fn write_figure(
    path: &Path,
    description: &ModelInfo,
    method: Method,
    tiles: &[FilmTile],
) -> anyhow::Result<()> {
    let picture = films("Where the model looked", &caption(description, method), tiles, COLUMNS);
    roentgen_files::write_whole(path, picture.as_bytes())?;
    Ok(())
}

fn caption(description: &ModelInfo, method: Method) -> String {
    let trained = match &description.training {
        None => "trained elsewhere".to_owned(),
        Some(training) if training.dataset.is_synthetic() => {
            format!("trained on {} synthetic films (test data, no real patients)", training.films)
        }
        Some(training) => format!("trained on {} films of {}", training.films, training.dataset),
    };
    let architecture = description.network.architecture.name();
    match method {
        Method::Attention => format!(
            "{architecture} with attention, {trained}; next to each film its attention mask, which \
             is one for all findings, brightest where the weight is highest; a mask that is nearly \
             flat has little colour",
        ),
        Method::Cam | Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => format!(
            "{architecture}, {trained}; next to each film the {} map of the finding below it, in \
             units of its logit; each map has colours of its own, from 0 to its highest value, so \
             brightness cannot be compared between films",
            method.title(),
        ),
    }
}

/// Returns the findings with their probabilities, the most probable first.
fn rank(findings: &[Finding], probabilities: &[f32]) -> Vec<Probability> {
    let pairs = findings.iter().zip(probabilities);
    let mut ranked: Vec<Probability> =
        pairs.map(|(&finding, &probability)| Probability { finding, probability }).collect();
    ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    ranked
}

//! Compares maps with the boxes of prepared data sets.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::bail;
use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::lock::FolderLock;
use roentgen_data::pixels::Plane;
use roentgen_eval::localization::{About, BoxedFilm, Localization, localize, points_into};
use roentgen_eval::report::{Agreement, ChosenFilm, FilmBox, FilmCard};
use roentgen_eval::{BootstrapOptions, HeatMap};
use roentgen_models::{Explainer, Method, ModelInfo};

use super::drawn::MapToDraw;
use super::maps::{Batch, Maps, Work};
use super::wanted::{self, ExplainRule, choose};
use super::{ExplainRequest, Explained, Probability, method, open, write_pictures};
use crate::batch::check_batch;
use crate::film_box::in_shares;
use crate::listener::Listener;
use crate::sources::{SourceFilm, Sources};

/// Number of films that the page shows.
const CARDS: usize = 12;

/// What was drawn and measured.
pub struct Localized {
    /// Maps, overlays and the figure of the films with boxes.
    pub explained: Explained,
    /// The figures against the boxes.
    pub localization: Localization,
    /// The page.
    pub page: PathBuf,
}

/// The boxes that count.
struct Boxes {
    /// By film and output of the network.
    by_film: HashMap<String, Vec<(usize, Vec<FilmBox>)>>,
    /// The findings in the order of the figures.
    findings: Vec<String>,
    elsewhere: usize,
    of_other_findings: usize,
}

/// Writes maps, overlays and the figure of the films with boxes into the folder `out`, and
/// `localization.html`, `.json` and `.csv`, which compare the maps with the boxes.
///
/// # Errors
///
/// Returns an error as [`draw`](super::draw) does, if an input is not a prepared data set, if none of
/// its boxes is on a film of the split and of a finding of the model, or if the maps have one cell.
pub fn against_boxes(
    request: &ExplainRequest<'_>,
    options: &BootstrapOptions,
    out: &Path,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<Localized> {
    let explainer = Explainer::load(request.model, device)?;
    let description = &explainer.description;
    let method = method(request, description)?;
    let mut sources = open(request, description, listener)?;
    let named = wanted::outputs(description, method, request.findings)?;
    let boxes = Boxes::of(&sources, description, &named)?;
    sources.films.retain(|film| boxes.by_film.contains_key(&film.image));
    let outputs = |of: &Vec<(usize, Vec<FilmBox>)>| of.iter().map(|(output, _)| *output).collect();
    let by_film = boxes.by_film.iter().map(|(film, of)| (film.clone(), outputs(of)));
    let rule = ExplainRule::Boxed(by_film.collect());
    check_batch(description, request.batch, sources.films.len(), device)?;
    let random = explainer.with_random_weights(options.seed);

    let _lock = FolderLock::take_for_report(out)?;
    let batch = request.batch;
    let work = Work { explainer: &explainer, method, sources: &sources, rule: &rule, batch };
    let mut films: Vec<BoxedFilm> = Vec::new();
    let maps = work.write(out, listener, &mut |batch: Batch<'_>| {
        let look = random.look(batch.planes);
        let random = random.maps(method, &look, batch.wanted);
        for ((wanted, map), random) in batch.wanted.iter().zip(batch.maps).zip(random) {
            let film = &sources.films[batch.films[wanted.film]];
            films.push(BoxedFilm {
                image: film.image.clone(),
                patient: film.patient.clone(),
                finding: description.findings[wanted.output].name().to_owned(),
                boxes: boxes.of_film(film, wanted.output).to_vec(),
                map,
                random_weights: Some(random),
            });
        }
    })?;
    if films.iter().all(|film| film.map.values.len() == 1) {
        bail!(
            "the maps have one cell, so they cannot be compared with boxes; use a model for larger \
             films, or `--method occlusion`"
        );
    }
    let about = about(&explainer, method, &sources, &boxes);
    let localization = localize(&films, &boxes.findings, about, options);
    let cards = cards(&work, &maps, &boxes)?;
    localization.write(out, &cards)?;
    let explained = write_pictures(&work, maps, request.most, out)?;
    let page = out.join("localization.html");
    Ok(Localized { explained, localization, page })
}

impl Boxes {
    /// Collects the boxes on these films, of the named outputs or of all.
    fn of(sources: &Sources, description: &ModelInfo, named: &[usize]) -> anyhow::Result<Self> {
        let all = sources.boxes()?;
        if all.is_empty() {
            bail!("the data set has no boxes; `prepare` takes them from `BBox_List_2017.csv`");
        }
        let films: BTreeSet<&str> = sources.films.iter().map(|film| film.image.as_str()).collect();
        let output = |finding: Finding| {
            let output = description.findings.iter().position(|own| *own == finding)?;
            (named.is_empty() || named.contains(&output)).then_some(output)
        };
        let (mut elsewhere, mut of_other_findings) = (0, 0);
        let mut by_film: HashMap<String, Vec<(usize, Vec<FilmBox>)>> = HashMap::new();
        for one in &all {
            match output(one.finding) {
                _ if !films.contains(one.image.as_str()) => elsewhere += 1,
                None => of_other_findings += 1,
                Some(output) => {
                    let film = by_film.entry(one.image.clone()).or_default();
                    match film.iter_mut().find(|(own, _)| *own == output) {
                        Some((_, boxes)) => boxes.push(in_shares(one)),
                        None => film.push((output, vec![in_shares(one)])),
                    }
                }
            }
        }
        if by_film.is_empty() {
            bail!(
                "none of the {} boxes can be used: {elsewhere} are on films that are not among \
                 the given ones, {of_other_findings} are of findings that the model lacks or that \
                 were not asked for; give another `--split` or another `--finding`",
                all.len()
            );
        }
        let mut outputs: Vec<usize> = named.to_vec();
        if named.is_empty() {
            outputs = by_film.values().flatten().map(|(output, _)| *output).collect();
            outputs.sort_unstable();
            outputs.dedup();
        }
        let name = |output: usize| description.findings[output].name().to_owned();
        let findings = outputs.into_iter().map(name).collect();
        Ok(Self { by_film, findings, elsewhere, of_other_findings })
    }

    /// Returns the boxes of a film for an output.
    fn of_film(&self, film: &SourceFilm, output: usize) -> &[FilmBox] {
        let own = self.by_film.get(&film.image).into_iter().flatten();
        own.filter(|(of, _)| *of == output).map(|(_, boxes)| boxes.as_slice()).next().unwrap_or(&[])
    }
}

fn about(explainer: &Explainer, method: Method, sources: &Sources, boxes: &Boxes) -> About {
    let films = &sources.films;
    let joined = |of: fn(&SourceFilm) -> &str| {
        let values: BTreeSet<&str> = films.iter().map(of).collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let has_identity = films.iter().all(|film| !film.dataset_id.is_empty());
    let is_known = films.iter().all(|film| film.patient_in_training.is_some());
    let in_training = films.iter().filter(|film| film.patient_in_training == Some(true));
    let patients: BTreeSet<&str> = in_training.map(|film| film.patient.as_str()).collect();
    let description = &explainer.description;
    About {
        model: explainer.identity.clone(),
        architecture: description.network.architecture.name().to_owned(),
        method: method.name().to_owned(),
        dataset: joined(|film| &film.dataset),
        dataset_id: has_identity.then(|| joined(|film| &film.dataset_id)),
        split: joined(|film| &film.split),
        size: description.input.size,
        patients_in_training: is_known.then_some(patients.len()),
        boxes_elsewhere: boxes.elsewhere,
        boxes_of_other_findings: boxes.of_other_findings,
    }
}

/// Draws the films of highest probability for a finding with a box.
fn cards(work: &Work<'_>, maps: &Maps, boxes: &Boxes) -> anyhow::Result<Vec<FilmCard>> {
    let description = &work.explainer.description;
    let size = description.input.size;
    let all: Vec<(usize, usize)> = maps
        .films
        .iter()
        .enumerate()
        .flat_map(|(number, seen)| seen.maps.clone().map(move |map| (number, map)))
        .collect();
    let ranked: Vec<(usize, f32)> = all
        .iter()
        .map(|&(number, map)| {
            let output = maps.maps[map].output;
            (output, maps.films[number].probabilities[output])
        })
        .collect();
    let mut cards = Vec::new();
    for chosen in choose(&ranked, CARDS) {
        let (number, map) = all[chosen];
        let (output, probability) = ranked[chosen];
        let film = &work.sources.films[maps.films[number].film];
        let finding = description.findings[output];
        let (pixels, _) = work.sources.input(film, size)?;
        let plane = Plane { width: size as u32, height: size as u32, pixels };
        let heat = &maps.read(map..map + 1)?[0];
        let drawn = MapToDraw {
            film,
            method: work.method,
            map: heat,
            finding: Probability { finding, probability },
            findings: &[],
            file_name: "",
        };
        let boxes = boxes.of_film(film, output);
        let text =
            [film.view.as_str(), film.sex.as_str(), film.age.as_str(), verdict(heat, boxes, size)];
        let text: Vec<&str> = text.into_iter().filter(|cell| !cell.is_empty()).collect();
        cards.push(FilmCard {
            choice: ChosenFilm {
                row: chosen,
                image: film.image.clone(),
                finding: finding.name().to_owned(),
                probability: f64::from(probability),
                label: true,
                verdict: Agreement::Found,
            },
            png: drawn.overlay(&plane),
            boxes: boxes.to_vec(),
            text: text.join(", "),
        });
    }
    Ok(cards)
}

/// States whether a map points into a box.
fn verdict(map: &HeatMap, boxes: &[FilmBox], size: usize) -> &'static str {
    match points_into(map, boxes, size) {
        _ if map.is_flat() => "flat map",
        share if share > 0.5 => "highest point in a box",
        _ => "highest point outside the boxes",
    }
}

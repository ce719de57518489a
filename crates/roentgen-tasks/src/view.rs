//! A prepared data set beside what a model says of it, for a person who looks at its mistakes.
//!
//! Labels and boxes come from the data set, raw probabilities from a score table of the same model and
//! the same films. Calibrated probabilities and calls are computed from them with what `model.toml` has
//! now, because a table may be older than the calibration.

mod scores;
mod set;
mod training;

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_data::pixels::Plane;
use roentgen_data::prepare::Prepared;
use roentgen_data::split::Split;
use roentgen_eval::{OperatingRule, Scores};
use roentgen_models::{ModelInfo, model_dir};

use crate::classifier::check_calibration;
use crate::engine::EngineChoice;
use crate::film_box::in_shares;
use crate::listener::Listener;
use crate::predict::calibration_method;
use crate::sources::{self, Privacy, SourceFilm, Sources};

pub use set::{ViewedBox, ViewedFilm, ViewedSet};
use training::Training;

/// What to show.
#[derive(Clone, Debug)]
pub struct ViewRequest<'a> {
    /// Run directory, bundle, or another folder that holds `model.toml` and `model.bpk`.
    pub model: &'a Path,
    /// A prepared data set.
    pub data: &'a Path,
    /// The split to show; all films if there is none.
    pub split: Option<Split>,
    /// A score table of these films. Without it, that of the run is taken, or else the films are
    /// predicted.
    pub scores: Option<&'a Path>,
    /// Films in a batch, if they are predicted.
    pub batch: usize,
    /// The engine, if they are predicted.
    pub engine: EngineChoice,
    /// The operating point of the calls, if the model has thresholds.
    pub operating_point: OperatingRule,
}

/// A data set that is shown.
pub struct Viewed {
    sources: Sources,
    size: usize,
    /// What is known of the films.
    pub set: ViewedSet,
}

impl Viewed {
    /// Finds the films and their score table; without a table it predicts the films.
    ///
    /// # Errors
    ///
    /// Returns an error if the model or the data set cannot be opened or do not fit each other, if the
    /// given score table is of another model or of other films, or if the films cannot be predicted.
    pub fn open(
        request: &ViewRequest<'_>,
        device: &Device,
        listener: &dyn Listener,
    ) -> anyhow::Result<Self> {
        let description = ModelInfo::read(request.model)?;
        let model = model_dir::identity(request.model)?;
        check_calibration(&description, &model, request.model)?;
        let sources = open(request, &description, listener)?;
        let (sources, table) =
            scores::of(request, (&description, &model), sources, device, listener)?;
        let size = description.input.size;
        let films = films(request, &description, &sources, &table.scores)?;
        let first = &sources.films[0];
        let (is_fitted, method) = (
            description.calibration.is_some(),
            calibration_method(&description, None, request.model)?,
        );
        let set = ViewedSet {
            name: name_of(request.data),
            dataset: first.dataset.clone(),
            dataset_id: first.dataset_id.clone(),
            split: request.split.map_or("all", Split::name),
            model,
            scores: table.path,
            size,
            operating_point: request.operating_point.name(),
            calibration: is_fitted.then(|| method.name()),
            thresholds: thresholds(request, &description),
            findings: description.findings,
            films,
        };
        Ok(Self { sources, size, set })
    }

    /// Reads a film; `None` if there is none of this number.
    pub fn film(&self, number: usize) -> Option<Result<Plane, sources::Error>> {
        let film = self.sources.films.get(number)?;
        Some(self.sources.read(film, self.size).map(|read| read.own))
    }
}

fn open(
    request: &ViewRequest<'_>,
    description: &ModelInfo,
    listener: &dyn Listener,
) -> anyhow::Result<Sources> {
    let ViewRequest { model, data, split, .. } = *request;
    if !Prepared::is_prepared(data) {
        bail!("`{}` is not a prepared data set; `roentgen prepare` makes one", data.display());
    }
    let inputs = [data.to_owned()];
    let opened = Sources::open(model, description, &inputs, split, &Privacy::Named, listener);
    match split {
        Some(split) => opened.with_context(|| {
            format!(
                "could not find the films of the split `{}`; `--split all` shows the films of all \
                 splits",
                split.name()
            )
        }),
        None => opened,
    }
}

/// Returns the last part of the path of a folder.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn thresholds(request: &ViewRequest<'_>, description: &ModelInfo) -> Vec<Option<f64>> {
    let threshold = |name: &str| {
        let fitted = description.calibration.as_ref()?.finding(name)?;
        fitted.thresholds.get(&request.operating_point).copied()
    };
    description.findings.iter().map(|finding| threshold(finding.name())).collect()
}

/// Puts together what is known of each film. The table has a row for each, as `scores` has checked.
fn films(
    request: &ViewRequest<'_>,
    description: &ModelInfo,
    sources: &Sources,
    scores: &Scores,
) -> anyhow::Result<Vec<ViewedFilm>> {
    let method = calibration_method(description, None, request.model)?;
    let training = Training::read(request, description)?;
    let mut boxes = boxes(sources, description.input.size)?;
    let rows: HashMap<&str, usize> =
        (0..).zip(scores.images()).map(|(row, image)| (image.as_str(), row)).collect();
    let film = |(id, film): (usize, &SourceFilm)| {
        let row = rows[film.image.as_str()];
        let is_training = training.contains(&film.image, &film.patient, &film.split);
        let boxes = boxes.remove(&film.image).unwrap_or_default();
        let mut viewed = ViewedFilm::new(id, film, is_training, boxes);
        for &finding in &description.findings {
            let probability = scores.finding(finding.name()).map(|of| of.probabilities[row]);
            let fitted = description.calibration.as_ref();
            let fitted = fitted.and_then(|fitted| fitted.finding(finding.name()));
            let of = fitted.zip(probability);
            viewed.labels.push(film.findings.map(|shown| u8::from(shown.contains(finding))));
            viewed.probabilities.push(probability);
            viewed.calibrated.push(of.and_then(|(fitted, p)| fitted.apply(method, p)));
            viewed.calls.push(of.and_then(|(fitted, p)| fitted.call(request.operating_point, p)));
        }
        viewed
    };
    Ok(sources.films.iter().enumerate().map(film).collect())
}

/// Returns the boxes of each film in pixels of the prepared film.
fn boxes(sources: &Sources, size: usize) -> anyhow::Result<HashMap<String, Vec<ViewedBox>>> {
    let mut by_film: HashMap<String, Vec<ViewedBox>> = HashMap::new();
    for one in sources.boxes()? {
        let shares = in_shares(&one);
        let [x, y] = shares.corner.map(|share| share * size as f64);
        let [height, width] = shares.size.map(|share| share * size as f64);
        let of = ViewedBox { finding: shares.finding, x, y, width, height };
        by_film.entry(one.image).or_default().push(of);
    }
    Ok(by_film)
}

#[cfg(test)]
mod tests;

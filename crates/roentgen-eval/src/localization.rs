//! Heat maps compared with boxes that radiologists drew.
//!
//! A figure of a map says little by itself: a large box is hit by chance, lesions of one finding are
//! often at the same place, and a coarse map cannot show a small one. So each figure is beside that
//! of a random map, that of the mean box of the finding from other patients, and that of the drawn
//! box itself at the resolution of the map. [`Localization::findings`] also has the correlation with
//! the map of a model with random weights ([Adebayo et al. 2018](https://arxiv.org/abs/1810.03292)):
//! a map that does not depend on what was learned explains nothing.
//!
//! Films count for the finding of their boxes; intervals resample patients.

mod figures;
mod page;
mod read;
mod references;
mod region;
mod score;
mod table;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::films::{FilmBox, FilmCard};
use crate::{
    BootstrapOptions, Error, HeatMap, cohort::number, delong::mid_ranks, file, format::PROGRAM,
    render::render,
};

pub use figures::{AtOverlap, Correlation, Figure, Lead, MapFigures, RowFigures};
pub(crate) use page::summary;
use references::{ceiling, map_of_box, mean_box, random};
pub use score::points_into;
use score::{Scored, score};

/// A film with boxes of one finding, and the map of a model for it.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxedFilm {
    /// The name of the film.
    pub image: String,
    /// Its patient.
    pub patient: String,
    /// The finding.
    pub finding: String,
    /// The boxes of the finding, at least one.
    pub boxes: Vec<FilmBox>,
    /// The map of the model.
    pub map: HeatMap,
    /// The map of the same network with random weights.
    pub random_weights: Option<HeatMap>,
}

/// What maps and boxes are of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Identity of the model.
    pub model: String,
    /// Its architecture, such as `densenet121`.
    pub architecture: String,
    /// The method of the maps, such as `grad-cam`.
    pub method: String,
    /// The data set of the films.
    pub dataset: String,
    /// Its identity, if it is known.
    pub dataset_id: Option<String>,
    /// The split of the films.
    pub split: String,
    /// Height and width of the films as the model sees them, in pixels; figures are computed there.
    pub size: usize,
    /// Number of patients with boxes that the model was trained on; `None` if that is unknown.
    pub patients_in_training: Option<usize>,
    /// Number of boxes on films that are not among the given ones.
    pub boxes_elsewhere: usize,
    /// Number of boxes of findings that the model lacks or that were not asked for.
    pub boxes_of_other_findings: usize,
}

/// The figures of a model's maps against boxes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Localization {
    /// The program that computed the figures, with its version; `None` in files of versions that did
    /// not write it.
    pub program: Option<String>,
    /// What maps and boxes are of.
    #[serde(flatten)]
    pub about: About,
    /// Height and width of the maps, in cells; `None` without films.
    pub map: Option<[usize; 2]>,
    /// Number of films with boxes.
    pub films: usize,
    /// Number of their patients.
    pub patients: usize,
    /// Number of boxes.
    pub boxes: usize,
    /// Number of resamples for the intervals.
    pub resamples: usize,
    /// Seed of the resamples, of the random maps and of the random weights.
    pub seed: u64,
    /// The figures of each finding; those of one without boxes are `None`.
    pub findings: Vec<FindingLocalization>,
    /// Means over the findings that have the figure.
    pub mean: MapFigures,
}

/// The figures of one finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingLocalization {
    /// Its name.
    pub finding: String,
    /// Number of films with boxes of it.
    pub films: usize,
    /// Number of their patients.
    pub patients: usize,
    /// Number of boxes.
    pub boxes: usize,
    /// Number of maps that are flat: they point nowhere and detect nothing.
    pub flat: usize,
    /// The figures.
    #[serde(flatten)]
    pub rows: MapFigures,
}

/// The maps of a film and finding, scored.
struct Case {
    patient: u32,
    boxes: usize,
    is_flat: bool,
    model: Scored,
    random: Scored,
    /// `None` if no other patient has boxes of the finding.
    mean_box: Option<Scored>,
    ceiling: Scored,
    correlation: Option<f64>,
}

/// Scores maps against boxes, for these findings in this order.
pub fn localize(
    films: &[BoxedFilm],
    findings: &[String],
    about: About,
    options: &BootstrapOptions,
) -> Localization {
    let (patients, count) = number(films.iter().map(|film| film.patient.as_str()));
    let size = about.size;
    let case = |(at, film): (usize, &BoxedFilm)| {
        let shape = [film.map.height, film.map.width];
        let own = |map: &HeatMap| score(map, &film.boxes, size);
        let mean = mean_box(films, film).map(|mean| own(&map_of_box(&mean, size)));
        Case {
            patient: patients[at],
            boxes: film.boxes.len(),
            is_flat: film.map.is_flat(),
            model: own(&film.map),
            random: own(&random(options.seed, at, shape)),
            mean_box: mean,
            ceiling: own(&ceiling(&film.boxes, size, shape)),
            correlation: film.random_weights.as_ref().and_then(|of| correlation(&film.map, of)),
        }
    };
    let cases: Vec<Case> = films.par_iter().enumerate().map(case).collect();
    let of_finding = |name: &String| -> Vec<&Case> {
        let own = films.iter().zip(&cases).filter(|(film, _)| film.finding == *name);
        own.map(|(_, case)| case).collect()
    };
    let by_finding: Vec<Vec<&Case>> = findings.iter().map(of_finding).collect();
    let (rows, mean) = figures::rows(&by_finding, count, options);
    let described = findings.iter().zip(&by_finding).zip(rows).map(|((finding, cases), rows)| {
        FindingLocalization {
            finding: finding.clone(),
            films: cases.len(),
            patients: distinct(cases.iter().map(|case| case.patient)),
            boxes: cases.iter().map(|case| case.boxes).sum(),
            flat: cases.iter().filter(|case| case.is_flat).count(),
            rows,
        }
    });
    let described: Vec<FindingLocalization> = described.collect();
    Localization {
        program: Some(PROGRAM.to_owned()),
        about,
        map: films.first().map(|film| [film.map.height, film.map.width]),
        films: distinct(films.iter().map(|film| &film.image)),
        patients: count,
        boxes: cases.iter().map(|case| case.boxes).sum(),
        resamples: options.resamples,
        seed: options.seed,
        findings: described,
        mean,
    }
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> usize {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values.dedup();
    values.len()
}

/// Returns Spearman's rank correlation of the cells of two maps; `None` if one is flat.
fn correlation(one: &HeatMap, other: &HeatMap) -> Option<f64> {
    if one.is_flat() || other.is_flat() || one.values.len() != other.values.len() {
        return None;
    }
    let ranks = |map: &HeatMap| {
        mid_ranks(&map.values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>())
    };
    let (a, b) = (ranks(one), ranks(other));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    Some(product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt())
}

impl Localization {
    /// Whether the films were drawn by `roentgen phantom`.
    pub fn is_phantom(&self) -> bool {
        crate::evaluation::names_phantom(&self.about.dataset)
    }

    /// Reads a `localization.json`.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or has other contents.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = roentgen_files::read_at_most(path, 64 << 20)
            .map_err(|source| Error::ReadFile { path: path.to_owned(), source })?;
        read::parse(&bytes).map_err(|source| Error::Localization { path: path.to_owned(), source })
    }

    /// Writes `localization.html`, which shows these films, `localization.json` and
    /// `localization.csv` into a folder.
    ///
    /// # Errors
    ///
    /// Returns an error if a file cannot be written.
    pub fn write(&self, folder: &Path, films: &[FilmCard]) -> Result<Vec<PathBuf>, Error> {
        let json = serde_json::to_string_pretty(self).map_err(|source| Error::Json { source })?;
        let page = page::LocalizationPage::of(self, films);
        let html =
            render("localization.html", include_str!("localization/localization.html"), page)?;
        let files = [
            ("localization.html", html),
            ("localization.json", json + "\n"),
            ("localization.csv", table::csv(self)?),
        ];
        let written = files.into_iter().map(|(name, text)| {
            let path = folder.join(name);
            file::write(&path, text.as_bytes()).map(|()| path)
        });
        written.collect()
    }
}

#[cfg(test)]
pub(crate) mod tests;

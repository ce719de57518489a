//! Writes predictions as DICOM objects: a report of each film, overlays, a presentation state.

mod maps;
mod stamp;

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::Context as _;
use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::gate::Position;
use roentgen_data::lock::FolderLock;
use roentgen_data::prepare::BadFilm;
use roentgen_dicom::{
    Algorithm, DeIdentification, FilmMap, FindingResult, Moment, NewStudy, Picture, Results,
    Source, capture, presentation, report,
};
use roentgen_eval::CalibrationMethod;
use roentgen_models::model_dir::sha256;
use roentgen_models::{ModelInfo, overlay};
use serde::Serialize;

use crate::explain::drawn::file_names;
use crate::listener::Listener;
use crate::predict::PredictedTable;
use crate::sources::{Privacy, ReadFilm};
use maps::{DrawnMap, Mapper};
use stamp::stamp;

/// Where to write the objects of a table, and how.
#[derive(Clone, Debug)]
pub struct DicomRequest<'a> {
    /// The model of the predictions.
    pub model: &'a Path,
    /// The ONNX file that predicted instead of the model's own network, if one did.
    pub onnx: Option<&'a Path>,
    /// The folder of the objects.
    pub folder: &'a Path,
    /// What happens to films that are not in DICOM files.
    pub without_study: WithoutStudy,
    /// As in the request of the predictions.
    pub privacy: &'a Privacy,
    /// When they are written.
    pub written: Moment,
}

/// What happens to films that are not in DICOM files, so that no study can contain their reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutStudy {
    /// They get no objects, with a reason.
    Refuse,
    /// Each is written as an image of a study of its own, to which the objects belong.
    NewStudy,
}

/// The objects that were written.
#[derive(Clone, Debug, Serialize)]
pub struct DicomWritten {
    /// By film.
    pub films: Vec<DicomFilm>,
    /// The films without objects.
    #[serde(skip)]
    pub bad: Vec<BadFilm>,
}

/// The objects of a film.
#[derive(Clone, Debug, Serialize)]
pub struct DicomFilm {
    /// The name of the film.
    pub image: String,
    /// The structured report.
    pub report: PathBuf,
    /// The film under each heat map.
    pub overlays: Vec<PathBuf>,
    /// The contours of the heat maps; `None` for a film in colors.
    pub presentation: Option<PathBuf>,
    /// The film itself, if it was not in a DICOM file.
    pub film: Option<PathBuf>,
}

impl DicomFilm {
    /// Returns the number of its files.
    pub fn objects(&self) -> usize {
        1 + self.overlays.len() + self.presentation.iter().chain(&self.film).count()
    }
}

/// Writes the objects of the films of a table.
///
/// # Errors
///
/// Returns an error if the model cannot be loaded again, or if a file cannot be written.
pub fn write(
    table: &PredictedTable,
    request: &DicomRequest<'_>,
    device: &Device,
    listener: &dyn Listener,
) -> anyhow::Result<DicomWritten> {
    let description = ModelInfo::read(request.model)?;
    let mapper = Mapper::load(request.model, &description, table.operating_point, device)?;
    let algorithm = algorithm(table, request, &description, &mapper)?;
    fs::create_dir_all(request.folder)
        .with_context(|| format!("could not create the folder `{}`", request.folder.display()))?;
    let _lock = FolderLock::take_for_report(request.folder)?;
    let names = file_names(table.scores.images().iter().map(String::as_str));
    let writer = Writer { table, request, description: &description, mapper, algorithm };
    let mut written = DicomWritten { films: Vec::new(), bad: Vec::new() };
    for (row, name) in names.iter().enumerate() {
        match writer.film(row, name)? {
            Ok(film) => written.films.push(film),
            Err(reason) => {
                let image = table.scores.images()[row].clone();
                written.bad.push(BadFilm { image, reason });
            }
        }
        listener.predicted(row + 1, names.len());
    }
    Ok(written)
}

/// Describes the algorithm, with all that decides its results.
fn algorithm(
    table: &PredictedTable,
    request: &DicomRequest<'_>,
    description: &ModelInfo,
    mapper: &Mapper,
) -> anyhow::Result<Algorithm> {
    // The path of a library would make the same film another object on another machine.
    let engine = table.engine.split(',').next().unwrap_or_default();
    let mut parameters =
        vec![format!("heat maps by {}", mapper.method.name()), format!("engine {engine}")];
    if let Some(file) = request.onnx {
        let bytes =
            fs::read(file).with_context(|| format!("could not read `{}`", file.display()))?;
        let digits: String = sha256(&bytes).chars().take(12).collect();
        parameters.push(format!("ONNX file {digits}"));
    }
    if !table.thresholds.is_empty() {
        parameters.push(format!("operating point {}", table.operating_point.name()));
    }
    if let Some(method) = table.calibration.map(CalibrationMethod::name) {
        parameters.push(format!("calibration by {method}"));
    }
    Ok(Algorithm {
        name: format!("roentgen {}", description.network.architecture.name()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: table.model.clone(),
        parameters,
        fitted: serde_json::to_string(&description.calibration)?,
    })
}

/// Writes the objects of films.
struct Writer<'a> {
    table: &'a PredictedTable,
    request: &'a DicomRequest<'a>,
    description: &'a ModelInfo,
    mapper: Mapper,
    algorithm: Algorithm,
}

impl Writer<'_> {
    /// Writes the objects of the film in a row, or returns the reason why it has none.
    fn film(&self, row: usize, name: &str) -> anyhow::Result<Result<DicomFilm, String>> {
        let (number, prediction) = &self.table.predicted.predictions[row];
        let sources = &self.table.predicted.sources;
        let film = &sources.films[*number];
        let header = match sources.header(film) {
            Ok(header) => header,
            Err(error) => return Ok(Err(error.to_string())),
        };
        // The film was read before, and may have been removed meanwhile.
        let ReadFilm { own, input, correction } =
            match sources.read(film, self.description.input.size) {
                Ok(read) => read,
                Err(error) => return Ok(Err(error.to_string())),
            };
        // A film of a new study is written as it was scored. Any other is turned back into the
        // geometry of its file. What is inverted remains corrected.
        let turned = correction.filter(|_| header.is_some());
        let own = match turned_back(turned) {
            Some(back) => back.corrected(own),
            None => own,
        };
        let pseudonyms = self.request.privacy.pseudonyms();
        let hiding =
            pseudonyms.map(|pseudonyms| DeIdentification { pseudonyms, patient: &film.patient });
        let (source, film_object) = match (&header, self.request.without_study) {
            (Some(header), _) => match Source::read(header, hiding) {
                Ok(source) => (source, None),
                Err(error) => return Ok(Err(error.to_string())),
            },
            (None, WithoutStudy::Refuse) => {
                return Ok(Err("it is not in a DICOM file, so no study can contain its report; \
                               `--new-study` makes one"
                    .to_owned()));
            }
            (None, WithoutStudy::NewStudy) => {
                let is_de_identified = hiding.is_some();
                let written = &self.request.written;
                match NewStudy::of(&own, &film.patient, is_de_identified, written) {
                    Ok(study) => (study.source, Some(study.film)),
                    Err(error) => return Ok(Err(error.to_string())),
                }
            }
        };
        let mut algorithm = self.algorithm.clone();
        algorithm
            .parameters
            .extend(correction.map(|was| format!("corrected film, which was {was}")));
        let findings = self.findings(row);
        let results =
            Results { algorithm: &algorithm, findings: &findings, written: &self.request.written };
        let maps = self.mapper.maps(&film.image, prediction, &input, turned)?;
        let save = |what: &str, bytes: &[u8]| {
            let path = self.request.folder.join(format!("{name}.{what}.dcm"));
            roentgen_files::write_whole(&path, bytes).map(|()| path)
        };
        self.remove_earlier(name)?;
        let film_file = film_object.map(|bytes| save("film", &bytes)).transpose()?;
        let mut overlays = Vec::new();
        for (number, map) in (1..).zip(&maps) {
            let mut drawn = overlay::Picture {
                height: own.height,
                width: own.width,
                pixels: overlay::overlay(&own, &map.map, map.ends),
            };
            stamp(&mut drawn, &[&map.what, &format!("model {}", self.table.model)]);
            let size = [own.height, own.width];
            let picture = Picture { size, pixels: &drawn.pixels, what: &map.what, number };
            let kind = match map.finding {
                Some(finding) => format!("{finding}.overlay"),
                None => "overlay".to_owned(),
            };
            overlays.push(save(&kind, &capture(&source, &results, &picture)?)?);
        }
        let drawn: Vec<FilmMap<'_>> = maps.iter().map(DrawnMap::as_film_map).collect();
        let state = presentation(&source, &results, &drawn)?;
        let state = state.map(|bytes| save("presentation", &bytes)).transpose()?;
        // Last, so that a report is there only if the rest is.
        let report = save("report", &report(&source, &results)?)?;
        let image = film.image.clone();
        Ok(Ok(DicomFilm { image, report, overlays, presentation: state, film: film_file }))
    }

    /// Removes what an earlier call wrote about a film, the report first, so that no report is beside
    /// objects of another call.
    fn remove_earlier(&self, name: &str) -> anyhow::Result<()> {
        let overlays = Finding::ALL.iter().map(|finding| format!("{}.overlay", finding.name()));
        let others = ["overlay", "presentation", "film"].map(str::to_owned);
        for what in std::iter::once("report".to_owned()).chain(others).chain(overlays) {
            let path = self.request.folder.join(format!("{name}.{what}.dcm"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("could not replace `{}`", path.display()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Returns the findings in a row of the table.
    fn findings(&self, row: usize) -> Vec<FindingResult> {
        let scores = &self.table.scores;
        let findings = self.description.findings.iter().zip(scores.findings());
        let result =
            |(&finding, scored): (&roentgen_data::Finding, &roentgen_eval::ScoredFinding)| {
                let cell = |suffix: &str| {
                    let column = scores.column(&format!("{}.{suffix}", scored.name))?;
                    Some(column[row].as_str()).filter(|cell| !cell.is_empty())
                };
                FindingResult {
                    finding,
                    probability: scored.probabilities[row],
                    calibrated: cell("calibrated").and_then(|cell| cell.parse().ok()),
                    threshold: self.table.thresholds.get(&scored.name).copied(),
                    is_called: cell("call").map(|cell| cell == "1"),
                }
            };
        findings.map(result).collect()
    }
}

/// Returns the turns that undo those of a correction; `None` if there were none.
fn turned_back(correction: Option<Position>) -> Option<Position> {
    let turns = correction?.quarter_turns;
    (turns > 0).then_some(Position { quarter_turns: 4 - turns, is_inverted: false })
}

//! The report of an evaluation: one HTML file, Markdown, JSON and images.
//!
//! `report.html` is self-contained: images are inline, there is no script, and a policy in its head
//! forbids loading anything. Image names are not trusted, so the template escapes every text except
//! for the SVG that is drawn here.

mod auroc;
mod card;
mod differences;
mod page;
mod plot;
mod provenance;
mod published;
mod tables;
mod whisker;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

pub use crate::films::{Agreement, ChosenFilm, FilmBox, FilmCard, confident_films};
pub use auroc::{auroc_table, roc_picture};
pub use differences::{Compared, write_differences};
pub use provenance::Provenance;

use crate::{
    Error, Evaluation, Scores, file, format::PROGRAM, localization::Localization,
    protocols::Protocols, render::render,
};

/// The parts of a report.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What is known of the model and of the labels, for the title and the first lines.
    pub provenance: Provenance,
    /// The metrics.
    pub evaluation: &'a Evaluation,
    /// The score table of the metrics, for the curves.
    pub scores: &'a Scores,
    /// Films of high confidence, see [`confident_films`].
    pub films: Vec<FilmCard>,
    /// Heat maps of the same model compared with boxes, if they were given.
    pub localization: Option<Localization>,
    /// Notes for the reader, one sentence each: experiment file, commit, machine.
    pub notes: Vec<String>,
    /// The difference from another table, if it was compared with one.
    pub compared: Option<Compared>,
    /// The figures by the study's and the official protocol, if they were asked for.
    pub protocols: Option<Protocols>,
}

impl Report<'_> {
    /// Whether the model that was given is known to be the one that predicted the table; `None` if
    /// no model was given.
    fn model_is_checked(&self) -> Option<bool> {
        self.provenance.model.as_ref().map(|_| self.evaluation.model.is_some())
    }
}

/// Writes the files of a report into a folder, each under a temporary name first, and returns their
/// paths: `report.html`, `report.md`, `metrics.json`, `model-card.md` and `model-card.json`, four
/// pictures, and the tables `summary.csv`, `findings.csv`, `calibration.csv`, `operating-points.csv`,
/// `subgroups.csv`, `subgroup-findings.csv`, `co-occurrence.csv`, `curves.csv`, `roc.csv`, `pr.csv` and `errors.csv`; with
/// figures by two protocols also `protocols.csv`.
///
/// # Errors
///
/// Returns an error if the folder cannot be created or a file cannot be written.
pub fn write(folder: impl AsRef<Path>, report: &Report) -> Result<Vec<PathBuf>, Error> {
    let folder = folder.as_ref();
    fs::create_dir_all(folder)
        .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    let mut files = vec![
        ("report.html", html(report)?),
        ("report.md", markdown(report)?),
        ("metrics.json", metrics(report)?),
        ("model-card.md", card::markdown(report)?),
        ("model-card.json", card::json_text(report)? + "\n"),
        ("summary.csv", tables::summary(report)?),
        ("findings.csv", tables::findings(report)?),
        ("calibration.csv", tables::calibration(report)?),
        ("operating-points.csv", tables::operating_points(report)?),
        ("subgroups.csv", tables::subgroups(report)?),
        ("subgroup-findings.csv", tables::subgroup_findings(report)?),
        ("co-occurrence.csv", tables::co_occurrence(report)?),
        ("curves.csv", tables::all_curves(report)?),
        ("roc.csv", tables::roc(report)?),
        ("pr.csv", tables::precision_recall(report)?),
        ("errors.csv", tables::errors(report)?),
    ];
    let pictures = plot::Kind::ALL.map(|kind| (kind.file_name(), plot::picture(kind, report)));
    files.extend(pictures);
    if let Some(protocols) = &report.protocols {
        files.push(("protocols.csv", tables::protocols(protocols)?));
    }
    let written = files.into_iter().map(|(name, text)| {
        let path = folder.join(name);
        file::write(&path, text.as_bytes()).map(|()| path)
    });
    written.collect()
}

/// Returns all figures and where they come from, as JSON.
///
/// # Errors
///
/// Never returns an error for metrics computed by [`evaluate`](crate::evaluate()).
pub fn metrics(report: &Report) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Metrics<'a> {
        program: &'static str,
        #[serde(flatten)]
        evaluation: &'a Evaluation,
        #[serde(skip_serializing_if = "Option::is_none")]
        compared: Option<&'a Compared>,
        #[serde(skip_serializing_if = "Option::is_none")]
        protocols: Option<&'a Protocols>,
        provenance: Origin<'a>,
        localization: Option<&'a Localization>,
    }
    #[derive(Serialize)]
    struct Origin<'a> {
        #[serde(flatten)]
        provenance: &'a Provenance,
        model_is_checked: Option<bool>,
    }
    let (evaluation, provenance) = (report.evaluation, &report.provenance);
    let provenance = Origin { provenance, model_is_checked: report.model_is_checked() };
    let (compared, protocols) = (report.compared.as_ref(), report.protocols.as_ref());
    let localization = report.localization.as_ref();
    let metrics =
        Metrics { program: PROGRAM, evaluation, compared, protocols, provenance, localization };
    let text = serde_json::to_string_pretty(&metrics);
    Ok(text.map_err(|source| Error::Json { source })? + "\n")
}

/// Returns the report as one HTML file.
///
/// # Errors
///
/// Returns an error if the template cannot be filled, which would be a bug in this crate.
pub fn html(report: &Report) -> Result<String, Error> {
    render("report.html", include_str!("report/report.html"), page::ReportPage::of(report))
}

/// Returns the report as Markdown, for terminals, issues and commits.
///
/// # Errors
///
/// Returns an error if the template cannot be filled, which would be a bug in this crate.
pub fn markdown(report: &Report) -> Result<String, Error> {
    render("report.md", include_str!("report/report.md"), page::ReportPage::of(report))
}

#[cfg(test)]
mod tests;

//! The report of an evaluation: one HTML file, Markdown, JSON and images.
//!
//! `report.html` is self-contained: images are inline, there is no script, and a policy in its head
//! forbids loading anything. Image names are not trusted, so the template escapes every text except
//! for the SVG that is drawn here.

mod films;
pub(crate) mod format;
mod page;
mod plot;
mod published;
mod whisker;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use films::{Choice, FilmCard, Verdict, confident_films};

use crate::{Error, Evaluation, Scores, file, render::render};

/// The parts of a report.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Title, such as the name of the experiment.
    pub title: String,
    /// The metrics.
    pub evaluation: &'a Evaluation,
    /// The score table of the metrics, for the curves.
    pub scores: &'a Scores,
    /// Films of high confidence, see [`confident_films`].
    pub films: Vec<FilmCard>,
    /// Notes for the reader, one sentence each: experiment file, commit, machine.
    pub notes: Vec<String>,
    /// More figures, shown before the published rows.
    pub figures: Vec<Figure>,
}

/// A figure made elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its heading.
    pub title: String,
    /// What it shows and how to read it.
    pub caption: String,
    /// The image.
    pub picture: Picture,
}

/// The file of an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Picture {
    /// A complete SVG document.
    Svg(String),
    /// A PNG.
    Png(Vec<u8>),
}

/// Writes `report.html`, `report.md`, `metrics.json`, `roc.svg`, `precision-recall.svg` and
/// `reliability.svg` into a folder, each under a temporary name first, and returns their paths.
///
/// # Errors
///
/// Returns an error if the folder cannot be created or a file cannot be written.
pub fn write(folder: impl AsRef<Path>, report: &Report) -> Result<Vec<PathBuf>, Error> {
    let folder = folder.as_ref();
    fs::create_dir_all(folder)
        .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    let files = [
        ("report.html", html(report)?),
        ("report.md", markdown(report)?),
        ("metrics.json", report.evaluation.to_json()?),
        ("roc.svg", plot::picture(plot::Kind::Roc, report)),
        ("precision-recall.svg", plot::picture(plot::Kind::PrecisionRecall, report)),
        ("reliability.svg", plot::picture(plot::Kind::Reliability, report)),
    ];
    let written = files.into_iter().map(|(name, text)| {
        let path = folder.join(name);
        file::write(&path, text.as_bytes()).map(|()| path)
    });
    written.collect()
}

/// Returns the report as one HTML file.
///
/// # Errors
///
/// Returns an error if the template cannot be filled, which would be a bug in this crate.
pub fn html(report: &Report) -> Result<String, Error> {
    render("report.html", include_str!("report/report.html"), page::Page::of(report))
}

/// Returns the report as Markdown, for terminals, issues and commits.
///
/// # Errors
///
/// Returns an error if the template cannot be filled, which would be a bug in this crate.
pub fn markdown(report: &Report) -> Result<String, Error> {
    render("report.md", include_str!("report/report.md"), page::Page::of(report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Finding, Options, evaluate};

    /// Films with hostile names, two findings, one of them without positives.
    fn table(dataset: &str, split: &str) -> Scores {
        let films = 60;
        let finding = |name: &str, every: usize| Finding {
            name: name.into(),
            probabilities: (0..films).map(|i| (i * 29 % 101) as f64 / 101.0).collect(),
            truths: (0..films).map(|i| Some(every > 0 && i % every == 0)).collect(),
        };
        let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
        Scores::new(
            texts(&|i| format!("<script>alert({i})</script>|`.png")),
            texts(&|i| (i / 2).to_string()),
            vec![finding("Mass", 3), finding("<b>Hernia", 0)],
        )
        .and_then(|scores| scores.with_column("dataset", texts(&|_| dataset.into())))
        .and_then(|scores| scores.with_column("split", texts(&|_| split.into())))
        .and_then(|scores| scores.with_column("sex", texts(&|i| ["F", "M"][i % 2].into())))
        .unwrap()
    }

    fn pages(dataset: &str, split: &str) -> (String, String) {
        let scores = table(dataset, split);
        let evaluation = evaluate(&scores, &Options { resamples: 20, seed: 1 }).unwrap();
        let films = confident_films(&scores, 2).into_iter();
        let report = Report {
            title: "run <1>".into(),
            evaluation: &evaluation,
            scores: &scores,
            films: films
                .map(|choice| FilmCard { choice, png: vec![1, 2, 3], text: "a & b".into() })
                .collect(),
            notes: vec!["commit <abc>".into()],
            figures: vec![Figure {
                title: "Loss".into(),
                caption: "falls".into(),
                picture: Picture::Svg("<svg><script>x</script></svg>".into()),
            }],
        };
        (html(&report).unwrap(), markdown(&report).unwrap())
    }

    #[test]
    fn hostile_names_are_escaped() {
        let (html, markdown) = pages("NIH ChestX-ray14", "official test");

        assert!(!html.contains("<script") && !html.contains("<b>Hernia"));
        assert!(html.contains("&lt;script&gt;") && html.contains("&lt;b&gt;Hernia"));
        assert!(!markdown.contains("<script"));
    }

    #[test]
    fn the_page_loads_nothing() {
        let (html, _) = pages("NIH ChestX-ray14", "official test");

        assert!(html.contains("default-src 'none'"));
        assert!(
            !html.contains("src=\"http") && !html.contains("<link") && !html.contains("@import")
        );
    }

    #[test]
    fn drawn_films_have_a_banner_and_no_published_rows_beside_them() {
        let (html, markdown) = pages("phantom", "official test");

        for page in [html, markdown] {
            assert!(page.contains(
                "Films drawn by roentgen phantom: synthetic test data, no real patients."
            ));
            assert!(!page.contains("SwinCheX"));
        }
        assert!(!pages("NIH ChestX-ray14", "official test").0.contains("roentgen phantom"));
    }

    #[test]
    fn a_leaky_split_has_a_banner() {
        let (html, markdown) = pages("NIH ChestX-ray14", "by-image test, leaky");

        assert!(html.contains("class=\"banner leaky\""));
        assert!(markdown.contains("leaky"));
        assert!(!pages("NIH ChestX-ray14", "official test").0.contains("class=\"banner leaky\""));
    }

    #[test]
    fn accuracy_never_stands_alone() {
        let (html, markdown) = pages("NIH ChestX-ray14", "official test");

        for page in [html, markdown] {
            let at = page.find("Binary accuracy").unwrap();
            assert!(page[at..at + 300].contains("always answering"), "{}", &page[at..at + 300]);
        }
    }

    #[test]
    fn a_figure_without_a_meaning_is_not_a_number() {
        let (html, markdown) = pages("NIH ChestX-ray14", "official test");

        assert!(html.contains("n/a") && markdown.contains("n/a"));
        assert!(!html.contains("NaN") && !markdown.contains("NaN"));
    }

    #[test]
    fn all_files_are_written() {
        let scores = table("NIH ChestX-ray14", "official test");
        let evaluation = evaluate(&scores, &Options { resamples: 20, seed: 1 }).unwrap();
        let report = Report {
            title: "run".into(),
            evaluation: &evaluation,
            scores: &scores,
            films: Vec::new(),
            notes: Vec::new(),
            figures: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();

        let paths = write(folder.path().join("out"), &report).unwrap();
        assert_eq!(paths.len(), 6);
        for path in paths {
            assert!(fs::metadata(&path).unwrap().len() > 100, "{}", path.display());
        }
    }
}

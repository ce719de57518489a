//! Draws a map over its film, alone, and for the figure.

use std::collections::HashSet;
use std::path::Path;

use roentgen_data::pixels::{self, Plane};
use roentgen_data::{Finding, nih};
use roentgen_eval::HeatMap;
use roentgen_figures::FilmTile;
use roentgen_models::{Method, overlay};

use super::{ExplainedFilm, Probability, RawMap};
use crate::sources::SourceFilm;

/// Findings that the figure lists below a film with an attention mask.
const LISTED: usize = 3;

/// A map to draw.
pub(super) struct MapToDraw<'a> {
    pub(super) film: &'a SourceFilm,
    pub(super) method: Method,
    pub(super) map: &'a HeatMap,
    /// The explained finding.
    pub(super) finding: Probability,
    /// All findings, the most probable first.
    pub(super) findings: &'a [Probability],
    /// Begins the names of the files of the film.
    pub(super) file_name: &'a str,
}

impl MapToDraw<'_> {
    /// Writes the overlay and the map alone, in the size of `plane`.
    pub(super) fn write(&self, plane: &Plane, out: &Path) -> anyhow::Result<ExplainedFilm> {
        let (stem, alone, lines) = match self.method {
            Method::Attention => (
                self.file_name.to_owned(),
                "mask",
                ["attention mask,".to_owned(), "one for all findings".to_owned()],
            ),
            method => (
                format!("{}.{}", self.file_name, self.finding.finding),
                "map",
                [format!("{} for", method.name()), self.finding.finding.to_string()],
            ),
        };
        let ends = self.ends();
        let overlay = out.join(format!("{stem}.overlay.png"));
        let picture = overlay::picture(plane, self.map, ends, [&lines[0], &lines[1]]);
        let png = pixels::rgb_to_png(picture.width, picture.height, &picture.pixels);
        roentgen_files::write_whole(&overlay, &png)?;
        // A mask is a share of 0..1; other maps are in units of the logit.
        let ends = if self.method == Method::Attention { [0.0, 1.0] } else { ends };
        let map = out.join(format!("{stem}.{alone}.png"));
        let alone = pixels::to_png(&overlay::map_alone(plane, self.map, ends));
        roentgen_files::write_whole(&map, &alone)?;
        let HeatMap { height, width, ref values } = *self.map;
        Ok(ExplainedFilm {
            image: self.film.image.clone(),
            finding: self.finding.finding,
            probability: self.finding.probability,
            findings: self.findings.to_vec(),
            overlay,
            map,
            mask: RawMap { height, width, values: values.clone() },
        })
    }

    /// Returns the tile of the figure, which shows `plane` and its overlay.
    pub(super) fn tile(&self, plane: &Plane) -> FilmTile {
        let line = |Probability { finding, probability }: &Probability| {
            let label = self.film.findings.map_or("", |shown| {
                if shown.contains(*finding) { ", label positive" } else { ", label negative" }
            });
            format!("{} {probability:.3}{label}", readable(*finding))
        };
        let [low, high] = self.map.range();
        let mut lines: Vec<String> = match self.method {
            Method::Attention => self.findings.iter().take(LISTED).map(line).collect(),
            _ => vec![line(&self.finding)],
        };
        lines.push(match self.method {
            Method::Attention => format!("mask {low:.3} to {high:.3}"),
            _ if high <= 0.0 => "nothing speaks for the finding".to_owned(),
            _ => format!("map {low:.3} to {high:.3}"),
        });
        lines.push(self.film.image.clone());
        FilmTile {
            png: pixels::to_png(plane),
            size: [plane.height, plane.width],
            lines,
            overlay: Some(self.overlay(plane)),
        }
    }

    /// Draws the map over the film, without text, as PNG.
    pub(super) fn overlay(&self, plane: &Plane) -> Vec<u8> {
        let colours = overlay::overlay(plane, self.map, self.ends());
        pixels::rgb_to_png(plane.width, plane.height, &colours)
    }

    /// Returns the values of the first and the last color.
    fn ends(&self) -> [f32; 2] {
        match self.method {
            Method::Attention => overlay::mask_ends(self.map),
            Method::Cam | Method::GradCam | Method::GradCamPlusPlus | Method::Occlusion => {
                overlay::evidence_ends(self.map)
            }
        }
    }
}

/// Returns the name of a finding as words.
fn readable(finding: Finding) -> String {
    finding.name().replace('_', " ")
}

/// Returns a name for the files of each film: the film's without its extension, or with it where
/// that name is taken. A film of a folder of folders is named by its path.
pub(crate) fn file_names<'a>(images: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut free = |image: &str| {
        let whole = image.replace(['/', '\\'], "_");
        let stem = nih::stem(&whole).to_owned();
        let numbered = (2..).map(|number| format!("{whole}-{number}"));
        let mut names = [stem, whole.clone()].into_iter().chain(numbered);
        names.find(|name| taken.insert(name.clone())).unwrap_or(whole.clone())
    };
    images.map(&mut free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_of_one_stem_keep_their_extensions_and_no_two_share_a_name() {
        let names =
            file_names(["a.png", "b.png", "a.jpg", "x/a.png", "x_a.png", "x_a.png"].into_iter());

        assert_eq!(names, ["a", "b", "a.jpg", "x_a", "x_a.png", "x_a.png-2"]);
    }
}

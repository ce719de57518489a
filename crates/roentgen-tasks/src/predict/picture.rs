//! One picture of a film: the film, its heat map and the list of its findings.

use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_data::pixels::{self, Filter, Plane};
use roentgen_eval::HeatMap;
use roentgen_models::explainer::WantedMap;
use roentgen_models::overlay::{self, LETTER, Picture};
use roentgen_models::predictor::Prediction;
use roentgen_models::{Explainer, Method, ModelInfo};

use super::{PredictedTable, find_most_probable};

/// Side of the squares for the film and the heat map, in pixels.
const SIDE: u32 = 512;
/// Distance between the parts.
const GAP: u32 = 16;
/// Zoom of the text.
const ZOOM: u32 = 2;
/// Width of a letter in pixels.
const WIDE: u32 = LETTER * ZOOM;
/// Height of a line of text.
const LINE: u32 = WIDE + 8;
/// Height of a row of the list.
const ROW: u32 = 32;
/// Letters of the longest name of a finding.
const NAME: u32 = 18;
/// Letters of a probability, with a space on either side.
const NUMBER: u32 = 7;
/// Width of a bar of probability one.
const BAR: u32 = 200;
/// Height of the bars.
const BAR_HEIGHT: u32 = 14;
/// Letters of the call.
const CALL: u32 = 9;
/// Lines below the film, the heat map and the list.
const BELOW: u32 = 4;

/// Behind a bar, up to probability one.
const TRACK: [u8; 3] = [44, 48, 56];
/// A bar below its threshold, or without one.
const QUIET: [u8; 3] = [96, 136, 184];
/// A bar at or above its threshold.
const CALLED: [u8; 3] = [238, 150, 60];
/// The threshold.
const MARK: [u8; 3] = [255, 255, 255];

/// A map over a film, and what it shows.
struct MapToDraw {
    map: HeatMap,
    /// The values of the first and the last color.
    ends: [f32; 2],
    /// Two lines.
    what: [String; 2],
}

/// Draws the only film of a table, which the model in the folder `model` predicted, as a PNG.
///
/// # Errors
///
/// Returns an error if the table has several films, if the film cannot be read again, or if a model
/// without an attention mask cannot be loaded again for Grad-CAM.
pub fn picture(table: &PredictedTable, model: &Path, device: &Device) -> anyhow::Result<Vec<u8>> {
    let [(film, prediction)] = table.predicted.predictions.as_slice() else {
        bail!(
            "a picture has one film, but {} were predicted; name one film",
            table.predicted.predictions.len()
        );
    };
    let sources = &table.predicted.sources;
    let film = &sources.films[*film];
    let size = ModelInfo::read(model)?.input.size;
    let read =
        sources.read(film, size).with_context(|| format!("could not read `{}`", film.source))?;
    let plane = pixels::fit(read.own, SIDE, Filter::Lanczos3)?;
    let map = match &prediction.mask {
        Some(mask) => MapToDraw {
            map: mask.clone(),
            ends: overlay::mask_ends(mask),
            what: ["attention mask,".to_owned(), "one for all findings".to_owned()],
        },
        None => grad_cam(&read.input, prediction, model, device)?,
    };
    let drawn = draw(&film.image, &plane, &map, table);
    Ok(pixels::rgb_to_png(drawn.width, drawn.height, &drawn.pixels))
}

/// Computes the Grad-CAM of the most probable finding of a film.
fn grad_cam(
    input: &[u8],
    prediction: &Prediction,
    model: &Path,
    device: &Device,
) -> anyhow::Result<MapToDraw> {
    let explainer = Explainer::load(model, device)?;
    let output = find_most_probable(&prediction.probabilities);
    let look = explainer.look(&[input]);
    let maps = explainer.maps(Method::GradCam, &look, &[WantedMap { film: 0, output }]);
    if let Some(failure) = roentgen_kernels::failure() {
        bail!("the GPU failed: {failure}");
    }
    let map = maps.into_iter().next().context("no map was computed")?;
    let finding = explainer.description.findings[output].name().replace('_', " ");
    Ok(MapToDraw {
        ends: overlay::evidence_ends(&map),
        map,
        what: [format!("{} for", Method::GradCam.name()), finding],
    })
}

fn draw(name: &str, film: &Plane, map: &MapToDraw, table: &PredictedTable) -> Picture {
    let list = GAP + 2 * (SIDE + GAP);
    let width = list + (NAME + NUMBER) * WIDE + BAR + CALL * WIDE + GAP;
    let top = GAP + LINE + GAP;
    let rows = table.scores.findings().len() as u32 * ROW;
    let bottom = top + SIDE.max(rows) + GAP;
    let mut picture = Picture::new(bottom + BELOW * LINE + GAP, width);

    picture.write(&shortened(name, width - 2 * GAP), [GAP, GAP], ZOOM);
    picture.lay(&Picture::gray(film), [top, GAP]);
    draw_map(&mut picture, film, map, [top, bottom]);
    draw_findings(&mut picture, table, [top, list]);
    let thresholds = if table.thresholds.is_empty() {
        "no thresholds were fitted".to_owned()
    } else {
        format!("white mark: threshold ({})", table.operating_point.name())
    };
    let model = format!("model {}", table.model);
    let mut notes = vec![thresholds.as_str()];
    let fitted = table.thresholds.len();
    if fitted > 0 && fitted < table.scores.findings().len() {
        notes.push("without a mark none was fitted");
    }
    notes.extend([model.as_str(), "not for diagnostic use"]);
    write_lines(&mut picture, &notes, [bottom, list]);
    picture
}

/// Draws the film under its map between two heights, and below it what the map is, its range and
/// the colours with the values of their ends.
fn draw_map(picture: &mut Picture, film: &Plane, map: &MapToDraw, [top, bottom]: [u32; 2]) {
    let left = 2 * GAP + SIDE;
    let under = Picture {
        height: film.height,
        width: film.width,
        pixels: overlay::overlay(film, &map.map, map.ends),
    };
    picture.lay(&under, [top, left]);
    let ([low, high], [first, last]) = (map.map.range(), map.ends);
    let range = format!("{low:.3} to {high:.3} in this film");
    let [what, detail] = &map.what;
    write_lines(picture, &[what, detail, &range], [bottom, left]);
    let line = bottom + 3 * LINE;
    let (first, last) = (format!("{first:.2}"), format!("{last:.2}"));
    let (before, after) = (letters(&first), letters(&last));
    picture.write(&first, [line, left], ZOOM);
    picture.bar([line, left + before + GAP], [WIDE, SIDE - before - after - 2 * GAP]);
    picture.write(&last, [line, left + SIDE - after], ZOOM);
}

/// Draws the findings, the most probable first, each with its probability as a bar.
fn draw_findings(picture: &mut Picture, table: &PredictedTable, [top, left]: [u32; 2]) {
    let mut findings: Vec<_> = table.scores.findings().iter().collect();
    findings.sort_by(|a, b| b.probabilities[0].total_cmp(&a.probabilities[0]));
    for (number, finding) in (0..).zip(findings) {
        let row = top + number * ROW;
        let (probability, threshold) =
            (finding.probabilities[0], table.thresholds.get(&finding.name));
        let is_called = threshold.is_some_and(|&threshold| probability >= threshold);
        picture.write(&finding.name.replace('_', " "), [row, left], ZOOM);
        let number = left + (NAME + 1) * WIDE;
        picture.write(&format!("{probability:.3}"), [row, number], ZOOM);
        let bar = left + (NAME + NUMBER) * WIDE;
        let length = |value: f64| (value.clamp(0.0, 1.0) * f64::from(BAR)).round() as u32;
        picture.fill([row, bar], [BAR_HEIGHT, BAR], TRACK);
        let colour = if is_called { CALLED } else { QUIET };
        picture.fill([row, bar], [BAR_HEIGHT, length(probability)], colour);
        if let Some(&threshold) = threshold {
            let place = [row - 3, bar + length(threshold).min(BAR - 2)];
            picture.fill(place, [BAR_HEIGHT + 6, 2], MARK);
        }
        if is_called {
            picture.write("positive", [row, bar + BAR + WIDE / 2], ZOOM);
        }
    }
}

fn write_lines(picture: &mut Picture, lines: &[&str], [top, left]: [u32; 2]) {
    for (number, line) in (0..).zip(lines) {
        picture.write(line, [top + number * LINE, left], ZOOM);
    }
}

/// Returns the width of a text in pixels.
fn letters(text: &str) -> u32 {
    text.chars().count() as u32 * WIDE
}

/// Cuts a text that is wider than `width` pixels.
fn shortened(text: &str, width: u32) -> String {
    let most = (width / WIDE) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(3)).collect();
    kept + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_to_the_width() {
        assert_eq!(shortened("film.png", 8 * WIDE), "film.png");
        assert_eq!(shortened("film.png", 7 * WIDE + 3), "film...");
    }
}

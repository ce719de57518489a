//! The heat maps of a film, in the geometry of its file.

use std::path::Path;

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use roentgen_data::Finding;
use roentgen_data::gate::Position;
use roentgen_dicom::FilmMap;
use roentgen_eval::{HeatMap, OperatingRule};
use roentgen_models::explainer::WantedMap;
use roentgen_models::predictor::Prediction;
use roentgen_models::{Explainer, Method, ModelInfo, overlay};

use crate::explain::wanted::ExplainRule;

/// Cells along the longer edge of a map from which contours are drawn: enough for smooth lines between
/// the few cells of a network.
const CELLS: usize = 64;

/// Computes maps by the method that suits the head, of the findings that the model calls.
pub(super) struct Mapper {
    pub(super) method: Method,
    rule: ExplainRule,
    findings: Vec<Finding>,
    /// For all methods but attention, whose masks the predictions have.
    explainer: Option<Explainer>,
}

/// A map, and what it is.
pub(super) struct DrawnMap {
    /// `None` for a mask, which is one for all findings.
    pub(super) finding: Option<Finding>,
    pub(super) what: String,
    pub(super) map: HeatMap,
    pub(super) ends: [f32; 2],
    layer: String,
    smooth: HeatMap,
}

impl Mapper {
    pub(super) fn load(
        model: &Path,
        description: &ModelInfo,
        operating_point: OperatingRule,
        device: &Device,
    ) -> anyhow::Result<Self> {
        let method = Method::default_for(description.network.pool);
        let explainer = match method {
            Method::Attention => None,
            _ => Some(Explainer::load(model, device)?),
        };
        let rule = ExplainRule::of(description, method, &[], operating_point)?;
        Ok(Self { method, rule, findings: description.findings.clone(), explainer })
    }

    /// Computes the maps of a film, which the network saw as `input`.
    pub(super) fn maps(
        &self,
        image: &str,
        prediction: &Prediction,
        input: &[u8],
        correction: Option<Position>,
    ) -> anyhow::Result<Vec<DrawnMap>> {
        let outputs = self.rule.outputs(image, prediction);
        let turns = (4 - correction.map_or(0, |was| was.quarter_turns)) % 4;
        let Some(explainer) = &self.explainer else {
            let mask = prediction.mask.clone().context("the prediction has no attention mask")?;
            let ends = overlay::mask_ends(&mask);
            return Ok(vec![DrawnMap::new(None, "attention mask", turned(mask, turns), ends)]);
        };
        let look = explainer.look(&[input]);
        let wanted: Vec<WantedMap> =
            outputs.iter().map(|&output| WantedMap { film: 0, output }).collect();
        let maps = explainer.maps(self.method, &look, &wanted);
        if let Some(failure) = roentgen_kernels::failure() {
            bail!("the GPU failed: {failure}");
        }
        let drawn = |(map, output): (HeatMap, usize)| {
            let finding = self.findings[output];
            let probability = prediction.probabilities[output];
            let what = format!("{} for {finding} {probability:.3}", self.method.name());
            let ends = overlay::evidence_ends(&map);
            DrawnMap::new(Some(finding), &what, turned(map, turns), ends)
        };
        Ok(maps.into_iter().zip(outputs).map(drawn).collect())
    }
}

impl DrawnMap {
    fn new(finding: Option<Finding>, what: &str, map: HeatMap, ends: [f32; 2]) -> Self {
        let name = finding.map_or("ATTENTION", |finding| finding.name());
        let cells = [map.height, map.width].map(|cells| cells.max(CELLS));
        let smooth = HeatMap { height: cells[0], width: cells[1], values: map.resized(cells) };
        Self {
            finding,
            what: what.to_owned(),
            ends,
            map,
            layer: name.chars().take(16).collect(),
            smooth,
        }
    }

    /// Returns the map as a presentation state draws it.
    pub(super) fn as_film_map(&self) -> FilmMap<'_> {
        FilmMap {
            name: &self.layer,
            what: &self.what,
            size: [self.smooth.height, self.smooth.width],
            values: &self.smooth.values,
            ends: self.ends,
        }
    }
}

/// Turns a map counterclockwise by quarters.
fn turned(map: HeatMap, quarters: u8) -> HeatMap {
    (0..quarters).fold(map, |map, _| {
        let HeatMap { height, width, values } = map;
        let column = |column: usize| (0..height).map(move |row| (row, column));
        let places = (0..width).rev().flat_map(column);
        let values = places.map(|(row, column)| values[row * width + column]).collect();
        HeatMap { height: width, width: height, values }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_turned_as_pictures_are() {
        let map = HeatMap { height: 2, width: 3, values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] };
        let plane =
            roentgen_data::pixels::Plane { height: 2, width: 3, pixels: vec![0, 1, 2, 3, 4, 5] };

        for quarters in 0..4 {
            let map = turned(map.clone(), quarters);
            let position = Position { quarter_turns: quarters, is_inverted: false };
            let plane = position.corrected(plane.clone());
            let pixels: Vec<f32> = plane.pixels.iter().map(|&pixel| f32::from(pixel)).collect();
            assert_eq!((map.width as u32, map.values), (plane.width, pixels));
        }
    }
}

//! From scored maps to figures with intervals.
//!
//! Every figure is a ratio of two sums over films, so a resample needs only the sums of each
//! patient. The best threshold of the maps of a film is chosen on the films of other patients, in
//! five folds of them; resamples do not choose again.

use serde::{Deserialize, Serialize};

use super::Case;
use super::score::{Found, LEVELS, OVERLAPS, Scored};
use crate::{BootstrapOptions, Interval, cohort::resample};

/// Folds of patients for the choice of the threshold.
const FOLDS: usize = 5;
/// Kinds of maps: of the model, random, mean box, ceiling.
const ROWS: usize = 4;
/// Figures of a kind of map: pointing, overlap, and for both overlaps of boxes accuracy and false
/// boxes at each T.
const IN_ROW: usize = 2 + 4 * OVERLAPS.len();
/// Ratios of a finding: those of each kind of map, and the correlation.
const RATIOS: usize = ROWS * IN_ROW + 1;
/// Figures of a finding: those, and for each map but the model's by how much the model's is better,
/// in pointing and in overlap. A mean lead is thus a mean over the findings that have both maps.
const ALL: usize = RATIOS + 2 * (ROWS - 1);

/// A value with its 95 % interval; `None` if it is undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The value.
    pub value: Option<f64>,
    /// Its interval by resampling patients.
    pub ci95: Option<Interval>,
}

/// Figures of detected boxes at one overlap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtOverlap {
    /// The overlap above which a box counts as found.
    pub t: f64,
    /// Share of the drawn boxes that are found.
    pub accuracy: Figure,
    /// Mean number of false boxes on a film.
    pub false_boxes: Figure,
}

/// Figures of one kind of map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowFigures {
    /// Share of films whose highest pixel is in a box.
    pub pointing: Figure,
    /// Mean intersection over union at the best threshold, chosen on other patients.
    pub iou: Figure,
    /// By intersection over the detected box.
    pub by_iobb: Vec<AtOverlap>,
    /// By intersection over union.
    pub by_iou: Vec<AtOverlap>,
    /// The model's figures minus these, on the same resamples; `None` for the model itself.
    pub lead: Option<Lead>,
}

/// What the model's map is ahead of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// Difference in pointing.
    pub pointing: Figure,
    /// Difference in intersection over union.
    pub iou: Figure,
}

/// The correlation with the map of a model with random weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Number of films whose two maps are not flat.
    pub films: usize,
    /// Mean rank correlation.
    pub value: Option<f64>,
    /// Its interval.
    pub ci95: Option<Interval>,
}

/// The figures of a finding, or their means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapFigures {
    /// The maps of the model.
    pub model: RowFigures,
    /// Random maps of the same resolution.
    pub random: RowFigures,
    /// The mean box of the finding from other patients.
    pub mean_box: RowFigures,
    /// The drawn boxes at the resolution of the map.
    pub ceiling: RowFigures,
    /// The check by random weights.
    pub random_weights: Correlation,
}

/// Sums of a finding by patient.
struct Sums {
    /// The number of the patient, and numerators and denominators of all figures.
    patients: Vec<(u32, Vec<[f64; 2]>)>,
}

/// Computes the figures of each finding, and their means.
pub(super) fn rows(
    by_finding: &[Vec<&Case>],
    patients: usize,
    options: &BootstrapOptions,
) -> (Vec<MapFigures>, MapFigures) {
    let sums: Vec<Sums> = by_finding.iter().map(|cases| Sums::of(cases)).collect();
    let draws: Vec<Vec<Vec<Option<f64>>>> = resample(patients, options, |weights| {
        let weight = |patient: u32| f64::from(weights[patient as usize]);
        sums.iter().map(|sums| sums.values(&weight)).collect()
    });
    let values: Vec<Vec<Option<f64>>> = sums.iter().map(|sums| sums.values(&|_| 1.0)).collect();
    let correlated =
        |cases: &Vec<&Case>| cases.iter().filter(|case| case.correlation.is_some()).count();
    let of_finding = (0..by_finding.len()).map(|finding| {
        // One patient, drawn or not, has no interval.
        let draws = if sums[finding].patients.len() < 2 { &[] } else { draws.as_slice() };
        let own: Vec<&[Option<f64>]> = draws.iter().map(|draw| draw[finding].as_slice()).collect();
        MapFigures::of(&values[finding], &own, correlated(&by_finding[finding]))
    });
    let of_finding = of_finding.collect();
    let means: Vec<Vec<Option<f64>>> = draws.iter().map(|draw| mean(draw)).collect();
    let means: Vec<&[Option<f64>]> = means.iter().map(Vec::as_slice).collect();
    let all = by_finding.iter().map(correlated).sum();
    (of_finding, MapFigures::of(&mean(&values), &means, all))
}

/// Takes the mean of each figure over the findings that have it.
fn mean(findings: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    let of = |figure: usize| {
        let values: Vec<f64> = findings.iter().filter_map(|values| values[figure]).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    (0..ALL).map(of).collect()
}

impl Sums {
    fn of(cases: &[&Case]) -> Self {
        let kinds: [fn(&Case) -> Option<&Scored>; ROWS] = [
            |case| Some(&case.model),
            |case| Some(&case.random),
            |case| case.mean_box.as_ref(),
            |case| Some(&case.ceiling),
        ];
        let overlaps = kinds.map(|kind| best_overlaps(cases, kind));
        let mut patients: Vec<(u32, Vec<[f64; 2]>)> = Vec::new();
        for (at, case) in cases.iter().enumerate() {
            let mut ratios = Vec::with_capacity(RATIOS);
            for (kind, overlaps) in kinds.iter().zip(&overlaps) {
                match kind(case) {
                    Some(scored) => ratios.extend(ratios_of(scored, case.boxes, overlaps[at])),
                    None => ratios.extend([[0.0; 2]; IN_ROW]),
                }
            }
            ratios.push(case.correlation.map_or([0.0; 2], |value| [value, 1.0]));
            match patients.iter_mut().find(|(patient, _)| *patient == case.patient) {
                None => patients.push((case.patient, ratios)),
                Some((_, sums)) => {
                    for (sum, ratio) in sums.iter_mut().zip(ratios) {
                        *sum = [sum[0] + ratio[0], sum[1] + ratio[1]];
                    }
                }
            }
        }
        Self { patients }
    }

    /// Returns all figures, of patients with weights.
    fn values(&self, weight: &dyn Fn(u32) -> f64) -> Vec<Option<f64>> {
        let mut sums = vec![[0.0; 2]; RATIOS];
        for (patient, own) in &self.patients {
            let weight = weight(*patient);
            for (sum, own) in sums.iter_mut().zip(own) {
                *sum = [sum[0] + weight * own[0], sum[1] + weight * own[1]];
            }
        }
        let mut values: Vec<Option<f64>> =
            sums.into_iter().map(|[sum, count]| (count > 0.0).then(|| sum / count)).collect();
        for row in 1..ROWS {
            let lead = |at: usize| Some(values[at]? - values[row * IN_ROW + at]?);
            values.extend([lead(0), lead(1)]);
        }
        values
    }
}

/// Returns numerator and denominator of each figure of a map.
fn ratios_of(scored: &Scored, boxes: usize, overlap: Option<f64>) -> Vec<[f64; 2]> {
    let mut ratios = vec![[scored.pointing, 1.0], overlap.map_or([0.0; 2], |value| [value, 1.0])];
    for Found { hits, false_boxes } in [scored.iobb, scored.iou] {
        ratios.extend(hits.map(|hits| [f64::from(hits), boxes as f64]));
        ratios.extend(false_boxes.map(|count| [f64::from(count), 1.0]));
    }
    ratios
}

/// Returns the overlap of each map at the threshold that is best on the films of other folds; `None`
/// if these have no such map.
fn best_overlaps(cases: &[&Case], kind: fn(&Case) -> Option<&Scored>) -> Vec<Option<f64>> {
    let mut patients: Vec<u32> = cases.iter().map(|case| case.patient).collect();
    patients.sort_unstable();
    patients.dedup();
    let fold = |case: &Case| {
        patients.iter().position(|patient| *patient == case.patient).map(|at| at % FOLDS)
    };
    let folds: Vec<Option<usize>> = cases.iter().map(|case| fold(case)).collect();
    let best = |fold: Option<usize>| {
        let mut sums = [0.0; LEVELS];
        let mut count = 0;
        let others = cases.iter().zip(&folds).filter(|(_, other)| **other != fold);
        for scored in others.filter_map(|(case, _)| kind(case)) {
            count += 1;
            sums.iter_mut().zip(scored.by_level).for_each(|(sum, overlap)| *sum += overlap);
        }
        // Of equal thresholds the lowest is taken.
        let best = (0..LEVELS).max_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(b.cmp(&a)));
        best.filter(|_| count > 0)
    };
    let best: Vec<Option<usize>> = (0..FOLDS).map(|fold| best(Some(fold))).collect();
    let of_case =
        |(case, fold): (&&Case, &Option<usize>)| Some(kind(case)?.by_level[best[(*fold)?]?]);
    cases.iter().zip(&folds).map(of_case).collect()
}

impl MapFigures {
    fn of(values: &[Option<f64>], draws: &[&[Option<f64>]], correlated: usize) -> Self {
        let figure = |at: usize| Figure {
            value: values[at],
            ci95: values[at]
                .and_then(|_| Interval::of(draws.iter().filter_map(|d| d[at]).collect())),
        };
        let lead = |row: usize| {
            let start = RATIOS + 2 * (row - 1);
            Lead { pointing: figure(start), iou: figure(start + 1) }
        };
        let row = |row: usize| {
            let start = row * IN_ROW;
            let overlaps = |first: usize| {
                let at = |(number, t): (usize, f64)| AtOverlap {
                    t,
                    accuracy: figure(start + first + number),
                    false_boxes: figure(start + first + OVERLAPS.len() + number),
                };
                OVERLAPS.into_iter().enumerate().map(at).collect()
            };
            RowFigures {
                pointing: figure(start),
                iou: figure(start + 1),
                by_iobb: overlaps(2),
                by_iou: overlaps(2 + 2 * OVERLAPS.len()),
                lead: (row > 0).then(|| lead(row)),
            }
        };
        let Figure { value, ci95 } = figure(RATIOS - 1);
        Self {
            model: row(0),
            random: row(1),
            mean_box: row(2),
            ceiling: row(3),
            random_weights: Correlation { films: correlated, value, ci95 },
        }
    }

    /// Returns the rows by name.
    pub(super) fn named(&self) -> [(&'static str, &RowFigures); ROWS] {
        [
            ("model", &self.model),
            ("random", &self.random),
            ("mean-box", &self.mean_box),
            ("ceiling", &self.ceiling),
        ]
    }
}

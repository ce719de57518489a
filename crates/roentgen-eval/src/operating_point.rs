//! Results of a threshold for one finding, with intervals by patient.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::{
    BootstrapOptions, Confusion, Interval, PredictiveValues, ScoredFinding, Scores,
    cohort::{numbers, resample},
};

/// Results of a threshold for one finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// Name of the threshold, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Films with p >= threshold are called positive.
    pub threshold: f64,
    /// Films with the finding, called positive.
    pub true_positives: usize,
    /// Films without the finding, called positive.
    pub false_positives: usize,
    /// Films without the finding, called negative.
    pub true_negatives: usize,
    /// Films with the finding, called negative.
    pub false_negatives: usize,
    /// The figures.
    #[serde(flatten)]
    pub figures: CallFigures,
    /// The interval of each figure, by its name; in JSON `sensitivity_ci95` and so on.
    #[serde(flatten, serialize_with = "with_suffix")]
    pub ci95: BTreeMap<&'static str, Option<Interval>>,
}

/// The figures of calls at a threshold; each is `None` where it has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CallFigures {
    /// Fraction of films with the finding called positive.
    pub sensitivity: Option<f64>,
    /// Fraction of films without the finding called negative.
    pub specificity: Option<f64>,
    /// Fraction of positive calls that were right, at the prevalence of these films.
    pub ppv: Option<f64>,
    /// Fraction of negative calls that were right, at the prevalence of these films.
    pub npv: Option<f64>,
    /// Harmonic mean of sensitivity and PPV.
    pub f1: Option<f64>,
    /// Mean of sensitivity and specificity.
    pub balanced_accuracy: Option<f64>,
    /// Matthews' correlation coefficient.
    pub mcc: Option<f64>,
    /// sensitivity / (1 - specificity).
    pub lr_positive: Option<f64>,
    /// (1 - sensitivity) / specificity.
    pub lr_negative: Option<f64>,
    /// PPV at the stated prevalence.
    pub ppv_at_prevalence: Option<f64>,
    /// NPV at the stated prevalence.
    pub npv_at_prevalence: Option<f64>,
}

impl CallFigures {
    /// Computes the figures of counted calls; `prevalence` is a stated one.
    fn of(table: &Confusion, prevalence: Option<f64>) -> Self {
        let stated = prevalence.map(|prevalence| table.at_prevalence(prevalence));
        let stated = stated.unwrap_or(PredictiveValues { ppv: None, npv: None });
        Self {
            sensitivity: table.sensitivity(),
            specificity: table.specificity(),
            ppv: table.ppv(),
            npv: table.npv(),
            f1: table.f1(),
            balanced_accuracy: table.balanced_accuracy(),
            mcc: table.matthews_correlation(),
            lr_positive: table.positive_likelihood_ratio(),
            lr_negative: table.negative_likelihood_ratio(),
            ppv_at_prevalence: stated.ppv,
            npv_at_prevalence: stated.npv,
        }
    }

    /// Returns all figures with their names in JSON.
    pub(crate) fn figures_by_name(&self) -> [(&'static str, Option<f64>); 11] {
        [
            ("sensitivity", self.sensitivity),
            ("specificity", self.specificity),
            ("ppv", self.ppv),
            ("npv", self.npv),
            ("f1", self.f1),
            ("balanced_accuracy", self.balanced_accuracy),
            ("mcc", self.mcc),
            ("lr_positive", self.lr_positive),
            ("lr_negative", self.lr_negative),
            ("ppv_at_prevalence", self.ppv_at_prevalence),
            ("npv_at_prevalence", self.npv_at_prevalence),
        ]
    }
}

/// A threshold of a finding, by name.
pub(crate) type Threshold = (String, f64);

/// Computes the results of the thresholds of each finding; `prevalence` returns the stated
/// prevalence of a finding.
pub(crate) fn operating_points(
    scores: &Scores,
    thresholds: &[Vec<Threshold>],
    prevalence: &dyn Fn(&str) -> Option<f64>,
    options: &BootstrapOptions,
) -> Vec<Vec<OperatingPoint>> {
    let (numbers, patients) = numbers(scores);
    let tallies: Vec<Tally> = scores
        .findings()
        .iter()
        .zip(thresholds)
        .map(|(finding, thresholds)| Tally::of(finding, thresholds, &numbers, patients))
        .collect();
    let draws: Vec<Vec<Vec<Confusion>>> = resample(patients, options, |weights| {
        tallies.iter().map(|tally| tally.counts(|patient| weights[patient] as usize)).collect()
    });
    let of_finding = |index: usize| {
        let prevalence = prevalence(&scores.findings()[index].name);
        let tables = tallies[index].counts(|_| 1).into_iter().enumerate();
        let point = |(place, table): (usize, Confusion)| {
            let drawn = draws.iter().map(|draw| CallFigures::of(&draw[index][place], prevalence));
            let (name, threshold) = thresholds[index][place].clone();
            point(name, threshold, table, prevalence, &drawn.collect::<Vec<_>>())
        };
        tables.map(point).collect()
    };
    (0..tallies.len()).map(of_finding).collect()
}

fn point(
    name: String,
    threshold: f64,
    table: Confusion,
    prevalence: Option<f64>,
    drawn: &[CallFigures],
) -> OperatingPoint {
    let figures = CallFigures::of(&table, prevalence);
    let interval = |(place, (name, value)): (usize, (&'static str, Option<f64>))| {
        let values = drawn.iter().filter_map(|figures| figures.figures_by_name()[place].1);
        // A figure that all films leave undefined has no interval of the resamples that define it.
        (name, value.and_then(|_| Interval::of(values.collect())))
    };
    OperatingPoint {
        name,
        threshold,
        true_positives: table.true_positives,
        false_positives: table.false_positives,
        true_negatives: table.true_negatives,
        false_negatives: table.false_negatives,
        ci95: figures.figures_by_name().into_iter().enumerate().map(interval).collect(),
        figures,
    }
}

/// Writes the intervals under the names of their figures with `_ci95` behind.
fn with_suffix<S: Serializer>(
    intervals: &BTreeMap<&'static str, Option<Interval>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(intervals.iter().map(|(name, ends)| (format!("{name}_ci95"), ends)))
}

/// Calls of each patient's films at the thresholds of a finding.
struct Tally {
    points: usize,
    /// One entry for each patient and threshold, patient by patient.
    tables: Vec<Confusion>,
}

impl Tally {
    fn of(
        finding: &ScoredFinding,
        thresholds: &[Threshold],
        numbers: &[u32],
        patients: usize,
    ) -> Self {
        let points = thresholds.len();
        let mut tables = vec![Confusion::default(); patients * points];
        for (row, p, label) in finding.labeled_films() {
            let first = numbers[row] as usize * points;
            for (table, (_, threshold)) in tables[first..].iter_mut().zip(thresholds) {
                table.add(p >= *threshold, label, 1);
            }
        }
        Self { points, tables }
    }

    /// Returns the counts at each threshold, with each patient counted `weight` times.
    fn counts(&self, weight: impl Fn(usize) -> usize) -> Vec<Confusion> {
        let mut sums = vec![Confusion::default(); self.points];
        for (patient, tables) in self.tables.chunks(self.points.max(1)).enumerate() {
            match weight(patient) {
                0 => {}
                weight => sums.iter_mut().zip(tables).for_each(|(sum, table)| {
                    sum.add_table(table, weight);
                }),
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohort::draw;

    fn table() -> Scores {
        let films = 90_u32;
        let finding = ScoredFinding {
            name: "Mass".into(),
            probabilities: (0..films).map(|i| f64::from(i * 29 % 83) / 83.0).collect(),
            labels: (0..films).map(|i| (i % 13 != 5).then_some(i * 7 % 11 > 6)).collect(),
        };
        let texts = |of: &dyn Fn(u32) -> String| (0..films).map(of).collect::<Vec<_>>();
        Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 3).to_string()), vec![finding])
            .unwrap()
    }

    #[test]
    fn intervals_are_those_of_the_drawn_films() {
        let (scores, options) = (table(), BootstrapOptions { resamples: 60, seed: 4 });
        let thresholds = vec![vec![("half".to_owned(), 0.5), ("low".to_owned(), 0.2)]];
        let points = operating_points(&scores, &thresholds, &|_| Some(0.05), &options);

        let (numbers, patients) = numbers(&scores);
        for (point, (_, threshold)) in points[0].iter().zip(&thresholds[0]) {
            let (p, y) = scores.findings()[0].known_pairs();
            let table = Confusion::count_at(*threshold, &p, &y);
            assert_eq!(point.figures, CallFigures::of(&table, Some(0.05)));
            let mut values = Vec::new();
            for stream in 0..60 {
                let mut weights = vec![0; patients];
                draw(&mut weights, 4, stream);
                let (mut p, mut y) = (Vec::new(), Vec::new());
                for (row, score, label) in scores.findings()[0].labeled_films() {
                    for _ in 0..weights[numbers[row] as usize] {
                        p.push(score);
                        y.push(label);
                    }
                }
                values.extend(Confusion::count_at(*threshold, &p, &y).matthews_correlation());
            }
            assert_eq!(point.ci95["mcc"], Interval::of(values));
        }
    }

    #[test]
    fn without_a_stated_prevalence_there_are_no_values_at_it() {
        let thresholds = vec![vec![("half".to_owned(), 0.5)]];
        let options = BootstrapOptions { resamples: 5, seed: 1 };
        let points = operating_points(&table(), &thresholds, &|_| None, &options);

        let figures = points[0][0].figures;
        assert_eq!((figures.ppv_at_prevalence, figures.npv_at_prevalence), (None, None));
        assert_eq!(points[0][0].ci95["ppv_at_prevalence"], None);
        assert!(points[0][0].ci95["ppv"].is_some());
    }
}

//! Calls at thresholds, counted by patient once, so that resamples of patients only add counts.

use crate::{
    BootstrapOptions, CallFigures, Confusion, MeanPoint, OperatingPoint, ScoredFinding, Scores,
    cohort::{numbers, resample},
    operating_point::Threshold,
};

/// Calls at the thresholds of each finding, counted on all films and on each resample of patients.
pub(crate) struct CountedCalls<'a> {
    findings: &'a [ScoredFinding],
    thresholds: &'a [Vec<Threshold>],
    /// By finding, then by threshold.
    all: Vec<Vec<Confusion>>,
    /// The same of each resample.
    draws: Vec<Vec<Vec<Confusion>>>,
}

impl<'a> CountedCalls<'a> {
    /// Counts the calls at the thresholds of each finding.
    pub(crate) fn of(
        scores: &'a Scores,
        thresholds: &'a [Vec<Threshold>],
        options: &BootstrapOptions,
    ) -> Self {
        let (numbers, patients) = numbers(scores);
        let findings = scores.findings();
        let pairs = findings.iter().zip(thresholds);
        let tally = |(finding, thresholds): (&ScoredFinding, &Vec<Threshold>)| {
            Tally::of(finding, thresholds, &numbers, patients)
        };
        let tallies: Vec<Tally> = pairs.map(tally).collect();
        let draws = resample(patients, options, |weights| {
            tallies.iter().map(|tally| tally.counts(|patient| weights[patient] as usize)).collect()
        });
        let all = tallies.iter().map(|tally| tally.counts(|_| 1)).collect();
        Self { findings, thresholds, all, draws }
    }

    /// Returns the results of each finding; `prevalence` returns its stated prevalence.
    pub(crate) fn points(
        &self,
        prevalence: &dyn Fn(&str) -> Option<f64>,
    ) -> Vec<Vec<OperatingPoint>> {
        let of_finding = |index: usize| {
            let prevalence = prevalence(&self.findings[index].name);
            let figures = |table: &Confusion| CallFigures::of(table, prevalence);
            let point = |(place, (name, threshold)): (usize, &Threshold)| {
                let drawn = self.draws.iter().map(|draw| figures(&draw[index][place]));
                let table = &self.all[index][place];
                let drawn: Vec<CallFigures> = drawn.collect();
                OperatingPoint::of((name.clone(), *threshold), table, figures(table), &drawn)
            };
            self.thresholds[index].iter().enumerate().map(point).collect()
        };
        (0..self.findings.len()).map(of_finding).collect()
    }

    /// Returns the means over the findings at each operating point that any finding has.
    pub(crate) fn means(&self) -> Vec<MeanPoint> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.thresholds.iter().flatten() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let has_both = |table: &Confusion| {
            table.true_positives + table.false_negatives > 0
                && table.true_negatives + table.false_positives > 0
        };
        let point = |name: &str| {
            let place = |finding: usize| {
                let of_finding = &self.thresholds[finding];
                let place = of_finding.iter().position(|(own, _)| own == name)?;
                has_both(&self.all[finding][place]).then_some((finding, place))
            };
            let places: Vec<(usize, usize)> = (0..self.findings.len()).filter_map(place).collect();
            let of = |tables: &[Vec<Confusion>]| -> Vec<Confusion> {
                places.iter().map(|&(finding, place)| tables[finding][place]).collect()
            };
            let drawn: Vec<Vec<Confusion>> = self.draws.iter().map(|draw| of(draw)).collect();
            (!places.is_empty()).then(|| MeanPoint::of(name, &of(&self.all), &drawn))
        };
        names.into_iter().filter_map(point).collect()
    }
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
    use crate::{Interval, cohort::draw};

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
        let calls = CountedCalls::of(&scores, &thresholds, &options);
        let points = calls.points(&|_| Some(0.05));

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
        let scores = table();
        let points = CountedCalls::of(&scores, &thresholds, &options).points(&|_| None);

        let figures = points[0][0].figures;
        assert_eq!((figures.ppv_at_prevalence, figures.npv_at_prevalence), (None, None));
        assert_eq!(points[0][0].ci95["ppv_at_prevalence"], None);
        assert!(points[0][0].ci95["ppv"].is_some());
    }
}

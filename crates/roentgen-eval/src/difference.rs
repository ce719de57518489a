//! The difference between two models on the same films.
//!
//! Overlapping intervals do not mean that two models are equal: both were measured on the same
//! patients, so their errors are correlated. Here both are measured on the same draws and
//! subtracted.

use serde::Serialize;

use crate::{
    BootstrapOptions, Error, Interval, ScoredFinding, Scores,
    cohort::{Cohort, mean},
    delong_test,
    ensemble::align,
    holm,
    ranking::Areas,
};

/// A metric of one model minus that of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The difference on all films.
    pub value: Option<f64>,
    /// The interval over resamples in which both models have the metric.
    #[serde(rename = "ci95")]
    pub interval: Option<Interval>,
    /// The p-value of DeLong's test of no difference, which takes films for independent; `None` for
    /// a mean over findings.
    pub p: Option<f64>,
    /// The same with Holm's correction for the number of findings.
    pub p_holm: Option<f64>,
}

/// Computes the AUROC of the second model minus that of the first: for each finding, in the order
/// of the first, and for the mean over findings.
///
/// # Errors
///
/// Returns an error if the tables do not have the same films, findings and labels.
pub fn paired_difference(
    first: &Scores,
    second: &Scores,
    options: &BootstrapOptions,
) -> Result<(Vec<Difference>, Difference), Error> {
    let second = align(first, second)?;
    let cohorts = [Cohort::of(first), Cohort::of(&second)];
    let [once, again] = cohorts.each_ref().map(Cohort::areas);
    let [draws, redraws] = cohorts.each_ref().map(|cohort| cohort.draw_areas(options));

    let minus = |a: Option<Areas>, b: Option<Areas>| Some(b?.auroc - a?.auroc);
    let difference = |of: &dyn Fn(&[Option<Areas>]) -> Option<Areas>| Difference {
        value: minus(of(&once), of(&again)),
        interval: Interval::of(
            draws.iter().zip(&redraws).filter_map(|(a, b)| minus(of(a), of(b))).collect(),
        ),
        p: None,
        p_holm: None,
    };
    let p_values: Vec<Option<f64>> =
        first.findings().iter().zip(second.findings()).map(p).collect();
    let tests = p_values.iter().zip(holm(&p_values)).enumerate();
    let findings = tests.map(|(finding, (&p, p_holm))| Difference {
        p,
        p_holm,
        ..difference(&|areas| areas[finding])
    });
    let findings = findings.collect();
    Ok((findings, difference(&|areas| mean(areas))))
}

/// Tests whether two models of the same films differ in the AUROC of a finding.
fn p(findings: (&ScoredFinding, &ScoredFinding)) -> Option<f64> {
    let (first, labels) = findings.0.known_pairs();
    let (second, _) = findings.1.known_pairs();
    delong_test(&first, &second, &labels)?.p
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auroc;

    fn model(noise: u32) -> Scores {
        let films = 0..80_u32;
        let label = |i: u32| i * 31 % 7 < 3;
        let p = |i: u32| f64::from(u8::from(label(i))) * 0.3 + f64::from(i * noise % 37) / 60.0;
        let finding = ScoredFinding {
            name: "A".into(),
            probabilities: films.clone().map(p).collect(),
            labels: films.clone().map(|i| Some(label(i))).collect(),
        };
        let images = films.clone().map(|i| i.to_string()).collect();
        Scores::new(images, films.map(|i| (i / 2).to_string()).collect(), vec![finding]).unwrap()
    }

    #[test]
    fn a_model_does_not_differ_from_itself() {
        let (findings, mean) =
            paired_difference(&model(5), &model(5), &BootstrapOptions { resamples: 50, seed: 1 })
                .unwrap();

        let interval = Some(Interval { low: 0.0, high: 0.0 });
        let none = Difference { value: Some(0.0), interval, p: None, p_holm: None };
        assert_eq!((findings, mean), (vec![none], none));
    }

    #[test]
    fn the_difference_is_the_second_minus_the_first() {
        let (first, second) = (model(5), model(11));
        let area = |scores: &Scores| {
            let (p, y) = scores.findings()[0].known_pairs();
            auroc(&p, &y).unwrap()
        };

        let options = BootstrapOptions { resamples: 200, seed: 1 };
        let (findings, mean) = paired_difference(&first, &second, &options).unwrap();
        let p = findings[0].p.unwrap();
        assert!((0.0..=1.0).contains(&p) && findings[0].p_holm == Some(p));
        assert_eq!((mean.p, mean.p_holm), (None, None));
        let (value, interval) = (mean.value.unwrap(), mean.interval.unwrap());
        assert!((value - (area(&second) - area(&first))).abs() < 1e-12);
        assert!(interval.low <= value && value <= interval.high);
    }
}

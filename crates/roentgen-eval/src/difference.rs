//! The difference between two models on the same films.
//!
//! Overlapping intervals do not mean that two models are equal: both were measured on the same
//! patients, so their errors are correlated. Here both are measured on the same draws and
//! subtracted.

use crate::{
    Error, Interval, Options, Scores,
    cohort::{Cohort, mean},
    ensemble::align,
    ranking::Areas,
};

/// A metric of one model minus that of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference on all films.
    pub value: Option<f64>,
    /// The interval over resamples in which both models have the metric.
    pub interval: Option<Interval>,
}

/// Computes the AUROC of the second model minus that of the first: for each finding, in the order
/// of the first, and for the mean over findings.
///
/// # Errors
///
/// Returns an error if the tables do not have the same films, findings and truths.
pub fn paired_difference(
    first: &Scores,
    second: &Scores,
    options: &Options,
) -> Result<(Vec<Difference>, Difference), Error> {
    let second = align(first, second)?;
    let rows: Vec<usize> = (0..first.len()).collect();
    let cohorts = [Cohort::of(first, &rows), Cohort::of(&second, &rows)];
    let [once, again] = cohorts.each_ref().map(Cohort::areas);
    let [draws, redraws] = cohorts.each_ref().map(|cohort| cohort.draws(options));

    let minus = |a: Option<Areas>, b: Option<Areas>| Some(b?.auroc - a?.auroc);
    let difference = |of: &dyn Fn(&[Option<Areas>]) -> Option<Areas>| Difference {
        value: minus(of(&once), of(&again)),
        interval: Interval::of(
            draws.iter().zip(&redraws).filter_map(|(a, b)| minus(of(a), of(b))).collect(),
        ),
    };
    let findings = (0..once.len()).map(|finding| difference(&|areas| areas[finding])).collect();
    Ok((findings, difference(&|areas| mean(areas))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Finding, auroc};

    fn model(noise: u32) -> Scores {
        let films = 0..80_u32;
        let truth = |i: u32| i * 31 % 7 < 3;
        let p = |i: u32| f64::from(u8::from(truth(i))) * 0.3 + f64::from(i * noise % 37) / 60.0;
        let finding = Finding {
            name: "A".into(),
            probabilities: films.clone().map(p).collect(),
            truths: films.clone().map(|i| Some(truth(i))).collect(),
        };
        let images = films.clone().map(|i| i.to_string()).collect();
        Scores::new(images, films.map(|i| (i / 2).to_string()).collect(), vec![finding]).unwrap()
    }

    #[test]
    fn a_model_does_not_differ_from_itself() {
        let (findings, mean) =
            paired_difference(&model(5), &model(5), &Options { resamples: 50, seed: 1 }).unwrap();

        let none =
            Difference { value: Some(0.0), interval: Some(Interval { low: 0.0, high: 0.0 }) };
        assert_eq!((findings, mean), (vec![none], none));
    }

    #[test]
    fn the_difference_is_the_second_minus_the_first() {
        let (first, second) = (model(5), model(11));
        let area = |scores: &Scores| {
            let (p, y) = scores.findings()[0].known_pairs();
            auroc(&p, &y).unwrap()
        };

        let options = Options { resamples: 200, seed: 1 };
        let (_, mean) = paired_difference(&first, &second, &options).unwrap();
        let (value, interval) = (mean.value.unwrap(), mean.interval.unwrap());
        assert!((value - (area(&second) - area(&first))).abs() < 1e-12);
        assert!(interval.low <= value && value <= interval.high);
    }
}

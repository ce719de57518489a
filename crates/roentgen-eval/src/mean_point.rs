//! Results of an operating point over all findings: means over findings (macro) and of all calls
//! together (micro).
//!
//! Each finding has a threshold of its own; an operating point is the rule that chose them. A
//! likelihood ratio has no mean, because ratios multiply.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{CallFigures, Confusion, Interval, operating_point::with_suffix};

/// The figures that have a mean, by their names in JSON.
pub(crate) const MEANT: [&str; 7] =
    ["sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "mcc"];

/// Results of an operating point over the findings that have it and both classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanPoint {
    /// Name of the threshold, the key in JSON.
    #[serde(skip)]
    pub name: String,
    /// Number of findings.
    pub findings: usize,
    /// Means over these findings. A figure is `None` if any of them leaves it undefined; on a
    /// resample it is the mean over the findings that define it.
    #[serde(rename = "macro")]
    pub over_findings: MeanCalls,
    /// Figures of the calls of all these findings, counted together.
    #[serde(rename = "micro")]
    pub over_calls: MeanCalls,
}

/// The figures of calls that have a mean, each under its name in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanCalls {
    /// The figures.
    #[serde(flatten)]
    pub figures: BTreeMap<&'static str, Option<f64>>,
    /// Their intervals; in JSON `sensitivity_ci95` and so on.
    #[serde(flatten, serialize_with = "with_suffix")]
    pub ci95: BTreeMap<&'static str, Option<Interval>>,
}

impl MeanPoint {
    /// Computes the means of the calls of each finding, on all films and on each resample.
    pub(crate) fn of(name: &str, all: &[Confusion], drawn: &[Vec<Confusion>]) -> Self {
        let over_calls = |tables: &[Confusion]| {
            let mut sum = Confusion::default();
            tables.iter().for_each(|table| sum.add_table(table, 1));
            meant(&sum)
        };
        let drawn_of = |of: &dyn Fn(&[Confusion]) -> Figures| -> Vec<Figures> {
            drawn.iter().map(|tables| of(tables)).collect()
        };
        let complete = |tables: &[Confusion]| mean(tables, Undefined::Spoils);
        let partial = |tables: &[Confusion]| mean(tables, Undefined::IsLeftOut);
        Self {
            name: name.to_owned(),
            findings: all.len(),
            over_findings: MeanCalls::of(complete(all), &drawn_of(&partial)),
            over_calls: MeanCalls::of(over_calls(all), &drawn_of(&over_calls)),
        }
    }
}

/// One value for each of [`MEANT`].
type Figures = [Option<f64>; MEANT.len()];

/// What a finding without a figure does to the mean.
#[derive(Clone, Copy)]
enum Undefined {
    Spoils,
    IsLeftOut,
}

fn meant(table: &Confusion) -> Figures {
    let named = CallFigures::of(table, None).figures_by_name();
    MEANT.map(|name| named.iter().find(|(own, _)| *own == name).and_then(|(_, value)| *value))
}

fn mean(tables: &[Confusion], undefined: Undefined) -> Figures {
    let (mut sums, mut counts) = ([0.0; MEANT.len()], [0_usize; MEANT.len()]);
    for table in tables {
        for (place, value) in meant(table).into_iter().enumerate() {
            sums[place] += value.unwrap_or(0.0);
            counts[place] += usize::from(value.is_some());
        }
    }
    let mut means = [None; MEANT.len()];
    for (place, mean) in means.iter_mut().enumerate() {
        let is_defined = match undefined {
            Undefined::Spoils => counts[place] == tables.len(),
            Undefined::IsLeftOut => counts[place] > 0,
        };
        *mean = is_defined.then(|| sums[place] / counts[place] as f64);
    }
    means
}

impl MeanCalls {
    fn of(figures: Figures, drawn: &[Figures]) -> Self {
        let interval = |place: usize| {
            let values = drawn.iter().filter_map(|figures| figures[place]).collect();
            figures[place].and_then(|_| Interval::of(values))
        };
        Self {
            figures: MEANT.into_iter().zip(figures).collect(),
            ci95: MEANT.into_iter().zip((0..MEANT.len()).map(interval)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table([tp, fp, tn, fn_]: [usize; 4]) -> Confusion {
        Confusion {
            true_positives: tp,
            false_positives: fp,
            true_negatives: tn,
            false_negatives: fn_,
        }
    }

    #[test]
    fn macro_is_the_mean_of_findings_and_micro_that_of_calls() {
        let all = [table([9, 10, 90, 1]), table([1, 20, 60, 3])];
        let point = MeanPoint::of("0.5", &all, &[all.to_vec(), all.to_vec()]);

        assert_eq!(point.findings, 2);
        let sensitivity = point.over_findings.figures["sensitivity"].unwrap();
        assert!((sensitivity - (0.9 + 0.25) / 2.0).abs() < 1e-12);
        assert_eq!(point.over_calls.figures["sensitivity"], Some(10.0 / 14.0));
        assert_eq!(point.over_calls.figures["ppv"], Some(10.0 / 40.0));
        let ends = point.over_findings.ci95["sensitivity"].unwrap();
        assert_eq!((ends.low, ends.high), (sensitivity, sensitivity));
        assert!(!point.over_calls.figures.contains_key("lr_positive"));
    }

    #[test]
    fn a_finding_that_is_never_called_has_no_ppv_and_neither_has_the_macro_mean() {
        let all = [table([9, 10, 90, 1]), table([0, 0, 80, 4])];
        let point = MeanPoint::of("0.5", &all, &[all.to_vec()]);

        assert_eq!(point.over_findings.figures["ppv"], None);
        assert_eq!(point.over_findings.ci95["ppv"], None);
        assert_eq!(point.over_findings.figures["sensitivity"], Some(0.45));
        assert_eq!(point.over_calls.figures["ppv"], Some(9.0 / 19.0));
    }
}

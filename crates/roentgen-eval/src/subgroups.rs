//! The same metrics for groups of films: by sex, by view, by age.
//!
//! A mean that hides a group with worse results is the usual way harm goes unnoticed; a metric of
//! four positives is the usual false alarm. A finding therefore counts in a group only with at
//! least 10 positives and 10 negatives, and the number of such findings is given. Two groups with
//! different findings in their mean are not comparable. Ages above 120, which occur in the NIH
//! label file, are ignored.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Interval, Options, Scores,
    cohort::{Cohort, mean},
};

/// Films of each class that a finding needs to count in a group.
const LEAST: usize = 10;

/// Resamples of a group; fewer than for the table, because there are a dozen groups.
const RESAMPLES: usize = 200;

/// The highest age that is not regarded as a typing error.
const OLDEST: f64 = 120.0;

/// Groups by column, then by value.
pub(crate) type Subgroups = BTreeMap<&'static str, BTreeMap<String, Subgroup>>;

/// The figures of one group of films.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subgroup {
    /// Number of films in the group.
    pub images: usize,
    /// Number of patients in the group.
    pub patients: usize,
    /// Mean AUROC over the findings with 10 positives and 10 negatives in the group.
    pub auroc: Option<f64>,
    /// Its interval.
    pub auroc_ci95: Option<Interval>,
    /// Number of findings in that mean.
    pub findings: usize,
}

/// Computes the metrics by sex, view and age band, if the table has the columns.
pub(crate) fn subgroups(scores: &Scores, options: &Options) -> Subgroups {
    let options = Options { resamples: options.resamples.min(RESAMPLES), ..*options };
    let mut subgroups = Subgroups::new();
    for by in ["sex", "view", "age"] {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (row, text) in scores.column(by).unwrap_or_default().iter().enumerate() {
            let group = if by == "age" { band(text) } else { Some(text.trim()) };
            if let Some(group) = group.filter(|group| !group.is_empty()) {
                groups.entry(group.to_owned()).or_default().push(row);
            }
        }
        let figures =
            groups.into_iter().map(|(group, rows)| (group, figures(scores, &rows, &options)));
        let figures: BTreeMap<_, _> = figures.collect();
        if !figures.is_empty() {
            subgroups.insert(by, figures);
        }
    }
    subgroups
}

fn figures(scores: &Scores, rows: &[usize], options: &Options) -> Subgroup {
    let enough = |truths: &[Option<bool>]| {
        let count = |class| rows.iter().filter(|&&row| truths[row] == Some(class)).count();
        count(true) >= LEAST && count(false) >= LEAST
    };
    let findings: Vec<_> =
        scores.findings().iter().filter(|finding| enough(&finding.truths)).cloned().collect();
    let counted = findings.len();

    let cohort = Cohort::of(&scores.with_findings(findings), rows);
    let drawn = cohort.draws(options).iter().filter_map(|draw| Some(mean(draw)?.auroc)).collect();
    Subgroup {
        images: rows.len(),
        patients: cohort.patients,
        auroc: mean(&cohort.areas()).map(|areas| areas.auroc),
        auroc_ci95: Interval::of(drawn),
        findings: counted,
    }
}

/// Returns the age band of an age in years, or in the form `058Y` of the first NIH label file.
fn band(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let years: f64 = match text.strip_suffix(['M', 'W', 'D']) {
        // Months, weeks and days are used for infants only.
        Some(number) => number.parse().map(|_: f64| 0.0).ok()?,
        None => text.strip_suffix('Y').unwrap_or(text).parse().ok()?,
    };
    match years {
        0.0..18.0 => Some("0-17"),
        18.0..40.0 => Some("18-39"),
        40.0..65.0 => Some("40-64"),
        65.0..=OLDEST => Some("65+"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Finding, auroc};

    fn table(films: usize) -> Scores {
        let finding = |name: &str, every: usize| Finding {
            name: name.into(),
            probabilities: (0..films).map(|i| (i * 29 % 101) as f64 / 101.0).collect(),
            truths: (0..films).map(|i| Some(i / 2 % every == 0)).collect(),
        };
        let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
        Scores::new(
            texts(&|i| i.to_string()),
            texts(&|i| format!("p{}", i / 4)),
            vec![finding("A", 3), finding("Rare", 40)],
        )
        .and_then(|scores| {
            scores.with_column("sex", texts(&|i| ["F", "M"][i % 2].into())).and_then(|scores| {
                scores.with_column("age", texts(&|i| ["17", "064Y", "", "414"][i % 4].into()))
            })
        })
        .unwrap()
    }

    #[test]
    fn a_group_has_the_area_of_its_films() {
        let scores = table(200);
        let groups = subgroups(&scores, &Options { resamples: 50, seed: 1 });

        let women = &groups["sex"]["F"];
        let films: Vec<usize> = (0..200).step_by(2).collect();
        let finding = &scores.findings()[0];
        let p: Vec<f64> = films.iter().map(|&row| finding.probabilities[row]).collect();
        let y: Vec<bool> = films.iter().map(|&row| finding.truths[row].unwrap()).collect();
        assert_eq!((women.images, women.patients, women.findings), (100, 50, 1));
        assert_eq!(women.auroc, auroc(&p, &y));
        let interval = women.auroc_ci95.unwrap();
        assert!(interval.low < women.auroc.unwrap() && women.auroc.unwrap() < interval.high);
    }

    #[test]
    fn too_few_positives_make_no_figure() {
        let groups = subgroups(&table(40), &Options { resamples: 50, seed: 1 });

        let women = &groups["sex"]["F"];
        assert_eq!((women.images, women.findings), (20, 0));
        assert_eq!((women.auroc, women.auroc_ci95), (None, None));
    }

    #[test]
    fn ages_that_cannot_be_are_in_no_band() {
        let groups = subgroups(&table(200), &Options { resamples: 2, seed: 1 });

        assert_eq!(groups["age"].keys().collect::<Vec<_>>(), ["0-17", "40-64"]);
        assert_eq!(groups["age"]["0-17"].images, 50);
        assert!(!groups.contains_key("view"));
    }

    #[test]
    fn every_spelling_of_an_age_has_its_band() {
        let bands = ["0", "17.9", "18", "039Y", "011M", "65", "120", "121", "411", "-1", "x", ""];

        let found = bands.map(|text| band(text).unwrap_or("none"));
        let young = ["0-17", "0-17", "18-39", "18-39", "0-17"];
        assert_eq!(found[..5], young);
        assert_eq!(found[5..], ["65+", "65+", "none", "none", "none", "none", "none"]);
    }
}

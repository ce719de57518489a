//! Counts over a data set: findings, co-occurrence, views, splits.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::finding::Finding;
use crate::manifest::{self, ManifestRow};
use crate::split::Split;

/// Counts of a data set.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Number of films.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// Films labelled `No Finding`.
    pub normal: usize,
    /// Films that show each finding, in the order of [`Finding::ALL`].
    pub counts: [usize; 14],
    /// Films that show both findings; on the diagonal, films that show only that one.
    pub together: [[usize; 14]; 14],
    /// Films by number of findings, starting at 0.
    pub by_number: Vec<usize>,
    /// Films in PA view.
    pub pa: usize,
    /// Films in AP view.
    pub ap: usize,
    /// Films of men.
    pub men: usize,
    /// Films of women.
    pub women: usize,
    /// Films with an age above 100, which is often a typing error.
    pub above_100: usize,
}

impl Summary {
    /// Counts `rows`.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a ManifestRow>) -> Self {
        let rows: Vec<&ManifestRow> = rows.into_iter().collect();
        let mut together = [[0; 14]; 14];
        let mut by_number = vec![0; 1];
        for row in &rows {
            let findings: Vec<usize> =
                row.findings.iter().map(|finding| finding as usize).collect();
            if by_number.len() <= findings.len() {
                by_number.resize(findings.len() + 1, 0);
            }
            by_number[findings.len()] += 1;
            if let [only] = findings[..] {
                together[only][only] += 1;
            }
            for &a in &findings {
                findings.iter().filter(|&&b| b != a).for_each(|&b| together[a][b] += 1);
            }
        }
        let count = |is: &dyn Fn(&ManifestRow) -> bool| rows.iter().filter(|row| is(row)).count();
        Self {
            films: rows.len(),
            patients: rows.iter().map(|row| row.patient).collect::<BTreeSet<_>>().len(),
            normal: by_number[0],
            counts: manifest::counts(rows.iter().copied()),
            together,
            by_number,
            pa: count(&|row| row.view == "PA"),
            ap: count(&|row| row.view == "AP"),
            men: count(&|row| row.sex == "M"),
            women: count(&|row| row.sex == "F"),
            above_100: count(&|row| row.age.is_some_and(|age| age > 100)),
        }
    }

    /// Returns the share of films that would show each finding after the 2019 study's weighting,
    /// drawn with replacement: its "adjusted frequencies". `None` for a data set without films.
    pub fn adjust_frequencies(rows: &[ManifestRow], floor: f64) -> Option<[f64; 14]> {
        let mut shares = [0.0; 14];
        let mut total = 0.0;
        for row in rows {
            let weight = row.findings.len() as f64 + floor;
            total += weight;
            row.findings.iter().for_each(|finding| shares[finding as usize] += weight);
        }
        (total > 0.0).then(|| shares.map(|share| share / total))
    }
}

/// Counts of one split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitSummary {
    /// The split.
    pub split: Split,
    /// Number of films.
    pub films: usize,
    /// Number of patients.
    pub patients: usize,
    /// Films without findings.
    pub normal: usize,
    /// Films that show each finding, in the order of [`Finding::ALL`].
    pub counts: [usize; 14],
}

/// Counts each split.
pub fn sides(rows: &[ManifestRow], sides: &[Option<Split>]) -> Vec<SplitSummary> {
    [Split::Train, Split::Valid, Split::Test]
        .into_iter()
        .map(|split| {
            let on = || rows.iter().zip(sides).filter(|(_, side)| **side == Some(split));
            let summary = Summary::of(on().map(|(row, _)| row));
            SplitSummary {
                split,
                films: summary.films,
                patients: summary.patients,
                normal: summary.normal,
                counts: summary.counts,
            }
        })
        .filter(|side| side.films > 0)
        .collect()
}

/// Lists pairs of findings that occur on the same film, most frequent first.
pub fn pairs(summary: &Summary) -> Vec<(Finding, Finding, usize)> {
    let mut pairs: Vec<_> = Finding::ALL
        .into_iter()
        .flat_map(|a| Finding::ALL.into_iter().filter(move |&b| a < b).map(move |b| (a, b)))
        .map(|(a, b)| (a, b, summary.together[a as usize][b as usize]))
        .filter(|&(_, _, films)| films > 0)
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.2));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FilmFindings;

    fn row(patient: u32, labels: &str) -> ManifestRow {
        ManifestRow {
            image: format!("{patient}.png"),
            patient,
            follow_up: 0,
            age: Some(101),
            sex: "F".into(),
            view: "AP".into(),
            findings: FilmFindings::parse(labels).unwrap(),
            list: None,
            file_size: [1, 1],
        }
    }

    #[test]
    fn pairs_are_counted_on_both_sides_and_lone_findings_on_the_diagonal() {
        let rows = [row(1, "Mass|Nodule"), row(1, "Mass"), row(2, "No Finding")];
        let summary = Summary::of(&rows);
        let (mass, nodule) = (Finding::Mass as usize, Finding::Nodule as usize);

        assert_eq!((summary.films, summary.patients, summary.normal), (3, 2, 1));
        assert_eq!(summary.together[mass][nodule], 1);
        assert_eq!(summary.together[nodule][mass], 1);
        assert_eq!(summary.together[mass][mass], 1);
        assert_eq!(summary.by_number, [1, 1, 1]);
        assert_eq!(pairs(&summary), [(Finding::Mass, Finding::Nodule, 1)]);
    }

    #[test]
    fn adjusted_frequencies_follow_the_weights() {
        let adjusted =
            Summary::adjust_frequencies(&[row(1, "Mass"), row(2, "No Finding")], 0.25).unwrap();

        assert!((adjusted[Finding::Mass as usize] - 1.25 / 1.5).abs() < 1e-12);
        assert_eq!(Summary::adjust_frequencies(&[], 0.25), None);
    }
}

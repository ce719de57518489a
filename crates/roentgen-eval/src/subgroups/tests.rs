use super::*;
use crate::{ScoredFinding, auroc, cohort::draw};

fn table(films: usize) -> Scores {
    let finding = |name: &str, every: usize| ScoredFinding {
        name: name.into(),
        probabilities: (0..films).map(|i| (i * 29 % 101) as f64 / 101.0).collect(),
        labels: (0..films).map(|i| Some(i / 2 % every == 0)).collect(),
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
    let (groups, _) = subgroups(&scores, &BootstrapOptions { resamples: 50, seed: 1 });

    let women = &groups["sex"]["F"];
    let films: Vec<usize> = (0..200).step_by(2).collect();
    let finding = &scores.findings()[0];
    let p: Vec<f64> = films.iter().map(|&row| finding.probabilities[row]).collect();
    let y: Vec<bool> = films.iter().map(|&row| finding.labels[row].unwrap()).collect();
    assert_eq!((women.images, women.patients, women.findings), (100, 50, 1));
    assert_eq!(women.auroc, auroc(&p, &y));
    let interval = women.auroc_ci95.unwrap();
    assert!(interval.low < women.auroc.unwrap() && women.auroc.unwrap() < interval.high);
}

#[test]
fn a_finding_of_a_group_has_its_own_figures_on_all_resamples() {
    let scores = table(200);
    let (groups, _) = subgroups(&scores, &BootstrapOptions { resamples: 250, seed: 1 });

    let (numbers, patients) = numbers(&scores);
    let finding = &scores.findings()[0];
    let mut values = Vec::new();
    for stream in 0..250 {
        let mut weights = vec![0; patients];
        draw(&mut weights, 1, stream);
        let (mut p, mut y) = (Vec::new(), Vec::new());
        // Men are the films of odd rows.
        for (row, score, label) in finding.labeled_films().filter(|(row, ..)| row % 2 == 1) {
            for _ in 0..weights[numbers[row] as usize] {
                p.push(score);
                y.push(label);
            }
        }
        values.extend(auroc(&p, &y));
    }
    let [mass, rare] = &groups["sex"]["M"].by_finding[..] else { panic!("two findings") };
    assert_eq!((mass.name.as_str(), mass.positives + mass.negatives), ("A", 100));
    assert_eq!(mass.auroc_ci95, Interval::of(values));
    assert_eq!((rare.positives, rare.auroc, rare.auroc_ci95), (3, None, None));
    // One finding counts, so the mean is its figure.
    let men = &groups["sex"]["M"];
    assert_eq!((men.auroc, men.auroc_ci95), (mass.auroc, mass.auroc_ci95));
}

#[test]
fn too_few_positives_make_no_figure() {
    let (groups, _) = subgroups(&table(40), &BootstrapOptions { resamples: 50, seed: 1 });

    let women = &groups["sex"]["F"];
    assert_eq!((women.images, women.findings), (20, 0));
    assert_eq!((women.auroc, women.auroc_ci95), (None, None));
}

#[test]
fn ages_that_cannot_be_are_in_no_band() {
    let (groups, _) = subgroups(&table(200), &BootstrapOptions { resamples: 2, seed: 1 });

    assert_eq!(groups["age"].keys().collect::<Vec<_>>(), ["0-17", "40-64"]);
    assert_eq!(groups["age"]["0-17"].images, 50);
    assert!(!groups.contains_key("view"));
}

#[test]
fn the_gap_is_the_difference_of_the_same_findings() {
    let scores = table(400);
    let (groups, gaps) = subgroups(&scores, &BootstrapOptions { resamples: 100, seed: 1 });

    let (women, men) = (&groups["sex"]["F"], &groups["sex"]["M"]);
    let gap = &gaps["sex"];
    assert_eq!(gap.findings, women.findings.min(men.findings));
    assert_eq!((women.findings, men.findings), (1, 1));
    let difference = women.auroc.unwrap() - men.auroc.unwrap();
    assert!((gap.auroc - difference.abs()).abs() < 1e-12);
    let worst = if difference > 0.0 { "M" } else { "F" };
    assert_eq!(gap.worst, worst);
    let interval = gap.auroc_ci95.unwrap();
    assert!(interval.low < gap.auroc && gap.auroc < interval.high, "{gap:?}");
}

#[test]
fn one_group_with_figures_has_no_gap() {
    let mut scores = table(200);
    scores.set_column("sex", (0..200).map(|i| ["F", "M"][i / 190].into()).collect());
    let (groups, gaps) = subgroups(&scores, &BootstrapOptions { resamples: 2, seed: 1 });

    assert_eq!(groups["sex"]["M"].auroc, None);
    assert!(!gaps.contains_key("sex"));
}

#[test]
fn films_are_grouped_by_their_number_of_findings_if_all_labels_are_known() {
    let mut findings = table(200).findings().to_vec();
    findings[1].labels[3] = None;
    let scores = table(200).with_findings(findings);
    let (groups, _) = subgroups(&scores, &BootstrapOptions { resamples: 2, seed: 1 });

    let groups = &groups["number_of_findings"];
    assert_eq!(groups.keys().collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(groups.values().map(|group| group.images).sum::<usize>(), 199);
}

#[test]
fn a_source_for_each_film_is_no_group() {
    let sources = |sources: usize| {
        let mut scores = table(200);
        scores.set_column("source", (0..200).map(|i| format!("s{}", i % sources)).collect());
        subgroups(&scores, &BootstrapOptions { resamples: 2, seed: 1 }).0
    };

    assert_eq!(sources(3)["source"].len(), 3);
    assert!(!sources(1).contains_key("source") && !sources(200).contains_key("source"));
}

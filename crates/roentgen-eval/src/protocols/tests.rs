use super::*;
use crate::{ScoredFinding, auroc};

/// 240 films of 60 patients. Films of patients in training are told apart better, films without a
/// finding more easily; each of the findings is on every seventh film with a finding.
fn table(names: &[&str]) -> Scores {
    let films = 240;
    let is_leaked = |i: usize| (i / 4).is_multiple_of(3);
    let is_normal = |i: usize| i % 5 == 1;
    let finding = |(number, name): (usize, &&str)| {
        let label = |i: usize| !is_normal(i) && (i / 5 + i + number).is_multiple_of(7);
        let noise = |i: usize| ((i * 29 + number * 13) % 101) as f64 / 101.0;
        let p = |i: usize| {
            let gain = if is_leaked(i) { 0.5 } else { 0.1 };
            let low = if is_normal(i) { 0.3 } else { 0.0 };
            (0.3 + 0.4 * noise(i) + if label(i) { gain } else { -low }).clamp(0.0, 1.0)
        };
        ScoredFinding {
            name: (*name).to_owned(),
            probabilities: (0..films).map(p).collect(),
            labels: (0..films).map(|i| Some(label(i))).collect(),
        }
    };
    let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
    let findings = names.iter().enumerate().map(finding).collect();
    Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 4).to_string()), findings)
        .and_then(|scores| scores.with_column("split", texts(&|_| "by-image valid, leaky".into())))
        .and_then(|scores| {
            let marks = texts(&|i| u8::from(is_leaked(i)).to_string());
            scores.with_column("patient_in_training", marks)
        })
        .unwrap()
}

const OPTIONS: BootstrapOptions = BootstrapOptions { resamples: 60, seed: 3 };

/// Computes the mean AUROC of some films and findings directly.
fn directly(scores: &Scores, names: &[&str], keep: &dyn Fn(usize) -> bool) -> f64 {
    let areas = names.iter().map(|name| {
        let known = scores.finding(name).unwrap().labeled_films().filter(|(row, ..)| keep(*row));
        let (p, y): (Vec<f64>, Vec<bool>) = known.map(|(_, p, label)| (p, label)).unzip();
        auroc(&p, &y).unwrap()
    });
    areas.sum::<f64>() / names.len() as f64
}

fn near(ours: Option<f64>, by_hand: f64) {
    assert!((ours.unwrap() - by_hand).abs() < 1e-12, "{ours:?} {by_hand}");
}

#[test]
fn each_row_changes_one_choice_and_the_effects_add_up() {
    let scores = table(&NIH_FINDINGS);
    let both = protocols(&scores, &OPTIONS).unwrap();
    let studied: Vec<&str> = NIH_FINDINGS.into_iter().filter(|name| *name != "Hernia").collect();
    let shows_one = |row: usize| {
        studied.iter().any(|name| scores.finding(name).unwrap().labels[row] == Some(true))
    };
    let is_leaked = |row: usize| scores.column("patient_in_training").unwrap()[row] == "1";

    let rows = &both.rows;
    near(rows[0].auroc, directly(&scores, &studied, &shows_one));
    near(rows[1].auroc, directly(&scores, &studied, &|row| shows_one(row) && !is_leaked(row)));
    near(rows[2].auroc, directly(&scores, &studied, &|row| !is_leaked(row)));
    near(rows[3].auroc, directly(&scores, &NIH_FINDINGS, &|row| !is_leaked(row)));
    assert_eq!(rows.iter().map(|row| row.findings).collect::<Vec<_>>(), [13, 13, 13, 14]);
    assert_eq!((rows[2].images, rows[2].patients), (160, 40));
    assert!(rows.iter().all(|row| row.auroc_ci95.is_some()));

    let sum: f64 = both.effects.iter().map(|effect| effect.auroc.unwrap()).sum();
    near(both.difference, sum);
    for effect in &both.effects {
        let ([least, most], own) = (effect.over_orders.unwrap(), effect.auroc.unwrap());
        assert!(least <= own && own <= most && effect.auroc_ci95.is_some(), "{effect:?}");
    }
    let leaked = both.effect(Choice::LeakedPatients).unwrap();
    assert!(leaked.auroc.unwrap() > 0.05 && leaked.films > 60, "{leaked:?}");
    assert!(both.effect(Choice::NormalFilms).unwrap().auroc.unwrap() < 0.0);
    let text = both.paragraph();
    assert!(text.contains("By the rules of the official protocol it is"), "{text}");
    assert!(text.contains("not those of the official test list"), "{text}");
}

#[test]
fn what_a_table_cannot_show_is_blank_and_says_why() {
    let studied: Vec<&str> = NIH_FINDINGS.into_iter().filter(|name| *name != "Hernia").collect();
    let mut scores = table(&studied);
    scores.set_column("patient_in_training", vec!["0".into(); 240]);
    scores.set_column("split", vec!["official test".into(); 240]);
    let both = protocols(&scores, &OPTIONS).unwrap();

    assert_eq!(both.rows.len(), 2);
    let reason = |choice: Choice| both.effect(choice).unwrap().unknown.clone().unwrap();
    assert!(reason(Choice::LeakedPatients).contains("needs a second run"));
    assert!(reason(Choice::Findings).contains("no output for Hernia"));
    assert_eq!(both.effect(Choice::Findings).unwrap().auroc, None);
    assert_eq!(both.effect(Choice::NormalFilms).unwrap().auroc, both.difference);
    let text = both.paragraph();
    assert!(text.contains("As far as this table can follow"), "{text}");
    assert!(!text.contains("not those of the official test list"), "{text}");

    scores.set_column("patient_in_training", vec![String::new(); 240]);
    let both = protocols(&scores, &OPTIONS).unwrap();
    let leaked = both.effect(Choice::LeakedPatients).unwrap();
    assert!(leaked.unknown.as_ref().unwrap().contains("does not say of 240 films"));
}

#[test]
fn training_films_and_films_of_unknown_labels_are_counted_and_in_no_row() {
    let mut findings = table(&NIH_FINDINGS).findings().to_vec();
    let is_normal = |row: usize| findings.iter().all(|one| one.labels[row] == Some(false));
    let normal = (0..240).find(|&row| is_normal(row)).unwrap();
    findings[4].labels[normal] = None;
    let mut scores = table(&NIH_FINDINGS).with_findings(findings);
    let before = protocols(&table(&NIH_FINDINGS), &OPTIONS).unwrap();
    let mut splits = vec!["by-image valid, leaky".to_owned(); 240];
    splits[100] = "by-image train, leaky".into();
    scores.set_column("split", splits);

    let both = protocols(&scores, &OPTIONS).unwrap();
    assert_eq!((both.undetermined, both.training_films), (1, 1));
    assert!(both.rows.last().unwrap().images < before.rows.last().unwrap().images);
}

#[test]
fn a_table_without_one_of_the_findings_is_refused() {
    let error = protocols(&table(&["Mass", "Nodule"]), &OPTIONS).unwrap_err().to_string();

    assert!(error.contains("has no finding `Atelectasis`"), "{error}");
}

#[test]
fn hernia_without_both_classes_is_left_out_and_named() {
    let mut findings = table(&NIH_FINDINGS).findings().to_vec();
    let hernia = findings.iter_mut().find(|finding| finding.name == "Hernia").unwrap();
    hernia.labels = (0..240).map(|row| Some(row == 0)).collect();
    let both = protocols(&table(&NIH_FINDINGS).with_findings(findings), &OPTIONS).unwrap();

    assert_eq!(both.left_out, ["Hernia"]);
    let effect = both.effect(Choice::Findings).unwrap();
    assert!(effect.unknown.as_ref().unwrap().contains("not all of these rows"), "{effect:?}");
    assert_eq!(both.rows.last().unwrap().findings, 13);
}

use serde_json::{Value, json};

use super::*;
use crate::ScoredFinding;
use crate::{WithIsotonic, calibrate};

/// Four patients; Zebra has a tie and an unknown label, Apple has no positives.
fn table() -> Scores {
    let texts = |texts: [&str; 5]| texts.map(String::from).to_vec();
    let zebra = ScoredFinding {
        name: "Zebra".into(),
        probabilities: vec![0.8, 0.4, 0.4, 0.1, 0.9],
        labels: vec![Some(true), Some(true), Some(false), Some(false), None],
    };
    let apple = ScoredFinding {
        name: "Apple".into(),
        probabilities: vec![0.1, 0.2, 0.6, 0.2, 0.1],
        labels: vec![Some(false); 5],
    };
    Scores::new(
        texts(["a", "b", "c", "d", "e"]),
        texts(["1", "1", "2", "3", "4"]),
        vec![zebra, apple],
    )
    .and_then(|scores| scores.with_column("split", texts(["test"; 5])))
    .unwrap()
}

fn metrics(scores: &Scores) -> Value {
    let evaluation = evaluate(scores, &BootstrapOptions { resamples: 100, seed: 1 }).unwrap();
    serde_json::from_str(&evaluation.to_json().unwrap()).unwrap()
}

#[test]
fn the_figures_of_a_small_table_by_hand() {
    let metrics = metrics(&table());

    assert_eq!(metrics["images"], 5);
    assert_eq!(metrics["patients"], 4);
    assert_eq!(metrics["split"], "test");
    assert_eq!(metrics["dataset"], Value::Null);
    let zebra = &metrics["findings"]["Zebra"];
    assert_eq!(zebra["auroc"], 0.875);
    assert_eq!(zebra["unknown"], 1);
    assert_eq!(zebra["operating_points"]["0.5"]["sensitivity"], 0.5);
    assert_eq!(zebra["auroc_ci95"].as_array().unwrap().len(), 2);
    assert!(zebra["resamples_skipped"].as_u64().unwrap() > 0);
    // Nine pairs: Zebra is wrong once, Apple once.
    assert_eq!(metrics["binary_accuracy"], 7.0 / 9.0);
    assert_eq!(metrics["binary_accuracy_all_negative"], 7.0 / 9.0);
    let error = (0.2 + 0.6 + 0.4 + 0.1 + 1.2) / 9.0;
    assert!((metrics["mean_absolute_error"].as_f64().unwrap() - error).abs() < 1e-12);
}

#[test]
fn a_finding_without_positives_has_null_and_is_not_in_the_mean() {
    let metrics = metrics(&table());

    let apple = &metrics["findings"]["Apple"];
    for figure in ["auroc", "auroc_ci95", "average_precision", "average_precision_ci95"] {
        assert_eq!(apple[figure], Value::Null, "{figure}");
    }
    assert_eq!(apple["operating_points"]["0.5"]["sensitivity"], Value::Null);
    assert_eq!(apple["resamples_skipped"], 100);
    assert_eq!(metrics["mean"]["auroc"], 0.875);
    assert_eq!(metrics["mean"]["findings"], 1);
}

#[test]
fn findings_keep_the_order_of_the_table() {
    let metrics = metrics(&table());
    let names: Vec<_> = metrics["findings"].as_object().unwrap().keys().collect();

    assert_eq!(names, ["Zebra", "Apple"]);
    assert_eq!(metrics["subgroups"].as_object().unwrap().len(), 1);
    assert!(metrics["subgroups"]["number_of_findings"]["0"]["auroc"].is_null());
}

#[test]
fn a_leaky_table_is_refused_until_it_says_so() {
    let marked = |split: &str| {
        let marks = ["0", "0", "1", "0", "0"].map(String::from).to_vec();
        let mut scores = table().with_column("patient_in_training", marks).unwrap();
        scores.set_column("split", vec![split.into(); 5]);
        evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 })
    };

    assert!(matches!(marked("by-image test"), Err(Error::Leak { count: 1, .. })));
    let leaky = marked("by-image test, leaky").unwrap();
    assert!(leaky.is_leaky());
    assert_eq!(leaky.patients_in_training, Some(1));
    assert_eq!(leaky.split.as_deref(), Some("by-image test, leaky"));
}

#[test]
fn training_films_are_refused_by_their_split_alone() {
    let evaluated = |splits: [&str; 5], marks: &str| {
        let mut scores = table();
        scores.set_column("split", splits.map(String::from).to_vec());
        scores.set_column("patient_in_training", vec![marks.into(); 5]);
        evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 })
    };
    let test = "official test";

    for (train, marks) in [("official train", ""), ("train", "0"), ("Training set", "")] {
        let error = evaluated([test, train, test, train, test], marks).unwrap_err();
        assert!(matches!(error, Error::TrainingFilms { count: 2, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("split `{train}` (`b`, `d`)")), "{text}");
    }
    let leaky = evaluated([test, "by-image train, leaky", test, test, test], "").unwrap();
    assert_eq!(leaky.films_in_training, Some(1));
    assert!(leaky.is_leaky());
    assert!(evaluated(["by-image test, leaky", "train", test, test, test], "").is_err());
}

#[test]
fn validation_films_are_counted_and_what_is_unknown_is_null() {
    let metrics = metrics(&table());
    assert_eq!(
        (&metrics["films_in_training"], &metrics["films_in_validation"]),
        (&json!(0), &json!(0))
    );
    assert_eq!((&metrics["model"], &metrics["dataset_id"]), (&Value::Null, &Value::Null));

    let mut scores = table();
    let splits = ["valid", "official valid", "test", "none", ""];
    scores.set_column("split", splits.map(String::from).to_vec());
    scores.set_column("model", vec!["a1+b2".into(); 5]);
    let metrics = self::metrics(&scores);
    assert_eq!(metrics["films_in_validation"], 2);
    assert_eq!(metrics["model"], "a1+b2");
    scores.set_column("split", vec![String::new(); 5]);
    assert_eq!(self::metrics(&scores)["films_in_training"], Value::Null);
}

/// 120 films of one finding in a split, named after it.
fn rising(split: &str, model: &str) -> Scores {
    let texts = |of: &dyn Fn(usize) -> String| (0..120).map(of).collect::<Vec<_>>();
    let p = |i: usize| 0.01 + (i * 29 % 113) as f64 / 120.0;
    let finding = ScoredFinding {
        name: "Mass".into(),
        probabilities: (0..120).map(p).collect(),
        labels: (0..120).map(|i| Some(p(i) + (i * 7 % 11) as f64 / 11.0 > 1.1)).collect(),
    };
    let images = texts(&|i| format!("{split}{i}"));
    Scores::new(images.clone(), images, vec![finding])
        .and_then(|scores| scores.with_column("split", texts(&|_| split.into())))
        .and_then(|scores| scores.with_column("model", texts(&|_| model.into())))
        .unwrap()
}

const FEW: BootstrapOptions = BootstrapOptions { resamples: 20, seed: 1 };

#[test]
fn fitted_thresholds_and_calibration_are_evaluated() {
    let calibration = calibrate(&rising("valid", "a1"), WithIsotonic::Yes).unwrap();
    let prevalence = BTreeMap::from([("Mass".to_owned(), 0.02)]);
    let given = Given { calibration: Some(&calibration), prevalence, ..Given::default() };
    let evaluation = evaluate_with(&rising("test", "a1"), &FEW, &given).unwrap();

    let fit = evaluation.fit.as_ref().unwrap();
    assert!(fit.is_used && fit.model_is_checked && fit.films == 120);
    let mass = &evaluation.findings[0];
    let names: Vec<&str> = mass.operating_points.iter().map(|point| &*point.name).collect();
    let rules = ["youden", "max-f1", "sensitivity-0.90", "sensitivity-0.95", "specificity-0.90"];
    assert_eq!(names[0], "0.5");
    assert_eq!(names[1..], rules);
    let at_90 = &mass.operating_points[3];
    assert!(at_90.figures.sensitivity.unwrap() >= 0.9);
    assert!(at_90.figures.ppv_at_prevalence < at_90.figures.ppv);
    // These are the films of the fit, so calibration can only help.
    assert_eq!(mass.calibrated.len(), 3);
    assert!(mass.calibrated[&crate::CalibrationMethod::Isotonic].brier < mass.brier);
    let json: Value = serde_json::from_str(&evaluation.to_json().unwrap()).unwrap();
    let mass = &json["findings"]["Mass"];
    assert!(mass["calibrated"]["platt"]["slope"].is_number(), "{mass}");
    let youden = &mass["operating_points"]["youden"];
    assert!(youden["lr_positive"].is_number() && youden["mcc_ci95"].is_array(), "{youden}");
}

#[test]
fn a_fit_on_validation_films_is_not_used_for_validation_films() {
    let calibration = calibrate(&rising("valid", "a1"), WithIsotonic::No).unwrap();
    let given = Given { calibration: Some(&calibration), ..Given::default() };
    let evaluation = evaluate_with(&rising("official valid", "a1"), &FEW, &given).unwrap();

    assert!(!evaluation.fit.unwrap().is_used);
    assert_eq!(evaluation.findings[0].operating_points.len(), 1);
    assert!(evaluation.findings[0].calibrated.is_empty());
}

#[test]
fn the_films_of_the_fit_are_refused_unless_the_table_says_that_they_are_validation_films() {
    let valid = rising("valid", "a1");
    let calibration = calibrate(&valid, WithIsotonic::No).unwrap();
    let films = valid.images().iter().zip(valid.patients());
    let films = FittedFilms::new("", films.map(|(film, patient)| (film.clone(), patient.clone())));
    let given =
        Given { calibration: Some(&calibration), fitted_films: Some(&films), ..Given::default() };

    let mut unnamed = valid.clone();
    unnamed.set_column("split", vec![String::new(); 120]);
    let error = evaluate_with(&unnamed, &FEW, &given).unwrap_err();
    assert!(matches!(error, Error::FittedFilms { count: 120, .. }), "{error}");
    assert!(!evaluate_with(&valid, &FEW, &given).unwrap().fit.unwrap().is_used);
    let test = evaluate_with(&rising("test", "a1"), &FEW, &given).unwrap();
    assert!(test.fit.unwrap().is_used);
}

#[test]
fn a_fit_for_another_model_and_an_impossible_prevalence_are_refused() {
    let calibration = calibrate(&rising("valid", "a1"), WithIsotonic::No).unwrap();
    let refused = |model: &str, finding: &str, prevalence: f64| {
        let prevalence = BTreeMap::from([(finding.to_owned(), prevalence)]);
        let given = Given { calibration: Some(&calibration), prevalence, ..Given::default() };
        let evaluated = evaluate_with(&rising("test", model), &FEW, &given);
        evaluated.map_err(|error| error.to_string()).err()
    };

    let error = refused("b2", "Mass", 0.1).unwrap();
    assert!(error.contains("model `b2`") && error.contains("model `a1`"), "{error}");
    assert!(refused("a1", "Mass", 1.0).unwrap().contains("not between 0 and 1"));
    assert!(refused("a1", "Mass", f64::NAN).unwrap().contains("not between 0 and 1"));
    assert!(refused("a1", "Edema", 0.1).unwrap().contains("no finding `Edema`"));
    assert_eq!(refused("", "Mass", 0.1), None);
}

#[test]
fn the_micro_mean_is_that_of_all_pairs() {
    let evaluation = evaluate(&table(), &FEW).unwrap();
    let (mut p, mut y) = (Vec::new(), Vec::new());
    for finding in table().findings() {
        let (probabilities, labels) = finding.known_pairs();
        p.extend(probabilities);
        y.extend(labels);
    }

    assert_eq!(evaluation.mean.micro_auroc, crate::auroc(&p, &y));
    assert_eq!(evaluation.mean.micro_average_precision, crate::average_precision(&p, &y));
}

#[test]
fn a_table_without_labels_is_refused() {
    let mut findings = table().findings().to_vec();
    findings.iter_mut().for_each(|finding| finding.labels.fill(None));

    let error =
        evaluate(&table().with_findings(findings), &BootstrapOptions::default()).unwrap_err();
    assert!(error.to_string().contains("no finding has a label"));
}

#[test]
fn runs_are_compared_by_the_figures_of_an_evaluation() {
    let evaluation = evaluate(&table(), &FEW).unwrap();
    let headline = headline(&table(), &FEW).unwrap();

    let auroc = headline.auroc.unwrap();
    assert_eq!(
        (Some(auroc.value), auroc.interval),
        (evaluation.mean.auroc, evaluation.mean.auroc_ci95)
    );
    assert_eq!(headline.binary_accuracy, evaluation.binary_accuracy);
    assert_eq!(headline.binary_accuracy_all_negative, evaluation.binary_accuracy_all_negative);
    let mut train = table();
    train.set_column("split", vec!["train".into(); 5]);
    assert!(super::headline(&train, &FEW).is_err());
}

//! Reports with fitted thresholds and calibration, and the files beside a page.

use super::*;

/// Tables of films to fit on and to evaluate, of 200 films each; the second finding has too few
/// positives for a fit, and no probability reaches 0.5.
fn fitted() -> (Scores, Evaluation) {
    let films = 200;
    let table = |split: &str, turn: usize| {
        let p = |i: usize| 0.01 + (i * 29 % 191) as f64 / 400.0;
        let finding = |name: &str, label: &dyn Fn(usize) -> bool| ScoredFinding {
            name: name.into(),
            probabilities: (0..films).map(p).collect(),
            labels: (0..films).map(|i| Some(label(i))).collect(),
        };
        let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
        let findings = vec![
            finding("Mass", &|i| p(i) + ((i * 7 + turn) % 11) as f64 / 22.0 > 0.6),
            finding("Hernia", &|i| i % 60 == turn),
        ];
        let names = texts(&|i| format!("{split}{i}"));
        Scores::new(names.clone(), names, findings)
            .and_then(|scores| scores.with_column("split", texts(&|_| split.into())))
            .and_then(|scores| scores.with_column("sex", texts(&|i| ["F", "M"][i % 2].into())))
            .unwrap()
    };
    let calibration = crate::calibrate(&table("valid", 0), crate::WithIsotonic::No).unwrap();
    let prevalence = [("Mass".to_owned(), 0.02)].into();
    let given = crate::Given { calibration: Some(&calibration), prevalence, ..Default::default() };
    let scores = table("test", 3);
    let options = BootstrapOptions { resamples: 100, seed: 1 };
    let evaluation = crate::evaluate_with(&scores, &options, &given).unwrap();
    (scores, evaluation)
}

fn fitted_pages() -> [String; 2] {
    let (scores, evaluation) = fitted();
    let report = plain(&scores, &evaluation);
    [html(&report).unwrap(), markdown(&report).unwrap()]
}

#[test]
fn the_model_card_has_metadata_that_no_name_breaks() {
    let scores = table("NIH \"ChestX\": ---\n# x", "official test");
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 20, seed: 1 }).unwrap();
    let provenance = Provenance { model: Some("run: 'x'\n---".into()), ..Provenance::default() };
    let report = Report { provenance, ..plain(&scores, &evaluation) };
    let card = card::markdown(&report).unwrap();

    let (head, body) = card.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    let metadata: serde_json::Value = serde_json::from_str(head).unwrap();
    let result = &metadata["model-index"][0]["results"][0];
    assert_eq!(result["dataset"]["split"], "official test");
    assert_eq!(result["dataset"]["type"], "chest-x-ray");
    assert_eq!(metadata["metrics"], serde_json::json!(["roc_auc", "average_precision"]));
    assert!(!head.contains("null") && metadata.get("license").is_none(), "{head}");
    assert_eq!(result["metrics"][0]["value"], evaluation.mean.auroc.unwrap());
    // Both means, and the one finding that has both classes.
    assert_eq!(result["metrics"].as_array().unwrap().len(), 3);
    assert_eq!(card::json_text(&report).unwrap(), head);
    let auroc = format!("{:.3}", evaluation.findings[0].auroc.unwrap());
    assert!(body.contains(&auroc) && body.contains("not a medical device"), "{body}");
}

#[test]
fn the_model_card_names_the_data_set_of_training_as_the_hub_does() {
    let scores = table("NIH ChestX-ray14", "official test");
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 0, seed: 1 }).unwrap();
    let card = |trained: &str| -> serde_json::Value {
        let training_dataset = Some(trained.to_owned());
        let provenance = Provenance { training_dataset, ..Provenance::default() };
        let report = Report { provenance, ..plain(&scores, &evaluation) };
        serde_json::from_str(&card::json_text(&report).unwrap()).unwrap()
    };

    let known = card("NIH ChestX-ray14");
    assert_eq!(known["datasets"], serde_json::json!(["alkzar90/NIH-Chest-X-ray-dataset"]));
    let result = &known["model-index"][0]["results"][0];
    assert_eq!(result["dataset"]["type"], "alkzar90/NIH-Chest-X-ray-dataset");
    assert!(result["metrics"][0].get("args").is_none(), "no interval without resamples");
    assert!(card("phantom (seed 7)").get("datasets").is_none());
}

#[test]
fn curves_have_the_points_of_all_pictures() {
    let (scores, evaluation) = fitted();
    let text = tables::all_curves(&plain(&scores, &evaluation)).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |finding: &str, curve: &str| {
        rows.iter().filter(|row| &row[0] == finding && &row[1] == curve).count()
    };

    for curve in ["roc", "precision-recall", "reliability", "reliability-platt"] {
        assert!(of("Mass", curve) > 3, "{curve}");
    }
    for curve in ["decision", "decision-all", "decision-platt"] {
        assert_eq!(of("Mass", curve), 108, "{curve}");
    }
    assert_eq!((of("Hernia", "decision"), of("Hernia", "decision-platt")), (108, 0));
    let films: usize = rows
        .iter()
        .filter(|row| &row[0] == "Mass" && &row[1] == "reliability")
        .map(|row| row[5].parse::<usize>().unwrap())
        .sum();
    assert_eq!(films, 200);
}

#[test]
fn both_pages_define_the_fits_if_one_is_used() {
    let scores = table("NIH ChestX-ray14", "official test");
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 }).unwrap();
    let report = plain(&scores, &evaluation);
    let unfitted = [html(&report).unwrap(), markdown(&report).unwrap()];

    for (fitted, unfitted) in fitted_pages().iter().zip(&unfitted) {
        let fitted = fitted.replace("&#x2f;", "/");
        let platt = "1 / (negatives + 2) and (positives + 1) / (positives + 2)";
        let ties = "Of equally good thresholds the highest is taken";
        for definition in [platt, ties] {
            assert!(fitted.contains(definition) && !unfitted.contains(definition), "{definition}");
        }
        let mass = "in 15 bins of about equally many films";
        let clamp = "closer to 0 or 1 than 1e-7 count as that close";
        for definition in [mass, clamp, "seed 1; 2.5th to 97.5th percentile"] {
            assert!(fitted.contains(definition) && unfitted.contains(definition), "{definition}");
        }
    }
}

#[test]
fn fitted_operating_points_and_calibration_are_shown() {
    for page in fitted_pages() {
        assert!(page.contains("fitted on 200 films of 200 patients (valid)"), "{page}");
        assert!(page.contains("predicted by the same model is unknown"), "{page}");
        for text in
            ["Sensitivity of 0.95", "LR+", "PPV as stated", "at a prevalence of Mass 2.00 %"]
        {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(page.contains("No such threshold was fitted for: Hernia."), "{page}");
        assert!(page.contains("Platt scaling") && page.contains("temperature"));
        assert!(page.contains("of the positive films are called and"), "{page}");
        assert!(!page.contains("Threshold 0.5"), "{page}");
    }
    let [html, markdown] = fitted_pages();
    assert!(html.contains("<details open><summary>Highest sensitivity + specificity (Youden)"));
    assert!(markdown.contains("### Highest F1"));
}

#[test]
fn tables_that_scroll_can_be_reached_by_keyboard() {
    let [html, _] = fitted_pages();

    assert!(html.matches("<div class=\"scroll").count() > 5);
    let reachable = html.matches("<div class=\"scroll\" tabindex=\"0\">").count();
    assert_eq!(html.matches("<div class=\"scroll").count(), reachable);
}

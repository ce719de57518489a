//! What a report says in words: title, provenance, banners and the first screen.

use super::*;

#[test]
fn the_title_says_which_model_and_which_films() {
    let known = [("model", "a1b2"), ("dataset", "NIH ChestX-ray14"), ("split", "official test")];
    let provenance = Provenance {
        model: Some("ft7".into()),
        architecture: Some("densenet121".into()),
        epoch: Some(7),
        ..Provenance::default()
    };
    for page in pages_of(&rising(0.9, &known), provenance) {
        let title = "ft7 (densenet121) on NIH ChestX-ray14, official test";
        assert!(page.contains(title), "{page}");
    }
    for page in pages_of(&rising(0.9, &known), Provenance::default()) {
        assert!(page.contains("model a1b2 on NIH ChestX-ray14, official test"), "{page}");
    }
    for page in pages_of(&rising(0.9, &[]), Provenance::default()) {
        assert!(page.contains("Unknown model on an unknown data set, unknown split"), "{page}");
    }
}

#[test]
fn what_is_unknown_is_said_to_be_unknown() {
    let provenance = Provenance { size: Some(224), ..Provenance::default() };
    let [html, markdown] = pages_of(&rising(0.9, &[("model", "a1b2")]), provenance);

    for line in ["| Model identity | a1b2 |", "| Input size | 224 px |", "| Epoch | unknown |"] {
        assert!(markdown.contains(line), "{markdown}");
    }
    assert!(html.contains("<dt>Input size</dt><dd>224 px</dd>"));
    assert!(html.contains("<dt>Label file</dt><dd class=\"none\">unknown</dd>"));
    assert!(html.find("Label file") < html.find("id=\"findings\""));
}

#[test]
fn marks_of_some_films_leave_the_others_unknown() {
    let mut scores = rising(0.9, &[("patient_in_training", ""), ("split", "by-image test, leaky")]);
    let marked = |marks: &dyn Fn(usize) -> &'static str| {
        (0..40).map(|row| marks(row).to_owned()).collect::<Vec<_>>()
    };
    scores.set_column("patient_in_training", marked(&|row| ["1", "0", ""][row.min(2)]));
    for page in pages_of(&scores, Provenance::default()) {
        assert!(page.contains("recorded for 2 films (1 such patient), not for 38"), "{page}");
        assert!(page.contains("at least 1 of 40 patients also have films"), "{page}");
    }
    scores.set_column("patient_in_training", marked(&|_| ""));
    for page in pages_of(&scores, Provenance::default()) {
        assert!(page.contains("not recorded in the score table"), "{page}");
        assert!(page.contains("some patients also have films"), "{page}");
    }
    scores.set_column("patient_in_training", marked(&|row| ["1", "0"][row.min(1)]));
    for page in pages_of(&scores, Provenance::default()) {
        assert!(page.contains("according to the score table"), "{page}");
        assert!(page.contains(": 1 of 40 patients also have films"), "{page}");
    }
}

#[test]
fn a_model_that_could_not_be_checked_is_said_to_be_unchecked() {
    let given = || Provenance { model: Some("nih-run".into()), ..Provenance::default() };
    let said = "it is unknown whether that was nih-run";
    let checked = |scores: &Scores, provenance: Provenance| {
        let evaluation = evaluate(scores, &BootstrapOptions { resamples: 2, seed: 1 }).unwrap();
        let report = Report { provenance, ..plain(scores, &evaluation) };
        let metrics: serde_json::Value = serde_json::from_str(&metrics(&report).unwrap()).unwrap();
        assert_eq!(metrics["images"], 40);
        metrics["provenance"]["model_is_checked"].clone()
    };

    let silent = rising(0.9, &[]);
    for page in pages_of(&silent, given()) {
        assert!(page.find(said).unwrap() < page.find("Label file").unwrap(), "{page}");
    }
    assert_eq!(checked(&silent, given()), false);
    let says = rising(0.9, &[("model", "a1b2")]);
    assert!(pages_of(&says, given()).iter().all(|page| !page.contains(said)));
    assert_eq!(checked(&says, given()), true);
    assert!(pages_of(&silent, Provenance::default()).iter().all(|page| !page.contains(said)));
    assert_eq!(checked(&silent, Provenance::default()), serde_json::Value::Null);
}

#[test]
fn validation_films_are_said_to_choose_the_model() {
    let known = [("split", "official valid"), ("model", "a1b2")];
    for page in pages_of(&rising(0.9, &known), Provenance::default()) {
        assert!(page.contains("40 of 40 films are of the validation split."), "{page}");
        assert!(page.contains("These films were used to choose the model"), "{page}");
    }
    for page in pages_of(&rising(0.9, &[("split", "val")]), Provenance::default()) {
        assert!(page.contains("Such films are used to choose a model"), "{page}");
    }
    for page in pages_of(&rising(0.9, &[("split", "train, leaky")]), Provenance::default()) {
        assert!(page.contains("40 of 40 films are of the training split"), "{page}");
    }
}

#[test]
fn a_threshold_that_no_probability_reaches_takes_one_sentence() {
    for page in pages_of(&rising(0.3, &[]), Provenance::default()) {
        assert!(page.contains("No probability reaches 0.5 (the highest is 0.300)"), "{page}");
        assert!(!page.contains("True positive") && !page.contains("PPV"));
        assert!(!page.contains("Sensitivity and specificity are at"));
    }
    for page in pages_of(&rising(0.9, &[]), Provenance::default()) {
        assert!(!page.contains("No probability reaches") && page.contains("PPV"));
    }
}

#[test]
fn the_first_screen_says_in_plain_words_what_was_found() {
    for page in pages_of(&rising(0.9, &[("dataset", "NIH ChestX-ray14")]), Provenance::default()) {
        assert!(page.contains("the first has the higher probability (mean AUROC"), "{page}");
        assert!(page.contains("gave probabilities of 2 findings to 40 films of 40"), "{page}");
        assert!(page.contains("It is best for"), "{page}");
        assert!(page.contains("mined from reports by text processing"), "{page}");
        assert!(page.contains("For 40 of 40 films it is unknown whether the model was trained"));
    }
    for page in pages_of(&rising(0.3, &[("dataset", "phantom")]), Provenance::default()) {
        assert!(page.contains("there are no calls to judge"), "{page}");
        assert!(page.contains("nothing follows for real patients"), "{page}");
    }
}

#[test]
fn duplicates_of_the_data_set_are_counted() {
    let like = |duplicates, near_duplicates| {
        let provenance = Provenance { duplicates, near_duplicates, ..Provenance::default() };
        let [_, markdown] = pages_of(&rising(0.9, &[]), provenance);
        let line = markdown.lines().find(|line| line.starts_with("| Films like one")).unwrap();
        line.split(" | ").nth(1).unwrap().trim_end_matches(" |").to_owned()
    };

    assert_eq!(like(Some(1200), Some(3)), "1,200 equal, 3 nearly equal");
    assert_eq!(like(Some(0), Some(0)), "none");
    assert_eq!(like(None, None), "unknown");
}

#[test]
fn the_first_screen_says_on_whom() {
    let page = &pages("NIH ChestX-ray14", "official test").1;

    let whom = "run <1> gave probabilities of 2 findings to 60 films of 30 patients. By films: \
                sex F (50.0 %), M (50.0 %).";
    assert!(page.contains(&whom.replace('<', "&lt;")), "{page}");
    let page = &pages_of(&rising(0.9, &[]), Provenance::default())[1];
    assert!(page.contains("Sex, age and view are unknown."), "{page}");
}

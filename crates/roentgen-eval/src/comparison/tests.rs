use super::*;
use crate::Finding;

/// Makes a run whose probabilities are the truth moved by `noise`.
fn entrant(name: &str, noise: u32, settings: &[(&str, &str)]) -> Entrant {
    let films = 120_u32;
    let truth = |i: u32| i * 31 % 7 < 2;
    let p = |i: u32| {
        let right = if truth(i) { 0.5 } else { 0.4 };
        (right + f64::from(noise) * (f64::from(i * noise % 37) / 600.0 - 0.03)).clamp(0.01, 0.99)
    };
    let finding = Finding {
        name: "Mass".into(),
        probabilities: (0..films).map(p).collect(),
        truths: (0..films).map(|i| Some(truth(i))).collect(),
    };
    let texts = |of: &dyn Fn(u32) -> String| (0..films).map(of).collect::<Vec<_>>();
    let scores =
        Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 2).to_string()), vec![finding])
            .and_then(|scores| scores.with_column("split", texts(&|_| "official valid".into())))
            .unwrap();
    let epoch = |epoch: usize, valid_loss: f64, is_best| Epoch {
        epoch,
        train_loss: 0.5,
        valid_loss,
        valid_auroc: Some(0.6),
        is_best,
    };
    Entrant {
        name: name.into(),
        settings: settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        epochs: vec![epoch(1, 0.6, true), epoch(2, 0.5, true), epoch(3, 0.55, false)],
        is_stopped: false,
        scores,
        cost: Cost {
            parameters: 3_200_000,
            seconds: 90.0,
            films_per_second: 12.5,
            peak_memory_mib: Some(1234),
        },
        reported: Reported::default(),
    }
}

const OPTIONS: Options = Options { resamples: 200, seed: 1 };

fn compare(entrants: Vec<Entrant>) -> Comparison {
    Comparison::of("Test", entrants, Vec::new(), 0, &OPTIONS).unwrap()
}

#[test]
fn a_run_against_itself_is_never_called_a_win() {
    let comparison = compare(vec![entrant("a", 5, &[]), entrant("b", 5, &[])]);

    assert_eq!(comparison.verdicts.len(), 2);
    for verdict in &comparison.verdicts {
        assert_eq!(verdict.lead, Some(0.0));
        assert!(
            !verdict.is_clear() && verdict.sentence().contains("not significant at the 95 % level")
        );
    }
}

#[test]
fn a_run_that_knows_the_truth_wins_clearly_by_both_figures() {
    let mut best = entrant("knows", 0, &[]);
    let mut findings = best.scores.findings().to_vec();
    findings[0].probabilities = findings[0]
        .truths
        .iter()
        .map(|&truth| if truth == Some(true) { 0.9 } else { 0.1 })
        .collect();
    best.scores = best.scores.with_findings(findings);
    let comparison = compare(vec![entrant("a", 5, &[]), best, entrant("b", 11, &[])]);

    for verdict in &comparison.verdicts {
        assert_eq!(verdict.best, "knows");
        assert!(verdict.is_clear() && verdict.lead.unwrap() > 0.0, "{verdict:?}");
    }
}

#[test]
fn runs_on_other_films_are_listed_and_not_compared() {
    let mut other = entrant("other", 7, &[]);
    let images = other.scores.images().iter().map(|image| format!("x{image}")).collect();
    let patients = other.scores.patients().to_vec();
    other.scores = Scores::new(images, patients, other.scores.findings().to_vec()).unwrap();
    let comparison = compare(vec![entrant("a", 5, &[]), other]);

    for verdict in &comparison.verdicts {
        assert_eq!(verdict.lead, None);
        assert!(verdict.sentence().contains("not measured on the same films"));
    }
}

#[test]
fn two_settings_make_a_heat_map_with_a_hole_where_a_run_failed() {
    let settings = |batch: &'static str, rate: &'static str| {
        [("train.batch_size", batch), ("train.learning_rate", rate)]
    };
    let mut entrants: Vec<Entrant> = [("32", "0.1", 5), ("32", "0.2", 11), ("64", "0.1", 7)]
        .iter()
        .map(|(batch, rate, noise)| {
            entrant(&format!("{batch} {rate}"), *noise, &settings(batch, rate))
        })
        .collect();
    entrants[0].reported.valid_loss = Some(0.2904);
    let failed = vec![Failure { name: "64 0.2".into(), reason: "it <diverged> | at once".into() }];
    let comparison = Comparison::of("Batch & rate", entrants, failed, 1, &OPTIONS).unwrap();
    let (html, markdown) = (comparison.html().unwrap(), comparison.markdown().unwrap());

    assert!(html.contains("<h1>Batch &amp; rate</h1>") && html.contains("&lt;diverged&gt;"));
    assert_eq!(html.matches("class=\"h0\"").count(), 1);
    assert_eq!(html.matches("class=\"h9\"").count(), 1);
    assert!(html.contains("loss 0.2904") && html.contains("1 not yet run"));
    assert!(markdown.contains("## Validation loss by train.batch_size"), "{markdown}");
    assert!(markdown.contains("| 64 |") && markdown.contains(" – |"), "{markdown}");
}

#[test]
fn runs_that_are_no_grid_make_no_heat_map() {
    let named = |optimizer: &'static str, rate: &'static str| {
        let settings = [("train.optimizer", optimizer), ("train.learning_rate", rate)];
        entrant(optimizer, 5, &settings)
    };
    let comparison =
        compare(vec![named("sgd", "0.1"), named("adam", "0.001"), named("adagrad", "0.01")]);

    assert!(!comparison.html().unwrap().contains("class=\"heat\""));
}

#[test]
fn the_table_has_a_line_a_run_and_no_invented_figures() {
    let mut one = entrant("a, with a comma", 5, &[("seed", "1")]);
    one.cost.peak_memory_mib = None;
    let failed = vec![Failure { name: "b".into(), reason: "no".into() }];
    let rows = compare(vec![one]).rows;
    let text = table::csv(&rows, &failed).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        rows[row].get(header.iter().position(|cell| cell == name).unwrap()).unwrap().to_owned()
    };

    assert_eq!(rows.len(), 2);
    assert_eq!((cell(0, "best_epoch"), cell(0, "epochs")), ("2".into(), "3".into()));
    assert_eq!(
        (cell(0, "peak_memory_mib"), cell(0, "reported_valid_loss")),
        (String::new(), String::new())
    );
    assert_eq!((cell(1, "failed"), cell(1, "valid_loss")), ("no".into(), String::new()));
}

#[test]
fn one_run_has_no_verdict() {
    let comparison = compare(vec![entrant("a", 5, &[])]);

    assert!(comparison.verdicts.is_empty());
    assert!(comparison.html().unwrap().contains("at least two runs"));
}

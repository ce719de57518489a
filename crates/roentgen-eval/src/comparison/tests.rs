use super::*;
use crate::ScoredFinding;

/// Makes a run whose probabilities are the label moved by `noise`.
fn entrant(name: &str, noise: u32, settings: &[(&str, &str)]) -> Entrant {
    let films = 120_u32;
    let label = |i: u32| i * 31 % 7 < 2;
    let p = |i: u32| {
        let right = if label(i) { 0.5 } else { 0.4 };
        (right + f64::from(noise) * (f64::from(i * noise % 37) / 600.0 - 0.03)).clamp(0.01, 0.99)
    };
    let finding = ScoredFinding {
        name: "Mass".into(),
        probabilities: (0..films).map(p).collect(),
        labels: (0..films).map(|i| Some(label(i))).collect(),
    };
    let texts = |of: &dyn Fn(u32) -> String| (0..films).map(of).collect::<Vec<_>>();
    let scores =
        Scores::new(texts(&|i| i.to_string()), texts(&|i| (i / 2).to_string()), vec![finding])
            .and_then(|scores| scores.with_column("split", texts(&|_| "official valid".into())))
            .unwrap();
    let epoch = |epoch: usize, valid_loss: f64, is_best| RunEpoch {
        epoch,
        train_loss: 0.5,
        valid_loss,
        valid_auroc: Some(0.6),
        is_best,
    };
    Entrant {
        name: name.into(),
        settings: settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        best_by: Criterion::Loss,
        epochs: vec![epoch(1, 0.6, true), epoch(2, 0.5, true), epoch(3, 0.55, false)],
        is_stopped: false,
        scores,
        cost: Cost {
            parameters: 3_200_000,
            seconds: 90.0,
            films_per_second: 12.5,
            peak_memory_mib: Some(1234),
        },
        reported: ReportedFigures::default(),
    }
}

const OPTIONS: BootstrapOptions = BootstrapOptions { resamples: 200, seed: 1 };

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
fn a_run_that_knows_the_labels_wins_clearly_by_both_figures() {
    let mut best = entrant("knows", 0, &[]);
    let mut findings = best.scores.findings().to_vec();
    findings[0].probabilities = findings[0]
        .labels
        .iter()
        .map(|&label| if label == Some(true) { 0.9 } else { 0.1 })
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

/// A run that is certain: its probabilities rank the films without an error, at a high loss, or the
/// other way round.
fn opposites(best_by: Criterion) -> Vec<Entrant> {
    let run = |name: &str, of: &dyn Fn(usize, bool) -> f64| {
        let mut run = Entrant { best_by, ..entrant(name, 5, &[("model.pool", name)]) };
        let mut findings = run.scores.findings().to_vec();
        let labels = findings[0].labels.clone();
        let p = |(i, label): (usize, &Option<bool>)| of(i, *label == Some(true));
        findings[0].probabilities = labels.iter().enumerate().map(p).collect();
        run.scores = run.scores.with_findings(findings);
        run
    };
    vec![
        // All are far too high, but in order.
        run("ranks", &|_, label| if label { 0.99 } else { 0.98 }),
        // Calibrated and out of order for a part of the films.
        run("fits", &|i, label| if label != (i % 9 == 0) { 0.7 } else { 0.2 }),
        run("neither", &|i, _| 0.9 + 0.01 * (i % 5) as f64),
    ]
}

#[test]
fn the_best_run_is_named_by_the_criterion_that_selected_its_epoch() {
    for (best_by, best) in [(Criterion::Auroc, "ranks"), (Criterion::Loss, "fits")] {
        let comparison = compare(opposites(best_by));

        assert_eq!(comparison.best_by, Some(best_by));
        let [first, other] = comparison.verdicts.as_slice() else { panic!() };
        assert_eq!((first.by, first.best.as_str()), (best_by, best));
        assert!(first.is_selection && !other.is_selection);
        assert!(first.sentence().starts_with("Best run by"), "{}", first.sentence());
        assert!(!other.sentence().contains("Best"), "{}", other.sentence());
        for page in [comparison.html().unwrap(), comparison.markdown().unwrap()] {
            assert_eq!(page.matches("Best run by").count(), 1, "{page}");
            let rows = page.find("Sorted by").or(page.find("| run |")).unwrap();
            let place = |name: &str| page[rows..].find(name).unwrap();
            assert!(place(best) < place("neither"), "{page}");
        }
    }
}

#[test]
fn runs_of_different_criteria_have_no_best() {
    let mut runs = opposites(Criterion::Loss);
    runs[2].best_by = Criterion::Auroc;
    let comparison = compare(runs);

    assert_eq!(comparison.best_by, None);
    for page in [comparison.html().unwrap(), comparison.markdown().unwrap()] {
        assert!(!page.contains("Best run by") && page.contains("selected by different criteria"));
    }
}

#[test]
fn the_heat_map_is_of_the_criterion() {
    let settings = |a: &'static str, b: &'static str| [("a", a), ("b", b)];
    let runs =
        [("1", "1", 5), ("1", "2", 11), ("2", "1", 7), ("2", "2", 3)].map(|(a, b, noise)| {
            let run = entrant(&format!("{a}{b}"), noise, &settings(a, b));
            Entrant { best_by: Criterion::Auroc, ..run }
        });
    let page = compare(runs.to_vec()).html().unwrap();

    assert!(page.contains("<h2>Validation AUROC by a and b</h2>") && page.contains("higher"));
}

#[test]
fn the_pages_say_in_which_settings_the_runs_differ() {
    let runs = vec![
        entrant("nih", 5, &[("model.pool", "average"), ("train.epochs", "9")]),
        entrant("nih2", 7, &[("model.pool", "attention")]),
    ];
    let comparison = compare(runs);
    let (html, markdown) = (comparison.html().unwrap(), comparison.markdown().unwrap());

    assert!(html.contains("<th>model.pool</th><th>train.epochs</th>"), "{html}");
    assert!(html.contains("<td>nih2</td><td>attention</td><td>–</td>"), "{html}");
    assert!(markdown.contains("| run | model.pool | train.epochs |"), "{markdown}");
    assert!(markdown.contains("| nih | average | 9 |"), "{markdown}");
}

#[test]
fn runs_that_differ_only_in_the_seed_have_a_mean_and_a_deviation() {
    let run = |name: &str, noise: u32, pool: &'static str, seed: &'static str| {
        entrant(name, noise, &[("seed", seed), ("model.pool", pool)])
    };
    let mut runs = vec![
        run("a1", 5, "average", "1"),
        run("a2", 7, "average", "2"),
        run("a3", 11, "average", "3"),
        run("b1", 5, "attention", "1"),
    ];
    let losses: Vec<f64> =
        compare(runs.clone()).rows[..3].iter().map(|row| row.loss.unwrap().value).collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    let markdown = compare(runs.clone()).markdown().unwrap();

    let line = markdown.lines().find(|line| line.contains("| model.pool = average |")).unwrap();
    assert!(
        line.contains(&format!("| seed | 3 | {mean:.4} ± ")) && line.contains("the same"),
        "{line}"
    );
    assert!(!markdown.contains("| model.pool = attention |"), "{markdown}");

    // Other validation films, and two runs of one seed.
    let images = runs[1].scores.images().iter().map(|image| format!("x{image}")).collect();
    let patients = runs[1].scores.patients().to_vec();
    runs[1].scores = Scores::new(images, patients, runs[1].scores.findings().to_vec()).unwrap();
    assert!(compare(runs.clone()).html().unwrap().contains("differ between runs"));
    runs[2].settings[0].1 = "1".into();
    assert!(!compare(runs).html().unwrap().contains("Over seeds"));
}

#[test]
fn folds_of_several_seeds_are_one_group() {
    let run = |seed: &'static str, fold: &'static str, noise: u32| {
        let settings = [("seed", seed), ("data.split_seed", "7"), ("train.fold", fold)];
        entrant(&format!("{seed}-{fold}"), noise, &settings)
    };
    let runs = [("1", "1", 3), ("1", "2", 5), ("2", "1", 7), ("2", "2", 11)];
    let comparison = compare(runs.map(|(seed, fold, noise)| run(seed, fold, noise)).to_vec());

    let [group] = comparison.repeats.as_slice() else { panic!("{:?}", comparison.repeats) };
    assert_eq!(group.runs, ["1-1", "1-2", "2-1", "2-2"]);
    assert_eq!(group.over, ["seed", "train.fold"]);
    assert!(comparison.markdown().unwrap().contains("| all settings | seed, train.fold | 4 |"));
}

#[test]
fn training_loss_is_drawn_beside_validation_loss() {
    let page = compare(vec![entrant("a", 5, &[]), entrant("b", 7, &[])]).html().unwrap();

    assert_eq!(page.matches("class=\"c c0 c-train\"").count(), 1);
    assert!(page.contains("Dashed: training loss"));
}

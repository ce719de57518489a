mod cards;
mod fitted;
mod said;
mod same_numbers;
mod sheets;

use std::ffi::OsStr;

use super::*;
use crate::{BootstrapOptions, ScoredFinding, evaluate};

/// Films with hostile names, two findings, one of them without positives.
fn table(dataset: &str, split: &str) -> Scores {
    let films = 60;
    let finding = |name: &str, every: usize| ScoredFinding {
        name: name.into(),
        probabilities: (0..films).map(|i| (i * 29 % 101) as f64 / 101.0).collect(),
        labels: (0..films).map(|i| Some(every > 0 && i % every == 0)).collect(),
    };
    let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
    Scores::new(
        texts(&|i| format!("<script>alert({i})</script>|`.png")),
        texts(&|i| (i / 2).to_string()),
        vec![finding("Mass", 3), finding("<b>Hernia", 0)],
    )
    .and_then(|scores| scores.with_column("dataset", texts(&|_| dataset.into())))
    .and_then(|scores| scores.with_column("split", texts(&|_| split.into())))
    .and_then(|scores| scores.with_column("sex", texts(&|i| ["F", "M"][i % 2].into())))
    .unwrap()
}

fn pages(dataset: &str, split: &str) -> (String, String) {
    let scores = table(dataset, split);
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 20, seed: 1 }).unwrap();
    let films = confident_films(&scores, 2).into_iter();
    let report = Report {
        provenance: Provenance { model: Some("run <1>".into()), ..Provenance::default() },
        films: films
            .map(|choice| FilmCard {
                choice,
                png: vec![1, 2, 3],
                boxes: Vec::new(),
                text: "a & b".into(),
            })
            .collect(),
        localization: None,
        notes: vec!["commit <abc>".into()],
        ..plain(&scores, &evaluation)
    };
    (html(&report).unwrap(), markdown(&report).unwrap())
}

#[test]
fn hostile_names_are_escaped() {
    let (html, markdown) = pages("NIH ChestX-ray14", "official test");

    assert!(!html.contains("<script") && !html.contains("<b>Hernia"));
    assert!(html.contains("&lt;script&gt;") && html.contains("&lt;b&gt;Hernia"));
    assert!(!markdown.contains("<script"));
}

#[test]
fn the_page_loads_nothing() {
    let (html, _) = pages("NIH ChestX-ray14", "official test");

    assert!(html.contains("default-src 'none'"));
    assert!(!html.contains("src=\"http") && !html.contains("<link") && !html.contains("@import"));
}

#[test]
fn drawn_films_have_a_banner_and_no_published_rows_beside_them() {
    let (html, markdown) = pages("phantom", "official test");

    for page in [html, markdown] {
        assert!(
            page.contains(
                "Films drawn by roentgen phantom: synthetic test data, no real patients."
            )
        );
        assert!(!page.contains("SwinCheX"));
    }
    assert!(!pages("NIH ChestX-ray14", "official test").0.contains("roentgen phantom"));
}

#[test]
fn a_leaky_split_has_a_banner() {
    let (html, markdown) = pages("NIH ChestX-ray14", "by-image test, leaky");

    assert!(html.contains("class=\"banner leaky\""));
    assert!(markdown.contains("leaky"));
    assert!(!pages("NIH ChestX-ray14", "official test").0.contains("class=\"banner leaky\""));
}

#[test]
fn accuracy_never_stands_alone() {
    let (html, markdown) = pages("NIH ChestX-ray14", "official test");

    for page in [html, markdown] {
        let at = page.find("Binary accuracy").unwrap();
        assert!(page[at..at + 300].contains("always answering"), "{}", &page[at..at + 300]);
    }
}

#[test]
fn a_figure_without_a_meaning_is_not_a_number() {
    let (html, markdown) = pages("NIH ChestX-ray14", "official test");

    assert!(html.contains("n/a") && markdown.contains("n/a"));
    assert!(!html.contains("NaN") && !markdown.contains("NaN"));
}

/// A report without films and notes.
fn plain<'a>(scores: &'a Scores, evaluation: &'a Evaluation) -> Report<'a> {
    let provenance = Provenance::default();
    Report {
        provenance,
        evaluation,
        scores,
        films: Vec::new(),
        localization: None,
        notes: Vec::new(),
        compared: None,
        protocols: None,
    }
}

#[test]
fn all_files_are_written() {
    let scores = table("NIH ChestX-ray14", "official test");
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 20, seed: 1 }).unwrap();
    let report = plain(&scores, &evaluation);
    let folder = tempfile::tempdir().unwrap();

    let paths = write(folder.path().join("out"), &report).unwrap();
    assert_eq!(paths.len(), 20);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let says = match path.file_name().and_then(OsStr::to_str) {
            // Means over findings, and figures of the whole table.
            Some("subgroups.csv") => "sex,F",
            Some("summary.csv") => "binary_accuracy,",
            _ => "Mass",
        };
        assert!(text.contains(says), "{} does not say {says}", path.display());
    }
}

/// A table of 40 films with rising probabilities up to `highest`; every third is positive.
fn rising(highest: f64, columns: &[(&str, &str)]) -> Scores {
    let films = 40;
    let finding = |name: &str, every: usize| ScoredFinding {
        name: name.into(),
        probabilities: (1..=films).map(|i| highest * i as f64 / films as f64).collect(),
        labels: (0..films).map(|i| (i != 7).then_some(i % every == 0)).collect(),
    };
    let names: Vec<String> = (0..films).map(|i| format!("{i}.png")).collect();
    let findings = vec![finding("Mass", 3), finding("Pleural_Thickening", 20)];
    let scores = Scores::new(names.clone(), names, findings).unwrap();
    columns.iter().fold(scores, |scores, (name, cell)| {
        scores.with_column(*name, vec![(*cell).to_owned(); films]).unwrap()
    })
}

fn pages_of(scores: &Scores, provenance: Provenance) -> [String; 2] {
    let evaluation = evaluate(scores, &BootstrapOptions { resamples: 200, seed: 1 }).unwrap();
    let card =
        |choice| FilmCard { choice, png: Vec::new(), boxes: Vec::new(), text: String::new() };
    let films = confident_films(scores, 2).into_iter().map(card).collect();
    let report = Report { provenance, films, ..plain(scores, &evaluation) };
    [html(&report).unwrap(), markdown(&report).unwrap()]
}

#[test]
fn average_precision_and_prevalence_are_in_one_unit() {
    let [html, markdown] = pages_of(&rising(0.9, &[]), Provenance::default());

    // 14 and 2 of 39 films of known label.
    for (name, prevalence) in [("Mass", "14 | 0.359"), ("Pleural Thickening", "2 | 0.051")] {
        assert!(markdown.contains(&format!("| {name} | {prevalence} |")), "{markdown}");
    }
    assert!(html.contains("chance (prevalence): 0.205"), "{html}");
}

#[test]
fn notes_on_findings_are_one_line() {
    let [html, markdown] = pages_of(&rising(0.9, &[]), Provenance::default());

    for page in [html, markdown] {
        assert!(page.contains("left out: Mass 1, Pleural Thickening 1."), "{page}");
        assert_eq!(page.matches("drew one class only").count(), 1, "{page}");
    }
}

#[test]
fn each_picture_has_a_text_that_states_its_figure() {
    let scores = rising(0.9, &[]);
    let [html, markdown] = pages_of(&scores, Provenance::default());
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 200, seed: 1 }).unwrap();

    let auroc = format!("ROC curve of Mass: AUROC {:.3} (", evaluation.findings[0].auroc.unwrap());
    for text in [
        &*auroc,
        "Precision and recall of Mass: average",
        "Reliability of Mass: expected",
        "Decision curve of Mass: net benefit above acting on all films and on none at thresholds \
         from 0.",
    ] {
        assert!(html.contains(&format!("aria-label=\"{text}")), "{text}");
    }
    let mean = &evaluation.mean;
    for text in [
        format!("![ROC curves: AUROC {:.3} (", mean.auroc.unwrap()),
        format!(
            "![Precision and recall: average precision {:.3} (",
            mean.average_precision.unwrap()
        ),
        format!("![Reliability: expected calibration error {:.3}, mean of", mean.ece.unwrap()),
        "![Decision curves: net benefit above acting on all films and on none for 1 of 2".into(),
    ] {
        assert!(markdown.contains(&text), "{text}: {markdown}");
    }
    assert_eq!(html.matches("role=\"img\"").count(), html.matches("aria-label=\"").count() - 1);
}

#[test]
fn the_tables_beside_the_report_have_curves_and_wrong_films() {
    let scores = rising(0.9, &[]);
    let evaluation = evaluate(&scores, &BootstrapOptions { resamples: 2, seed: 1 }).unwrap();
    let report = plain(&scores, &evaluation);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &report).unwrap();
    let rows = |name: &str| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(folder.path().join(name)).unwrap();
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
    };
    let number = |cell: &String| cell.parse::<f64>().unwrap();

    let roc: Vec<_> = rows("roc.csv").into_iter().filter(|row| row[0] == "Mass").collect();
    assert_eq!(roc[0][1..], ["", "0", "0"]);
    assert_eq!(roc.last().unwrap()[2..], ["1", "1"]);
    let area: f64 = roc
        .windows(2)
        .map(|pair| {
            let width = number(&pair[1][2]) - number(&pair[0][2]);
            width * (number(&pair[1][3]) + number(&pair[0][3])) / 2.0
        })
        .sum();
    assert!((area - evaluation.findings[0].auroc.unwrap()).abs() < 1e-12);
    let precision = rows("pr.csv");
    let last = precision.iter().rfind(|row| row[0] == "Mass").unwrap();
    assert_eq!(number(&last[3]), evaluation.findings[0].prevalence.unwrap());

    let errors = rows("errors.csv");
    let point = &evaluation.findings[1].operating_points[0];
    let of = |kind: &str| {
        errors.iter().filter(|row| row[0] == "Pleural_Thickening" && row[6] == kind).count()
    };
    assert_eq!(of("false positive"), point.false_positives);
    assert_eq!(of("false negative"), point.false_negatives);
    let row = errors.iter().find(|row| row[6] == "false negative").unwrap();
    assert_eq!(row[..4], ["Mass", "0.png", "0.png", "1"]);
}

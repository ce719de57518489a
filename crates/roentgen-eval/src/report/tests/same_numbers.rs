//! The page, Markdown, JSON and CSV of one report state the same numbers: each of the four is read
//! back and compared with the JSON.

mod calls;
mod explanations;
mod groups;

use std::collections::HashMap;

use serde_json::Value;

use super::sheets::Sheets;
use super::*;
use crate::{Given, NIH_FINDINGS, WithIsotonic, calibrate, evaluate_with, protocols::protocols};

/// 360 films of 120 patients with all fourteen findings; `model` differs between two models.
fn films(split: &str, model: usize) -> Scores {
    let films = 360;
    let hash = |a: usize, b: usize| {
        let seed = a as u64 * 1_000_003 + b as u64 * 7919 + split.len() as u64 * 104_729;
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ mixed >> 32) >> 40) as f64 / f64::from(1 << 24)
    };
    let finding = |(number, name): (usize, &'static str)| {
        let label = |film: usize| hash(film / 2, number) < 0.12;
        let p = |film: usize| {
            let noise = hash(film, 100 + number + 1000 * model);
            (0.02 + 0.75 * noise * noise + if label(film) { 0.15 } else { 0.0 }).min(1.0)
        };
        ScoredFinding {
            name: name.to_owned(),
            probabilities: (0..films).map(p).collect(),
            labels: (0..films).map(|film| (film != 5).then(|| label(film))).collect(),
        }
    };
    let texts = |of: &dyn Fn(usize) -> String| (0..films).map(of).collect::<Vec<_>>();
    let findings = NIH_FINDINGS.into_iter().enumerate().map(finding).collect();
    Scores::new(texts(&|i| format!("{split}{i}")), texts(&|i| (i / 3).to_string()), findings)
        .and_then(|scores| {
            scores.with_column("split", texts(&|_| format!("by-image {split}, leaky")))
        })
        .and_then(|scores| {
            let is_leaked = |i: usize| u8::from((i / 3).is_multiple_of(3)).to_string();
            scores.with_column("patient_in_training", texts(&is_leaked))
        })
        .and_then(|scores| scores.with_column("sex", texts(&|i| ["F", "M"][i / 3 % 2].into())))
        .and_then(|scores| scores.with_column("age", texts(&|i| (20 + i / 3 % 60).to_string())))
        .unwrap()
}

struct Files {
    json: Value,
    html: Sheets,
    markdown: Sheets,
    pages: [String; 2],
    csv: HashMap<String, Vec<HashMap<String, String>>>,
}

fn files() -> Files {
    let (scores, other) = (films("test", 0), films("test", 1));
    let options = BootstrapOptions { resamples: 60, seed: 1 };
    let calibration = calibrate(&films("valid", 0), WithIsotonic::Yes).unwrap();
    let prevalence = NIH_FINDINGS.map(|name| (name.to_owned(), 0.02)).into();
    let given = Given { calibration: Some(&calibration), prevalence, ..Default::default() };
    let evaluation = evaluate_with(&scores, &options, &given).unwrap();
    let compared = Compared::of(("a.csv", &scores), ("b.csv", &other), &options).unwrap();
    let report = Report {
        compared: Some(compared),
        protocols: Some(protocols(&scores, &options).unwrap()),
        localization: Some(explanations::localization()),
        ..plain(&scores, &evaluation)
    };
    let folder = tempfile::tempdir().unwrap();
    let paths = write(folder.path(), &report).unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let tables = paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "csv"));
    let table = |path: &PathBuf| {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let rows = reader.deserialize().map(Result::unwrap).collect();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), rows)
    };
    Files {
        json: serde_json::from_str(&text("metrics.json")).unwrap(),
        html: Sheets::of_html(&text("report.html")),
        markdown: Sheets::of_markdown(&text("report.md")),
        pages: ["report.html", "report.md"].map(text),
        csv: tables.map(table).collect(),
    }
}

impl Files {
    /// Requires a cell of a CSV file to be a number of the JSON, unrounded.
    #[track_caller]
    fn in_csv(&self, file: &str, keys: &[(&str, &str)], column: &str, json: &Value) {
        let rows = &self.csv[file];
        let row = rows.iter().find(|row| keys.iter().all(|(key, value)| row[*key] == *value));
        let row = row.unwrap_or_else(|| panic!("{file} has no row {keys:?}"));
        let (cell, value) = (row[column].parse::<f64>().ok(), json.as_f64());
        // serde_json reads some numbers one unit of the last digit off.
        let is_same = match (cell, value) {
            (Some(cell), Some(value)) => (cell - value).abs() <= 2.0 * f64::EPSILON * value.abs(),
            (None, None) => row[column].is_empty(),
            _ => false,
        };
        assert!(is_same, "{file} {keys:?} {column}: {cell:?} instead of {value:?}");
    }

    /// Requires a cell of both pages to state a figure of the JSON, and its interval if it has one.
    #[track_caller]
    fn on_pages(&self, title: &str, row: &[&str], column: &str, figures: &[&Value]) {
        for sheets in [&self.html, &self.markdown] {
            assert_stated(&sheets.numbers(title, row, column), figures);
        }
    }
}

/// Requires texts to be figures or both ends of intervals, rounded to three decimals, and counts
/// with commas; an undefined figure is not there.
#[track_caller]
fn assert_stated(texts: &[String], figures: &[&Value]) {
    let flat = figures.iter().flat_map(|value| match value {
        Value::Array(ends) => ends.iter().collect(),
        _ => vec![*value],
    });
    let expected: Vec<f64> = flat.filter_map(Value::as_f64).collect();
    let stated: Vec<f64> =
        texts.iter().map(|text| text.replace(',', "").parse().unwrap()).collect();
    let is_near = |(one, other): (&f64, &f64)| (one - other).abs() < 0.0005 + 1e-9;
    let is_same = stated.len() == expected.len() && stated.iter().zip(&expected).all(is_near);
    assert!(is_same, "{texts:?} instead of {expected:?}");
}

#[test]
fn page_markdown_json_and_tables_state_the_same_numbers() {
    let files = files();
    for name in NIH_FINDINGS {
        findings(&files, name);
        calls::operating_points(&files, name);
    }
    calls::means(&files);
    groups::subgroups(&files);
    groups::compared(&files);
    groups::protocols(&files);
    explanations::tables(&files);
    pairs(&files);
    whole(&files);
    let program = files.json["program"].as_str().unwrap();
    for page in &files.pages {
        assert!(page.contains(&format!("Made by {program}.")), "{program}");
    }
}

fn findings(files: &Files, name: &str) {
    let of = &files.json["findings"][name];
    let row = [("finding", name)];
    for (column, value) in [
        ("positives", &of["positives"]),
        ("negatives", &of["negatives"]),
        ("unknown", &of["unknown"]),
        ("prevalence", &of["prevalence"]),
        ("auroc", &of["auroc"]),
        ("auroc_low", &of["auroc_ci95"][0]),
        ("auroc_high", &of["auroc_ci95"][1]),
        ("auroc_delong_low", &of["auroc_delong_ci95"][0]),
        ("auroc_delong_high", &of["auroc_delong_ci95"][1]),
        ("average_precision", &of["average_precision"]),
        ("average_precision_low", &of["average_precision_ci95"][0]),
        ("average_precision_high", &of["average_precision_ci95"][1]),
        ("brier", &of["brier"]),
        ("brier_reliability", &of["calibration"]["brier_parts"]["reliability"]),
        ("ece", &of["ece"]),
        ("ece_equal_mass", &of["calibration"]["ece_equal_mass"]),
        ("slope", &of["calibration"]["slope"]),
        ("useful_threshold_low", &of["useful_thresholds"][0]),
        ("useful_threshold_high", &of["useful_thresholds"][1]),
        ("useful_threshold_platt_low", &of["useful_thresholds_platt"][0]),
        ("useful_threshold_platt_high", &of["useful_thresholds_platt"][1]),
        ("resamples_skipped", &of["resamples_skipped"]),
    ] {
        files.in_csv("findings.csv", &row, column, value);
    }
    let shown = name.replace('_', " ");
    let on = |column: &str, figures: &[&Value]| {
        files.on_pages("Findings", &[&shown], column, figures);
    };
    on("Positive", &[&of["positives"]]);
    on("Prevalence", &[&of["prevalence"]]);
    on("AUROC", &[&of["auroc"], &of["auroc_ci95"]]);
    on("Average precision", &[&of["average_precision"], &of["average_precision_ci95"]]);
    on("Brier", &[&of["brier"]]);
    on("ECE", &[&of["ece"]]);
    let main = &of["operating_points"]["youden"];
    on("Sensitivity", &[&main["sensitivity"]]);
    on("Specificity", &[&main["specificity"]]);

    let kinds = [
        ("predicted", "as predicted", &of["calibration"]),
        ("platt", "Platt scaling", &of["calibrated"]["platt"]),
        ("temperature", "temperature", &of["calibrated"]["temperature"]),
        ("isotonic", "isotonic", &of["calibrated"]["isotonic"]),
    ];
    for (key, title, figures) in kinds.into_iter().filter(|(.., figures)| figures.is_object()) {
        let row = [("finding", name), ("probabilities", key)];
        for (column, heading, value) in [
            ("brier", "Brier", &figures["brier"]),
            ("brier_reliability", "Reliability", &figures["brier_parts"]["reliability"]),
            ("brier_resolution", "Resolution", &figures["brier_parts"]["resolution"]),
            ("ece", "ECE, equal width", &figures["ece"]),
            ("ece_equal_mass", "ECE, equal mass", &figures["ece_equal_mass"]),
            ("intercept", "Intercept", &figures["intercept"]),
            ("slope", "Slope", &figures["slope"]),
        ] {
            files.in_csv("calibration.csv", &row, column, value);
            files.on_pages("Calibration", &[&shown, title], heading, &[value]);
        }
    }
}

/// The figures of the whole table.
fn whole(files: &Files) {
    let of = &files.json;
    assert_eq!(files.csv["summary.csv"].len(), 9);
    for row in &files.csv["summary.csv"] {
        let figure = row["figure"].as_str();
        files.in_csv("summary.csv", &[("figure", figure)], "value", &of[figure]);
    }
    let percent = |key: &str| {
        let share = 100.0 * of[key].as_f64().unwrap();
        if share < 10.0 { format!("{share:.2} %") } else { format!("{share:.1} %") }
    };
    let (accuracy, negative) =
        (percent("binary_accuracy"), percent("binary_accuracy_all_negative"));
    let error = format!("{:.3}", of["mean_absolute_error"].as_f64().unwrap());
    for page in &files.pages {
        let at = page.find("Binary accuracy over all pairs").unwrap();
        let said = page[at..].lines().next().unwrap();
        for figure in [&accuracy, &negative, &error] {
            assert!(said.contains(figure.as_str()), "{figure}: {said}");
        }
    }
}

fn pairs(files: &Files) {
    let of = &files.json["co_occurrence"];
    for (one, name) in NIH_FINDINGS.into_iter().enumerate() {
        for (two, other) in NIH_FINDINGS.into_iter().enumerate() {
            let (labels, calls) = (&of["labels"][one][two], &of["calls"][one][two]);
            let shown = [name, other].map(|name| name.replace('_', " "));
            files.on_pages("Findings together", &[&shown[0]], &shown[1], &[labels, calls]);
            if one <= two {
                let row = [("finding", name), ("other", other)];
                files.in_csv("co-occurrence.csv", &row, "labels", labels);
                files.in_csv("co-occurrence.csv", &row, "calls", calls);
            }
        }
    }
}

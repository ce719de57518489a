//! `describe`: describes a data set in tables and, with `--out`, in the figures of the 2019 study.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use roentgen_data::Finding;
use roentgen_data::files;
use roentgen_data::lock::FolderLock;
use roentgen_data::manifest::{List, ManifestRow};
use roentgen_data::metadata::LabelFile;
use roentgen_data::nih;
use roentgen_data::prepare::{PatientNumbers, Prepared};
use roentgen_data::split::{self, SplitRule};
use roentgen_data::summary::{self, SplitSummary, Summary};
use serde_json::json;

use crate::cli::Describe;
use crate::output::{Output, films, patients, table, thousands};

mod alike;
mod page;
mod pictures;
mod sample;

use alike::Alike;

/// The lock of the folder of figures.
const LOCK: &str = ".lock";
/// The page with all figures.
const PAGE: &str = "description.html";
/// The 2019 study dropped findings with at most this many films.
const CLEANED: usize = 1000;
/// The 2019 study's weight of a film without findings.
const FLOOR: f64 = 0.04;

/// The data set to describe.
struct Data {
    name: String,
    rows: Vec<ManifestRow>,
    prepared: Option<Prepared>,
}

/// Describes a prepared data set or a label file.
pub(crate) fn run(args: &Describe) -> anyhow::Result<Output> {
    let data = Data::open(&args.data)?;
    let summary = Summary::of(&data.rows);
    let rule = args.split;
    let sides = match split::divide(&data.rows, rule, args.seed) {
        Ok(sides) => sides,
        Err(split::Error::NoLists) => vec![None; data.rows.len()],
        Err(error) => return Err(error.into()),
    };
    let patients = data.rows.iter().map(|row| row.patient).zip(sides.iter().copied());
    let both = split::patients_on_both_sides(patients);
    let on_sides = summary::sides(&data.rows, &sides);

    let alike = Alike::of(&data, &sides)?;
    let mut text = text(&data, &summary, rule, &on_sides, both.len());
    text.push_str(&alike.as_ref().map_or_else(String::new, Alike::line));
    if let Some(out) = &args.out {
        let _lock = FolderLock::take_as(out, LOCK)?;
        let pictures = pictures::draw(&data, &summary)?;
        for (name, svg) in &pictures {
            files::write_whole(&out.join(name), svg.as_bytes())?;
        }
        let page = page::page(&data.name, &text, &pictures);
        files::write_whole(&out.join(PAGE), page.as_bytes())?;
        text.push_str(&format!("\nopen {}", out.join(PAGE).display()));
    }
    let adjusted = Summary::adjust_frequencies(&data.rows, FLOOR);
    let document = json!({
        "data": args.data,
        "dataset": data.name,
        "findings": Finding::ALL,
        "summary": summary,
        "over_1000": select_kept(&summary),
        "adjusted_frequencies": adjusted,
        "split": rule,
        "sides": on_sides,
        "patients_on_both_sides": both.len(),
        "duplicates": alike,
    });
    Ok(Output::done(text, document))
}

impl Data {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path.is_file() {
            let labels = LabelFile::read(path)?;
            let name = labels.version().text().to_owned();
            let (train_val, test) = lists_beside(path)?;
            let list = |image: &str| match (test.contains(image), train_val.contains(image)) {
                (true, _) => Some(List::Test),
                (false, on_train_val) => on_train_val.then_some(List::TrainVal),
            };
            let rows =
                labels.films.iter().map(|film| ManifestRow::of(film, list(&film.image), [0, 0]));
            return Ok(Self { name, rows: rows.collect(), prepared: None });
        }
        let prepared = Prepared::open(path)?;
        let name = prepared.description.dataset.to_string();
        Ok(Self { name, rows: prepared.rows.clone(), prepared: Some(prepared) })
    }
}

/// Reads the official lists in the folder of a label file: train_val and test, each empty if
/// absent.
fn lists_beside(labels: &Path) -> anyhow::Result<(HashSet<String>, HashSet<String>)> {
    let folder = labels.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries =
        fs::read_dir(folder.unwrap_or(Path::new("."))).context("could not list the folder")?;
    let mut lists = (HashSet::new(), HashSet::new());
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.starts_with("train_val_list") && name.ends_with(".txt") {
            lists.0 = nih::read_list(&path)?;
        } else if name.starts_with("test_list") && name.ends_with(".txt") {
            lists.1 = nih::read_list(&path)?;
        }
    }
    Ok(lists)
}

/// Returns the findings that the 2019 study kept.
fn select_kept(summary: &Summary) -> Vec<Finding> {
    Finding::ALL.into_iter().filter(|&finding| summary.counts[finding as usize] > CLEANED).collect()
}

fn text(
    data: &Data,
    summary: &Summary,
    rule: SplitRule,
    sides: &[SplitSummary],
    both: usize,
) -> String {
    let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / summary.films as f64);
    let mut lines = vec![
        data.name.clone(),
        format!(
            "{} of {}; {} without a finding ({})",
            films(summary.films),
            patients(summary.patients),
            thousands(summary.normal),
            share(summary.normal),
        ),
        format!(
            "{} PA, {} AP; {} of men, {} of women; {} ages above 100",
            thousands(summary.pa),
            thousands(summary.ap),
            thousands(summary.men),
            thousands(summary.women),
            thousands(summary.above_100),
        ),
        format!(
            "{} findings on more than {CLEANED} films (the 2019 study kept those)",
            select_kept(summary).len()
        ),
        String::new(),
    ];
    let numbers = data.prepared.as_ref().map(|prepared| prepared.description.patient_numbers);
    if numbers == Some(PatientNumbers::Films) {
        let unknown = "the data set has no patient numbers, so each film counts as a patient";
        lines.insert(2, unknown.to_owned());
    }
    let mut header = vec!["finding", "films", "share", "as only finding"];
    header.extend(sides.iter().map(|side| side.split.name()));
    let mut rows: Vec<Vec<String>> = Finding::ALL
        .into_iter()
        .map(|finding| {
            let index = finding as usize;
            let mut row = vec![
                finding.to_string(),
                thousands(summary.counts[index]),
                share(summary.counts[index]),
                thousands(summary.together[index][index]),
            ];
            row.extend(sides.iter().map(|side| thousands(side.counts[index])));
            row
        })
        .collect();
    for (name, of) in [
        ("No Finding", (|side| side.normal) as fn(&SplitSummary) -> usize),
        ("films", |side| side.films),
        ("patients", |side| side.patients),
    ] {
        let mut row = vec![name.to_owned(), String::new(), String::new(), String::new()];
        row.extend(sides.iter().map(|side| thousands(of(side))));
        rows.push(row);
    }
    lines.push(table(&header, &rows));
    lines.push(String::new());
    lines.push(if sides.is_empty() {
        "no official lists were found next to these films".to_owned()
    } else {
        let leaky = if both > 0 { "; this split leaks, so its figures are too good" } else { "" };
        format!("split {}: {} patients in more than one part{leaky}", rule.name(), thousands(both))
    });
    let pairs: Vec<String> = summary::pairs(summary)
        .into_iter()
        .take(5)
        .map(|(a, b, films)| format!("{a} with {b} ({})", thousands(films)))
        .collect();
    if !pairs.is_empty() {
        lines.push(format!("most often together: {}", pairs.join(", ")));
    }
    lines.join("\n")
}

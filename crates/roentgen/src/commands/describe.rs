//! `describe`: describes a data set in tables and, with `--out`, in the figures of the 2019 study.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use roentgen_data::Finding;
use roentgen_data::files;
use roentgen_data::lock::FolderLock;
use roentgen_data::manifest::ManifestRow;
use roentgen_data::metadata::LabelFile;
use roentgen_data::nih::Layout;
use roentgen_data::prepare::{Lists, PatientNumbers, Prepared};
use roentgen_data::split::{self, SplitRule};
use roentgen_data::summary::{self, SplitSummary, Summary};
use serde_json::json;

use crate::cli::Describe;
use crate::context::Context;
use crate::output::{Output, films, patients, table, thousands};
use crate::progress::Hashing;

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
pub(crate) fn run(args: &Describe, context: &Context) -> anyhow::Result<Output> {
    let data = Data::open(&args.data, context)?;
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
    fn open(path: &Path, context: &Context) -> anyhow::Result<Self> {
        if path.is_file() {
            let labels = LabelFile::read(path)?;
            let name = labels.version().text().to_owned();
            let lists = Lists::read(&lists_beside(path)?, &labels)?;
            let rows = labels
                .films
                .iter()
                .map(|film| ManifestRow::of(film, lists.of(&film.image), [0, 0]));
            return Ok(Self { name, rows: rows.collect(), prepared: None });
        }
        let bar = Hashing::new(context.bars);
        let prepared = Prepared::open_with(path, &|done, bytes| bar.set(done, bytes))?;
        let name = prepared.description.dataset.to_string();
        Ok(Self { name, rows: prepared.rows.clone(), prepared: Some(prepared) })
    }
}

/// Finds the official lists in the folder of a label file.
///
/// # Errors
///
/// Returns an error if the folder cannot be listed, or if there are two lists for one purpose.
fn lists_beside(labels: &Path) -> anyhow::Result<Layout> {
    let folder = labels.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder)
        .with_context(|| format!("could not list the folder `{}`", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut layout = Layout::default();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let list = if !name.ends_with(".txt") {
            continue;
        } else if name.starts_with("train_val_list") {
            &mut layout.train_val
        } else if name.starts_with("test_list") {
            &mut layout.test
        } else {
            continue;
        };
        if let Some(first) = list.replace(path.clone()) {
            bail!(
                "there are two lists for one purpose, `{}` and `{}`; move one of them elsewhere",
                first.display(),
                path.display()
            );
        }
    }
    Ok(layout)
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
